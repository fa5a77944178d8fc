"""The run behind ``factory wheels``: plan, fetch, build, verify, record."""
