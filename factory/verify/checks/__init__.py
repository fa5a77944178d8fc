"""The checks, each a small pure function with a reason."""
