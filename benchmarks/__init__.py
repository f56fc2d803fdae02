"""What the engine costs: the common workloads of performance.md, through every part of it."""
