"""The invented market: seeded, endless, believable; with faults on request."""
