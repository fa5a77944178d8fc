"""What a reader gets of an audit: lines for a terminal, JSON for programs, a page for people."""
