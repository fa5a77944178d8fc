"""Values, JSON, progress and errors that all other packages share; no I/O."""
