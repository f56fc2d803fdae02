"""What remains of a session: its views, its figures, its final report; imports only the model."""
