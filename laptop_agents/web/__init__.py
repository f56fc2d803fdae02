"""The screen in a browser of this machine: who may in, what is served, one process a visitor."""
