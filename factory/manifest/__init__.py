"""The manifest of a run, and the output directory with the wheels that it lists."""
