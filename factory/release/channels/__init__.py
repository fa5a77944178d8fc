"""Where release packages come from: one `Channel` a source, all giving the same values."""

from bisect import bisect_left
from collections.abc import Iterable
from typing import Protocol

from packaging.version import Version

from factory.core.errors import IntegrityError, UpstreamError
from factory.core.model import ChannelName, ReleaseAssets
from factory.core.tags import CodexTag, MalformedTag

_NEAR_TAGS = 5


class UnknownRelease(UpstreamError):
    """A channel does not have the release that was asked for.

    Attributes:
        near: Releases that it has, by version the nearest, in order.
    """

    def __init__(self, tag: CodexTag, channel: ChannelName, known: Iterable[CodexTag]) -> None:
        self.near = nearest(tag, known)
        names = ", ".join(str(near) for near in self.near)
        super().__init__(
            f"channel {channel} has no release {tag}",
            hint=f"It has {names}." if names else "It has no release at all: check its address.",
        )


class ReleaseWithoutTargets(UpstreamError):
    """A channel knows the release and has none of its packages."""

    hint = "Take the packages from another channel: see --channel."

    def __init__(self, tag: CodexTag, channel: ChannelName) -> None:
        super().__init__(f"channel {channel} has {tag} without a package for any target")


class AssetWithoutDigest(IntegrityError):
    """A channel offers an asset and promises nothing about its bytes; such an asset is never used."""

    def __init__(self, name: str, *, wanted: str, hint: str) -> None:
        super().__init__(f"{name} comes without {wanted}", hint=hint)


class MalformedAnswer(UpstreamError):
    """A server's answer has another shape than the channel's interface says."""

    hint = "Check the channel's address; a proxy or a login page may answer in its place."

    def __init__(self, channel: ChannelName, problem: str) -> None:
        super().__init__(f"channel {channel} gave an answer that makes no sense: {problem}")


class Channel(Protocol):
    """A source of release packages."""

    @property
    def name(self) -> ChannelName:
        """Which kind of channel it is."""

    @property
    def identity(self) -> str:
        """What tells it from others of its kind in a cache, such as its address; never part of a manifest."""

    def assets(self, tag: CodexTag) -> ReleaseAssets:
        """Return what it has for a tag, with a digest for each.

        Raises:
            UnknownRelease: It does not have the release.
            ReleaseWithoutTargets: It has the release and none of its packages.
            AssetWithoutDigest: It promises nothing about a package.
        """


def nearest(tag: CodexTag, known: Iterable[CodexTag]) -> tuple[CodexTag, ...]:
    """Return the known tags around one by version, in order."""
    ordered = sorted(set(known), key=_version)
    place = bisect_left(ordered, _version(tag), key=_version)
    start = max(0, min(place - _NEAR_TAGS // 2, len(ordered) - _NEAR_TAGS))
    return tuple(ordered[start : start + _NEAR_TAGS])


def tags_in(texts: Iterable[str]) -> tuple[CodexTag, ...]:
    """Return the tags among some texts and pass over the rest."""
    found = []
    for text in texts:
        try:
            found.append(CodexTag.parse(text))
        except MalformedTag:
            continue
    return tuple(found)


def _version(tag: CodexTag) -> Version:
    return Version(tag.pep440)
