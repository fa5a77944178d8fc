"""The protocol's types: read from a runtime's own schema, made into models, compared between releases."""
