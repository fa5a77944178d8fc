"""Build wheels with the PEP 517 backend: on this host, in a container, in cibuildwheel."""
