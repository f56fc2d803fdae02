"""Venues and data sources, one folder each; they know engine.model and engine.venue, nothing else."""
