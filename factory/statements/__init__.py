"""Signed statements about builds and audits, which anybody can check (docs/statements.md)."""
