"""Upstream's releases: channels, downloads, archives and payloads."""
