"""The async shell: clock, journal, runner and everything else that touches the world."""
