"""Change the code that decides, one small change at a time, and see whether a test fails.

``make mutants`` runs mutmut on a seeded sample of each module in `rooms.py`, keeps what it found in
``results.json``, and writes docs/mutants.md. ``explained.toml`` gives the reason for each mutant that
survives and needs no test.
"""
