"""An SDK of our own: write its project from the template and from a release's schema."""
