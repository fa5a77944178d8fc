"""The reviewed baseline: what wheels of this project legitimately contain besides the payload.

The file `baseline.json` was made from audited releases and is reviewed by a person in a diff
(`docs/baseline.md`). It has digests, never texts. Lookups are by the release that was asked for or
that the index lists; a wheel must not choose the release that it is compared with.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from functools import cache
from pathlib import PurePosixPath
from typing import Protocol, TypeVar

from packaging.version import Version

from factory.build.payload_rules import LeaveOutRule, MoveRule
from factory.core.digests import MalformedDigest, Sha256
from factory.core.errors import UsageError
from factory.core.platform_tags import operating_system_of
from factory.core.tags import CodexTag
from factory.core.targets import OperatingSystem, Platform

DIST_INFO = "{dist-info}"
"""How paths in the baseline name the ``.dist-info`` directory, which has the version in its name."""


_ACCEPTANCE_HINT = (
    "Write PATH:SHA256=REASON, for example 'codex_cli_bin/__init__.py:<64 hex digits>=I read it, and it only"
    " adds a docstring'; the report shows path and SHA-256."
)


class Entry(Protocol):
    """An entry that holds for a range of releases."""

    @property
    def first(self) -> CodexTag:
        """The first release."""
        ...

    @property
    def last(self) -> CodexTag | None:
        """The last reviewed release; None if the entry holds for every later one."""
        ...


EntryT = TypeVar("EntryT", bound=Entry)


@dataclass(frozen=True, slots=True, kw_only=True)
class KnownText:
    """A text that wheels contain, byte for byte.

    Attributes:
        path: The member's path, ``codex_cli_bin/__init__.py``, ``{dist-info}/licenses/LICENSE``.
        family: The wheels' operating system: texts of Windows wheels have other line ends.
        first: The first release whose wheels have it.
        last: The last reviewed release whose wheels have it; None if it belongs to every later one.
    """

    path: str
    family: OperatingSystem
    sha256: Sha256
    first: CodexTag
    last: CodexTag | None


@dataclass(frozen=True, slots=True, kw_only=True)
class KnownMetadata:
    """A METADATA that wheels contain.

    Attributes:
        sha256: Its digest with the version replaced by ``{version}``.
        requires: Its ``Requires-Dist`` fields, sorted.
    """

    sha256: Sha256
    requires: tuple[str, ...]
    first: CodexTag
    last: CodexTag | None


@dataclass(frozen=True, slots=True, kw_only=True)
class KnownGenerator:
    """A build backend and its version, as WHEEL names it: ``hatchling 1.32.4``."""

    name: str
    first: CodexTag
    last: CodexTag | None


@dataclass(frozen=True, slots=True, kw_only=True)
class KnownLeftOut:
    """Payload files that a platform's wheels lack.

    Attributes:
        pattern: A shell pattern for paths in the release package, as in `LeaveOutRule`.
        platform: The platform tag, ``manylinux_2_17_x86_64``.
    """

    pattern: str
    platform: str
    first: CodexTag
    last: CodexTag | None


@dataclass(frozen=True, slots=True, kw_only=True)
class KnownPlacement:
    """A payload file or directory with another path in the wheel's package than in the release package."""

    source: PurePosixPath
    becomes: PurePosixPath
    family: OperatingSystem
    first: CodexTag
    last: CodexTag | None


@dataclass(frozen=True, slots=True, kw_only=True)
class ReviewedPlatform:
    """The releases of which a wheel for a platform was reviewed."""

    platform: str
    first: CodexTag
    last: CodexTag | None


