"""Which package index pip and uv would use, from their own settings."""
