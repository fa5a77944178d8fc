"""Try a runtime with an SDK in a clean environment, one process a case."""
