"""The fast engine: the backend's wheel of empty files, filled with compressed payload."""
