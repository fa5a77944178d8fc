"""Take optional packages away from a test, as if they were not installed."""

import sys

import pytest


def take_away(monkeypatch: pytest.MonkeyPatch, *packages: str) -> None:
    """Let imports of these packages, and of all in them, fail."""
    loaded = [name for name in sys.modules if name.partition(".")[0] in packages]
    for name in {*packages, *loaded}:
        monkeypatch.setitem(sys.modules, name, None)