@dataclass(frozen=True, slots=True, kw_only=True)
class AcceptedText:
    """A text that a user accepts for one run, although the baseline does not have it.

    Attributes:
        path: The member's path, with or without ``{dist-info}``.
        reason: Why; reports and statements show it.
    """

    path: str
    sha256: Sha256
    reason: str

    @classmethod
    def parse(cls, text: str) -> "AcceptedText":
        """Parse ``PATH:SHA256=REASON``.

        Raises:
            UsageError: A part is missing, or the digest is not valid.
        """
        subject, _, reason = text.partition("=")
        path, _, digest = subject.rpartition(":")
        if not path or not reason.strip():
            raise UsageError(f"{text!r} accepts no text", hint=_ACCEPTANCE_HINT)
        try:
            return cls(path=path, sha256=Sha256(digest.strip().lower()), reason=reason.strip())
        except MalformedDigest as error:
            raise UsageError(f"{digest!r} is not a SHA-256 digest", hint=_ACCEPTANCE_HINT) from error

    def __str__(self) -> str:
        return f"{self.path}:{self.sha256}={self.reason}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Shape:
    """What the wheels of one maker contain: those on the index, or those of this factory."""

    platforms: tuple[ReviewedPlatform, ...] = ()
    generators: tuple[KnownGenerator, ...] = ()
    metadata: tuple[KnownMetadata, ...] = ()
    texts: tuple[KnownText, ...] = ()
    left_out: tuple[KnownLeftOut, ...] = ()
    placements: tuple[KnownPlacement, ...] = ()
    has_sbom: bool = False

    def has_text(self, path: str) -> bool:
        """Whether wheels of some release have a text at a path."""
        return any(text.path == path for text in self.texts)

    def texts_for(self, tag: CodexTag, family: OperatingSystem) -> tuple[KnownText, ...]:
        """Return the texts that a release's wheels may contain.

        A text belongs to the releases of its range, and to later ones until another text was
        reviewed at its path: so the newest reviewed text goes on.
        """
        texts = [text for text in self.texts if text.family is family]
        paths = dict.fromkeys(text.path for text in texts)
        return tuple(
            text for path in paths for text in in_force([text for text in texts if text.path == path], tag)
        )

    def metadata_for(self, tag: CodexTag) -> tuple[KnownMetadata, ...]:
        """Return the METADATA files that a release's wheels may have."""
        return in_force(self.metadata, tag)

    def generators_for(self, tag: CodexTag) -> tuple[KnownGenerator, ...]:
        """Return the generators that may have built a release's wheels."""
        return in_force(self.generators, tag)

    def may_lack(self, path: PurePosixPath, platform: Platform, tag: CodexTag) -> bool:
        """Whether a release's wheels for a platform may lack a payload file."""
        reviewed = [one for one in self.platforms if one.platform == platform.tag]
        return any(
            LeaveOutRule(pattern=entry.pattern, reason="").is_for(path)
            for entry in self.left_out
            if entry.platform == platform.tag and _reaches(entry, tag, reviewed)
        )

    def place(self, path: PurePosixPath, platform: Platform, tag: CodexTag) -> PurePosixPath:
        """Return where a payload file goes in the wheel's package."""
        family = platform.target.operating_system
        reviewed = [one for one in self.platforms if operating_system_of(one.platform) is family]
        for entry in self.placements:
            if entry.family is family and _reaches(entry, tag, reviewed):
                moved = MoveRule(source=entry.source, becomes=entry.becomes).move(path)
                if moved is not None:
                    return moved
        return path


@dataclass(frozen=True, slots=True, kw_only=True)
class Baseline:
    """Everything that was reviewed.

    Attributes:
        published: The wheels on the index.
        own: The wheels of this factory.
        accepted: What the user accepts for this run.
    """

    published: Shape = Shape()
    own: Shape = Shape()
    accepted: tuple[AcceptedText, ...] = ()

    @property
    def shapes(self) -> tuple[Shape, ...]:
        """Both shapes; a wheel must have one of them, not a mixture."""
        return self.published, self.own

    def accepting(self, accepted: Sequence[AcceptedText]) -> "Baseline":
        """Return the baseline for one run with accepted texts."""
        return replace(self, accepted=(*self.accepted, *accepted))

    def acceptance(self, path: str, name: str, sha256: Sha256 | None) -> AcceptedText | None:
        """Return the acceptance of a text, if there is one."""
        return next((one for one in self.accepted if one.path in {path, name} and one.sha256 == sha256), None)


def in_force(entries: Sequence[EntryT], tag: CodexTag) -> tuple[EntryT, ...]:
    """Return the entries that hold for a release, among entries that replace each other.

    A pre-release may have what its final release has, or what the release before it had.
    """
    final = replace(tag, pre=None)
    return tuple(entry for entry in entries if _holds(entry, entries, tag) or _holds(entry, entries, final))


def _holds(entry: Entry, rivals: Iterable[Entry], tag: CodexTag) -> bool:
    if position(tag) < position(entry.first):
        return False
    end = entry.last
    if end is None or position(tag) <= position(end):
        return True
    return not any(
        position(rival.first) <= position(tag)
        and (rival.last is None or position(rival.last) > position(end))
        for rival in rivals
    )


def _reaches(entry: Entry, tag: CodexTag, reviewed: Iterable[ReviewedPlatform]) -> bool:
    """Whether an entry without rivals holds: in its range, and later if the newest review still saw it."""
    final = replace(tag, pre=None)
    if position(final) < position(entry.first):
        return False
    end = entry.last
    if end is None or position(tag) <= position(end):
        return True
    return all(one.last is not None and position(one.last) <= position(end) for one in reviewed)


@cache
def position(tag: CodexTag) -> Version:
    """Return a release's place in the order of releases (PEP 440); there are some hundred releases."""
    return Version(tag.pep440)
