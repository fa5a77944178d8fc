"""Read a wheel: its zip records and its members."""
