"""Coverage-guided fuzzing of the readers of untrusted files.

``make fuzz`` runs the targets under atheris; test_corpus.py replays the corpus without it.
"""
