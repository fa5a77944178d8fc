"""The program that runs a case in the clean environment; it imports few modules of the factory."""
