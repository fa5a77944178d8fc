"""Print the key of a cache of the factory's files: ``cache_key.py SYSTEM ARCHITECTURE``.

The files depend on the program's version and its locks, on Python, and on the kind of machine. Old
packages and toolchains would only fill a cache with another key, so each of these changes it.
"""

import hashlib
import platform
import re
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]


def cache_key(root: Path, *words: str) -> str:
    """Return the key for the program in a directory."""
    text = (root / "factory/__init__.py").read_text(encoding="utf-8")
    (version,) = re.findall(r'^__version__ = "([0-9a-z.+]+)"$', text, re.MULTILINE)
    locks = sorted((root / "factory/build/locks").glob("*.txt"))
    digest = hashlib.sha256()
    for lock in (root / "requirements.txt", *locks):
        digest.update(f"{lock.name} {hashlib.sha256(lock.read_bytes()).hexdigest()}\n".encode())
    return "-".join(("codex-wheel-factory", version, *words, digest.hexdigest()[:16]))


if __name__ == "__main__":
    sys.stdout.write(cache_key(ROOT, *sys.argv[1:], f"py{platform.python_version()}") + "\n")
