"""Lay a wheel out with the backend once, and fill in the compressed members."""
