"""The trading engine: see, want, allow, do, have in a pure kernel, an async shell around it."""
