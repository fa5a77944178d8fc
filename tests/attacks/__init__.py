"""Attacks on wheels, manifests and statements, and what each command answers."""
