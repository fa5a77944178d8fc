"""The projects that can be audited: how each one's wheels relate to releases on npm, as reviewed data."""
