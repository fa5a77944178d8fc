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

from pathlib import Path

from factory.audit.known import ANY_PLATFORM, Known, KnownFinding, KnownGap
from factory.audit.strict_toml import StrictTable
from factory.core.digests import MalformedDigest, Sha256
from factory.core.errors import UsageError
from factory.core.platform_tags import platform_of_tag
from factory.core.tags import CodexTag
from factory.verify.waivers import Waiver

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
        content = path.read_bytes()
    except OSError as error:
        raise UsageError(f"{path}: {error.strerror or error}", hint=_HINT) from error
    table = StrictTable.parse(content, where=str(path), hint=_HINT).only("gap", "finding")
    return Known(
        gaps=tuple(_gap(entry) for entry in table.tables("gap")),
        findings=tuple(_finding(entry) for entry in table.tables("finding")),
    )


def _gap(entry: StrictTable) -> KnownGap:
    entry.only("release", "platform", "reason")
    release, platform, reason = (entry.text(key).strip() for key in ("release", "platform", "reason"))
    try:
        if platform != ANY_PLATFORM:
            platform_of_tag(platform)
        return KnownGap(release=CodexTag.parse(release), platform=platform, reason=reason)
    except UsageError as error:
        raise entry.wrong(str(error)) from error


def _finding(entry: StrictTable) -> KnownFinding:
    entry.only("sha256", "check", "place", "reason")
    sha256, check, place, reason = (entry.text(key).strip() for key in ("sha256", "check", "place", "reason"))
    try:
        return KnownFinding(sha256=Sha256(sha256), waiver=Waiver(check=check, pattern=place, reason=reason))
    except (MalformedDigest, UsageError) as error:
        raise entry.wrong(str(error)) from error
