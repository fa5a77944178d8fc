"""The app-server protocol: read a runtime's schema, generate Python types, compare two releases."""
