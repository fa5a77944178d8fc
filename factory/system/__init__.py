"""The operating system: files, the cache, HTTP, processes, threads and containers."""
