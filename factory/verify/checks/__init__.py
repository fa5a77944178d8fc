"""The checks: small pure functions, each with the reason it exists."""
