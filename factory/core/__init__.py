"""Values, JSON, progress and errors: everything that other rooms share, without I/O."""
