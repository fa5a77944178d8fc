"""The directory channel: assets downloaded from one of the other channels, with checksum files.

npm's file names contain the version (``codex-0.163.0-linux-x64.tgz``, or
``openai-codex-...`` as ``npm pack`` writes it). GitHub's do not
(``codex-package-<target>.tar.gz``), so such a file is used for any requested tag: keep one
directory for each tag, or put the tag in front of the name
(``rust-v0.163.0-codex-package-<target>.tar.gz``). The version inside the package is checked
when the package is read.

Digests are read from ``SHA256SUMS``, ``SHA512SUMS`` and upstream's
``codex-package_SHA256SUMS`` in the directory. Take them from the channel: digests computed
from the files themselves only prove that the files have not changed since.
"""

import re
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path

from factory.core.digests import Digest
from factory.core.errors import IntegrityError, UsageError
from factory.core.model import ArchiveFormat, ChannelName, Local, ReleaseAsset, ReleaseAssets
from factory.core.tags import CodexTag
from factory.core.targets import Target
from factory.release.channels import github, npm, tags_in, unknown_release
from factory.release.channels.checksums import parse_checksums
from factory.release.channels.npm_package import purl_of

CHECKSUM_FILES = ("SHA512SUMS", "SHA256SUMS", github.CHECKSUMS)

_FORMATS = {
    ".tgz": ArchiveFormat.TAR_GZ,
    ".tar.gz": ArchiveFormat.TAR_GZ,
    ".tar.zst": ArchiveFormat.TAR_ZST,
    ".zip": ArchiveFormat.ZIP,
}
_SUFFIXES = "|".join(target.npm_suffix for target in Target)
_VERSIONED = re.compile(
    rf"(?:openai-)?codex-(?P<npm>\d.*?)(?:-(?:{_SUFFIXES}))?\.tgz|(?P<tag>rust-v\d.*?)-codex-package-.*"
)
_FIRST_SPLIT_RELEASE = (0, 100, 0)


class DirectoryChannel:
    """A directory with release packages."""

    name = ChannelName.DIRECTORY

    def __init__(self, path: Path) -> None:
        self._path = path

    @property
    def identity(self) -> str:
        """The directory's path."""
        return str(self._path)

    def assets(self, tag: CodexTag) -> ReleaseAssets:
        """Return the files for a tag, with the digests in the directory's checksum files.

        Raises:
            UsageError: The directory or a checksum file cannot be read.
            UpstreamError: The directory has no package for the tag.
            IntegrityError: A package is not a regular file or has no digest, or a checksum file is
                malformed.
        """
        present = self._present()
        digests = self._digests()
        chosen = ((target, _choose(tag, target, present)) for target in Target)
        assets = tuple(self._asset(tag, target, name, digests) for target, name in chosen if name is not None)
        if not assets:
            raise unknown_release(tag, self.name, _tags_of(present))
        return ReleaseAssets(tag=tag, channel=self.name, assets=assets)

    def _present(self) -> frozenset[str]:
        try:
            return frozenset(path.name for path in self._path.iterdir())
        except OSError as error:
            raise _unreadable(self._path, error.strerror or str(error)) from error

    def _digests(self) -> Mapping[str, Digest]:
        """Read all checksum files; if two list the same file, the longer digest is used."""
        digests: dict[str, Digest] = {}
        for name in CHECKSUM_FILES:
            path = self._path / name
            if path.is_file():
                try:
                    text = path.read_text("utf-8")
                except (OSError, ValueError) as error:
                    raise _unreadable(path, str(error)) from error
                digests = {**parse_checksums(text, where=name), **digests}
        return digests

    def _asset(self, tag: CodexTag, target: Target, name: str, digests: Mapping[str, Digest]) -> ReleaseAsset:
        path = self._path / name
        if path.is_symlink() or not path.is_file():
            raise IntegrityError(  # the target of a link may be another file tomorrow
                f"{path} is not a regular file", hint="Put the file itself into the directory."
            )
        if name not in digests:
            raise IntegrityError(
                f"{name} has no line in {' or '.join(CHECKSUM_FILES)}",
                hint=f"Add its digest, as its channel gives it, to {self._path / 'SHA256SUMS'}.",
            )
        return ReleaseAsset(
            target=target,
            name=name,
            purl=_purl_of(tag, name),
            digest=digests[name],
            size_bytes=None,
            format=next(form for end, form in _FORMATS.items() if name.endswith(end)),
            location=Local(path=path),
        )


def _unreadable(path: Path, reason: str) -> UsageError:
    return UsageError(
        f"cannot read {path}: {reason}",
        hint="Name an existing directory that contains release packages and a SHA256SUMS file.",
    )


def _choose(tag: CodexTag, target: Target, present: frozenset[str]) -> str | None:
    return next((name for name in _names(tag, target) if name in present), None)


def _names(tag: CodexTag, target: Target) -> Iterator[str]:
    """Yield the possible names of a target's asset; those that contain the version come first."""
    for prefix in ("codex-", "openai-codex-"):
        yield f"{prefix}{tag.semver}-{target.npm_suffix}.tgz"
    for prefix in (f"{tag}-", ""):
        for end in (".tar.gz", ".tar.zst", ".zip"):
            yield f"{prefix}codex-package-{target}{end}"
    if tag.release < _FIRST_SPLIT_RELEASE:
        for prefix in ("codex-", "openai-codex-"):
            yield f"{prefix}{tag.semver}.tgz"


def _purl_of(tag: CodexTag, name: str) -> str:
    if name.endswith(".tgz"):
        return purl_of(npm.PACKAGE, name.removesuffix(".tgz").removeprefix("openai-").removeprefix("codex-"))
    return github.purl_of(tag, name.removeprefix(f"{tag}-"))


def _tags_of(names: Iterable[str]) -> tuple[CodexTag, ...]:
    matches = filter(None, map(_VERSIONED.fullmatch, names))
    return tags_in(match["npm"] or match["tag"] for match in matches)
