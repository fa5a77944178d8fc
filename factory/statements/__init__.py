"""What was built and what an audit said, as signed statements that anybody can check (docs/statements.md)."""
