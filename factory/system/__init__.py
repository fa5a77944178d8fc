"""Files, cache, HTTP, processes and containers."""
