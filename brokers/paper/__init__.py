"""The simulated venue: the real market, our orders, believable fills."""
