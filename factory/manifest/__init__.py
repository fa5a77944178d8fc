"""The manifest of a run, and the directory of wheels that it lists."""
