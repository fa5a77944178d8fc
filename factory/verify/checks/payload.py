"""Checks of a wheel that the factory built: it is the one that was asked for, with the channel's bytes."""

from collections.abc import Iterator

from factory.core.model import Severity
from factory.verify.checks.check import Check, Fault
from factory.verify.reading.contents import WheelContents

_STANDARD = "factory.core.model.Payload: the digests of the release package's files"


def _find_other_tag(wheel: WheelContents) -> Iterator[Fault]:
    if wheel.expected is None or wheel.parsed is None:
        return
    wanted = wheel.expected.tag.pep440
    if wheel.parsed.version_text != wanted:
        evidence = f"its version is {wheel.parsed.version_text}, {wheel.expected.tag} is {wanted}"
        yield Fault(place=wheel.name, evidence=evidence)


def _find_other_platform(wheel: WheelContents) -> Iterator[Fault]:
    if wheel.expected is None or wheel.parsed is None:
        return
    wanted = wheel.expected.platform.tag
    if wheel.platforms != (wanted,):
        evidence = f"its platform is {'.'.join(wheel.platforms)}, {wanted} was built"
        yield Fault(place=wheel.name, evidence=evidence)


def _find_missing(wheel: WheelContents) -> Iterator[Fault]:
    for file in wheel.expected.payload if wheel.expected else ():
        if wheel.member(file.name) is None:
            yield Fault(place=file.name, evidence="the payload has it, the wheel has not")


def _find_other_bytes(wheel: WheelContents) -> Iterator[Fault]:
    for file in wheel.expected.payload if wheel.expected else ():
        member = wheel.member(file.name)
        if member is not None and member.sha256 not in {None, file.sha256}:
            evidence = f"its SHA-256 is {member.sha256}, the release package's file has {file.sha256}"
            yield Fault(place=file.name, evidence=evidence)


def _find_foreign_executables(wheel: WheelContents) -> Iterator[Fault]:
    if wheel.expected is None:
        return
    known = {file.name for file in wheel.expected.payload}
    for member in wheel.members:
        if member.kind.is_executable_image and member.name not in known:
            yield Fault(place=member.name, evidence=f"{member.kind.value} that the payload does not have")


CHECKS: tuple[Check[WheelContents], ...] = (
    Check(
        id="payload-tag",
        title="The wheel is of the release that was built",
        severity=Severity.ERROR,
        protects="Users: a pin that gives other executables.",
        standard=_STANDARD,
        remedy="Build again from an empty output directory.",
        find=_find_other_tag,
    ),
    Check(
        id="payload-platform",
        title="The wheel is for the platform that was built",
        severity=Severity.ERROR,
        protects="Users: executables that do not start there.",
        standard=_STANDARD,
        remedy="Build again from an empty output directory.",
        find=_find_other_platform,
    ),
    Check(
        id="payload-missing",
        title="Every payload file that the recipe takes is in the wheel",
        severity=Severity.ERROR,
        protects="Users: a tool that Codex calls is not there.",
        standard=_STANDARD,
        remedy="Build again; report it if it stays.",
        find=_find_missing,
    ),
    Check(
        id="payload-bytes",
        title="Payload files have the channel's bytes",
        severity=Severity.ERROR,
        protects="Users: executables that are not the official ones.",
        standard=_STANDARD,
        remedy="Do not use the wheel; clear the store with 'factory cache' and build again.",
        find=_find_other_bytes,
    ),
    Check(
        id="payload-foreign",
        title="There is no executable that the payload does not have",
        severity=Severity.ERROR,
        protects="Users: an executable that nobody released.",
        standard=_STANDARD,
        remedy="Do not use the wheel; find out where the file came from.",
        find=_find_foreign_executables,
    ),
)
