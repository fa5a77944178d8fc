"""Container engines: their interface, Docker's implementation, and the removal of a run's containers."""
