"""The files of an SDK after a change."""

from dataclasses import dataclass

from factory.core.tags import CodexTag
from factory.sdk.sdk_files import SdkFile

_NOTICE = "# Changed by codex-wheel-factory for Codex {release}.\n"
"""A licence such as Apache-2.0 requires that a changed file says so."""


@dataclass(frozen=True, slots=True, kw_only=True)
class RegeneratedFiles:
    """The files of a regenerated SDK, and what was changed, in words."""

    files: tuple[SdkFile, ...]
    changes: tuple[str, ...]


def noticed(content: bytes, runtime: CodexTag) -> bytes:
    """Return a changed module with a comment that says so."""
    return _NOTICE.format(release=runtime.pep440).encode() + content
