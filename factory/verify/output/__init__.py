"""Findings as a table, JSON and SARIF."""
