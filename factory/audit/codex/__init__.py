"""The audit of Codex: its wheels are rebuilt with the factory's recipes, and compared with the baseline."""
