"""Regenerate an SDK for another release: its code, with the types and the methods of that release."""
