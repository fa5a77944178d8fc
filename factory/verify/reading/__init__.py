"""Read a wheel: the zip structure, the members, the dist-info."""
