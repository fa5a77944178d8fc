"""Containers: what is asked of an engine, the engine itself, and that nothing of a run stays behind."""
