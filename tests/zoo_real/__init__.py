"""Wheels that other projects published, as a standing test: what verify finds in each is reviewed."""
