"""The trading engine: see, want, allow, do, have, in a pure kernel with an async shell around it."""
