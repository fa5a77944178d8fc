"""The reference engine: the PEP 517 backend on this host, in a container, or in cibuildwheel."""
