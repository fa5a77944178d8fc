"""What an SDK needs of a runtime, and whether the runtime gives it."""
