"""The front door: command line, settings, and the composition of a session."""
