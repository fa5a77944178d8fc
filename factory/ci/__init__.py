"""Split a release over the machines of a CI, and merge the parts."""
