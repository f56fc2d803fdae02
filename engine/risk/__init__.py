"""What we allow: the lifecycle, the pre-trade gate, the circuit breakers."""
