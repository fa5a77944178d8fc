"""Test a runtime wheel with an SDK in a clean environment, one process per case."""
