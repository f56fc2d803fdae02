"""The order ticket: what is typed, what it means, what would become of it, and the confirmation."""
