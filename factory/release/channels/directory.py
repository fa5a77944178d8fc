"""The directory channel: assets as downloaded from either other channel, with a list of digests.

npm's names hold the version (``codex-0.163.0-linux-x64.tgz``, or
``openai-codex-...`` as ``npm pack`` writes it). GitHub's do not
(``codex-package-<target>.tar.gz``), so such a file counts as one of whatever tag is
asked for: keep one directory a tag, or put the tag in front of the name
(``rust-v0.163.0-codex-package-<target>.tar.gz``). Whether the package inside is of
that tag is checked where it is read.

Digests are read from ``SHA256SUMS``, ``SHA512SUMS`` and upstream's
``codex-package_SHA256SUMS`` in the directory. Take them from the channel, not from
the files: a list made of the files themselves proves only that they did not change since.
"""

import re
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path

from factory.core.digests import Digest
from factory.core.errors import IntegrityError, UsageError
from factory.core.model import ArchiveFormat, ChannelName, Local, ReleaseAsset, ReleaseAssets
from factory.core.tags import CodexTag
from factory.core.targets import Target
from factory.release.channels import AssetWithoutDigest, UnknownRelease, github, npm, tags_in
from factory.release.channels.checksums import parse_checksums

CHECKSUM_LISTS = ("SHA512SUMS", "SHA256SUMS", github.CHECKSUMS)

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


class UnreadableDirectory(UsageError):
    """A directory of assets cannot be listed, or a list of digests in it not be read."""

    hint = "Name an existing directory that holds release packages and a SHA256SUMS."

    def __init__(self, path: Path, reason: str) -> None:
        super().__init__(f"cannot read {path}: {reason}")


class LinkedAsset(IntegrityError):
    """An asset is a link or no regular file: what it leads to may be another file tomorrow."""

    hint = "Put the file itself into the directory."

    def __init__(self, path: Path) -> None:
        super().__init__(f"{path} is not a regular file")


class DirectoryChannel:
    """A directory that somebody filled."""

    name = ChannelName.DIRECTORY

    def __init__(self, path: Path) -> None:
        self._path = path

    @property
    def identity(self) -> str:
        """The directory's path."""
        return str(self._path)

    def assets(self, tag: CodexTag) -> ReleaseAssets:
        """Return the files of a tag, with the digests that the directory's lists promise.

        Raises:
            UnreadableDirectory: There is no such directory.
            LinkedAsset: A file is a link.
            MalformedChecksums: A list of digests is malformed, or names a file elsewhere.
        """
        present = self._present()
        digests = self._digests()
        chosen = ((target, _choose(tag, target, present)) for target in Target)
        assets = tuple(self._asset(tag, target, name, digests) for target, name in chosen if name is not None)
        if not assets:
            raise UnknownRelease(tag, self.name, _tags_of(present))
        return ReleaseAssets(tag=tag, channel=self.name, assets=assets)

    def _present(self) -> frozenset[str]:
        try:
            return frozenset(path.name for path in self._path.iterdir())
        except OSError as error:
            raise UnreadableDirectory(self._path, error.strerror or str(error)) from error

    def _digests(self) -> Mapping[str, Digest]:
        """Read all lists; where two promise something about one file, the strongest promise stands."""
        digests: dict[str, Digest] = {}
        for name in CHECKSUM_LISTS:
            path = self._path / name
            if path.is_file():
                try:
                    text = path.read_text("utf-8")
                except (OSError, ValueError) as error:
                    raise UnreadableDirectory(path, str(error)) from error
                digests = {**parse_checksums(text, where=name), **digests}
        return digests

    def _asset(self, tag: CodexTag, target: Target, name: str, digests: Mapping[str, Digest]) -> ReleaseAsset:
        path = self._path / name
        if path.is_symlink() or not path.is_file():
            raise LinkedAsset(path)
        if name not in digests:
            raise AssetWithoutDigest(
                name,
                wanted=f"a line in {' or '.join(CHECKSUM_LISTS)}",
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


def _choose(tag: CodexTag, target: Target, present: frozenset[str]) -> str | None:
    return next((name for name in _names(tag, target) if name in present), None)


def _names(tag: CodexTag, target: Target) -> Iterator[str]:
    """Yield what a target's asset may be called, best first: a name with the version says more."""
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
        return npm.purl_of(name.removesuffix(".tgz").removeprefix("openai-").removeprefix("codex-"))
    return github.purl_of(tag, name.removeprefix(f"{tag}-"))


def _tags_of(names: Iterable[str]) -> tuple[CodexTag, ...]:
    matches = filter(None, map(_VERSIONED.fullmatch, names))
    return tags_in(match["npm"] or match["tag"] for match in matches)
