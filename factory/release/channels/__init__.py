"""Channels: the sources of release packages. They differ in access, but return the same values."""

from bisect import bisect_left
from collections.abc import Iterable
from typing import Protocol

from packaging.version import Version

from factory.core.addresses import redacted, split_address
from factory.core.errors import UpstreamError
from factory.core.model import ChannelName, ReleaseAssets
from factory.core.tags import CodexTag, MalformedTag

_NEAR_TAGS = 5


class Channel(Protocol):
    """A source of release packages."""

    @property
    def name(self) -> ChannelName:
        """The kind of channel."""

    @property
    def identity(self) -> str:
        """Distinguishes channels of one kind in a cache, such as a URL; never written to a manifest."""

    def assets(self, tag: CodexTag) -> ReleaseAssets:
        """Return the release packages for a tag, each with its digest.

        Raises:
            UpstreamError: The channel does not have the release, or has it without any package.
            IntegrityError: A package has no digest.
        """


class NotOnChannel(UpstreamError):
    """The channel answered, and it does not have the release or a package of it."""


def unknown_release(tag: CodexTag, channel: ChannelName, known: Iterable[CodexTag]) -> NotOnChannel:
    """Return the error for a release that a channel does not have; the hint lists the nearest it has."""
    names = ", ".join(map(str, nearest(tag, known)))
    return NotOnChannel(
        f"channel {channel} has no release {tag}",
        hint=f"It has {names}." if names else "It has no releases at all: check its address.",
    )


def release_without_packages(tag: CodexTag, channel: ChannelName) -> NotOnChannel:
    """Return the error for a release without any release package."""
    return NotOnChannel(
        f"channel {channel} has {tag}, but no package for any target",
        hint="Use another channel: see --channel.",
    )


def malformed_answer(channel: ChannelName, problem: str) -> UpstreamError:
    """Return the error for a server's answer that does not follow the channel's interface."""
    return UpstreamError(
        f"channel {channel} sent a malformed answer: {problem}",
        hint="Check the channel's address; a proxy or a login page may answer instead.",
    )


def checked_url(url: str, channel: ChannelName) -> str:
    """Return the URL of an asset that a channel's answer has.

    Raises:
        UpstreamError: It is not a URL with http or https.
    """
    if split_address(url) is None:
        raise malformed_answer(channel, f"{redacted(url)!r} is not the URL of a file")
    return url


def nearest(tag: CodexTag, known: Iterable[CodexTag]) -> tuple[CodexTag, ...]:
    """Return up to five known tags around one, in the order of their versions."""
    ordered = sorted(set(known), key=_version)
    place = bisect_left(ordered, _version(tag), key=_version)
    start = max(0, min(place - _NEAR_TAGS // 2, len(ordered) - _NEAR_TAGS))
    return tuple(ordered[start : start + _NEAR_TAGS])


def tags_in(texts: Iterable[str]) -> tuple[CodexTag, ...]:
    """Return the texts that are tags, ignoring the others."""
    found = []
    for text in texts:
        try:
            found.append(CodexTag.parse(text))
        except MalformedTag:
            continue
    return tuple(found)


def _version(tag: CodexTag) -> Version:
    return Version(tag.pep440)
