"""From a staged runtime to a built wheel."""
