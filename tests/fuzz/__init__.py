"""Coverage-guided fuzzing of the readers that meet files from anywhere.

``make fuzz`` runs the targets under atheris; the unit test beside them replays the
corpus without it.
"""
