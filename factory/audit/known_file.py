"""Read the file of ``--known``: gaps and findings that are accepted, each with a reason.

[[gap]]
release = "rust-v0.142.1"
platform = "*"
reason = "upstream published no packages"

[[finding]]
sha256 = "e8a9..."
check = "elf-musl"
place = "codex_cli_bin/codex-resources/voice/*"
reason = "reported upstream on 2026-11-20"
"""

import tomllib
from collections.abc import Iterator, Mapping
from pathlib import Path

from factory.audit.known import ANY_PLATFORM, Known, KnownFinding, KnownGap
from factory.core.digests import MalformedDigest, Sha256
from factory.core.errors import UsageError
from factory.core.platform_tags import platform_of_tag
from factory.core.tags import CodexTag
from factory.verify.waivers import Waiver

_GAP = ("release", "platform", "reason")
_FINDING = ("sha256", "check", "place", "reason")
_HINT = (
    "Write [[gap]] entries with release, platform and reason, and [[finding]] entries with sha256, check,"
    " place and reason; docs/audit.md has an example."
)


def read_known(path: Path) -> Known:
    """Read what a person accepts.

    Raises:
        UsageError: The file cannot be read, is not TOML, or has a malformed or forbidden entry.
    """
    try:
        document: Mapping[str, object] = tomllib.loads(path.read_bytes().decode())
    except OSError as error:
        raise _malformed(path, error.strerror or str(error)) from error
    except (ValueError, RecursionError) as error:  # TOMLDecodeError and UnicodeDecodeError are ValueErrors
        raise _malformed(path, f"not TOML ({error})") from error
    unknown = sorted(document.keys() - {"gap", "finding"})
    if unknown:
        raise _malformed(path, f"unknown key {unknown[0]}")
    return Known(
        gaps=tuple(_gap(path, entry) for entry in _entries(path, document, "gap", _GAP)),
        findings=tuple(_finding(path, entry) for entry in _entries(path, document, "finding", _FINDING)),
    )


def _entries(
    path: Path, document: Mapping[str, object], name: str, keys: tuple[str, ...]
) -> Iterator[dict[str, str]]:
    entries = document.get(name, [])
    if not isinstance(entries, list):
        raise _malformed(path, f"{name} should be written as [[{name}]]")
    for number, entry in enumerate(entries, start=1):
        if not isinstance(entry, dict) or entry.keys() != set(keys):
            raise _malformed(path, f"{name} {number} should have exactly {', '.join(keys)}")
        texts = {key: value.strip() for key, value in entry.items() if isinstance(value, str)}
        empty = [key for key in keys if not texts.get(key)]
        if empty:
            raise _malformed(path, f"{name} {number}: {empty[0]} should be a text that is not empty")
        yield texts


def _gap(path: Path, entry: Mapping[str, str]) -> KnownGap:
    platform = entry["platform"]
    try:
        release = CodexTag.parse(entry["release"])
        if platform != ANY_PLATFORM:
            platform_of_tag(platform)
    except UsageError as error:
        raise _malformed(path, str(error)) from error
    return KnownGap(release=release, platform=platform, reason=entry["reason"])


def _finding(path: Path, entry: Mapping[str, str]) -> KnownFinding:
    try:
        sha256 = Sha256(entry["sha256"])
        waiver = Waiver(check=entry["check"], pattern=entry["place"], reason=entry["reason"])
    except (MalformedDigest, UsageError) as error:
        raise _malformed(path, str(error)) from error
    return KnownFinding(sha256=sha256, waiver=waiver)


def _malformed(path: Path, problem: str) -> UsageError:
    return UsageError(f"{path}: {problem}", hint=_HINT)
