"""``codex-wheel-factory``: build, verify and audit the wheels that carry the Codex CLI's executables."""

__version__ = "0.1.0"
