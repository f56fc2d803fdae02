"""Venues and data sources, one folder each; of ours they know engine.model and engine.venue."""
