"""Checks of a wheel that the factory built: it is the one that was asked for, with the channel's bytes."""

from collections.abc import Iterator

from factory.core.model import Severity
from factory.verify.checks.check import Checks, Fault
from factory.verify.reading.contents import WheelContents

_STANDARD = "factory.core.model.Payload: the digests of the release package's files"


check = Checks[WheelContents](standard=_STANDARD)


@check(
    "payload-tag",
    Severity.ERROR,
    title="The wheel is of the release that was built",
    protects="Users: a pin that gives other executables.",
    remedy="Build again from an empty output directory.",
)
def _find_other_tag(wheel: WheelContents) -> Iterator[Fault]:
    if wheel.expected is None or wheel.parsed is None:
        return
    wanted = wheel.expected.tag.pep440
    if wheel.parsed.version_text != wanted:
        evidence = f"its version is {wheel.parsed.version_text}, {wheel.expected.tag} is {wanted}"
        yield Fault(wheel.name, evidence)


@check(
    "payload-platform",
    Severity.ERROR,
    title="The wheel is for the platform that was built",
    protects="Users: executables that do not start there.",
    remedy="Build again from an empty output directory.",
)
def _find_other_platform(wheel: WheelContents) -> Iterator[Fault]:
    if wheel.expected is None or wheel.parsed is None:
        return
    wanted = wheel.expected.platform.tag
    if wheel.platforms != (wanted,):
        yield Fault(wheel.name, f"its platform is {'.'.join(wheel.platforms)}, {wanted} was built")


@check(
    "payload-missing",
    Severity.ERROR,
    title="Every payload file that the recipe takes is in the wheel",
    protects="Users: a tool that Codex calls is not there.",
    remedy="Build again; report it if it stays.",
)
def _find_missing(wheel: WheelContents) -> Iterator[Fault]:
    for name in wheel.expected.payload if wheel.expected else ():
        if wheel.member(name) is None:
            yield Fault(name, "the payload has it, the wheel has not")


@check(
    "payload-bytes",
    Severity.ERROR,
    title="Payload files have the channel's bytes",
    protects="Users: executables that are not the official ones.",
    remedy="Do not use the wheel; clear the store with 'factory cache' and build again.",
)
def _find_other_bytes(wheel: WheelContents) -> Iterator[Fault]:
    for name, sha256 in wheel.expected.payload.items() if wheel.expected else ():
        member = wheel.member(name)
        if member is not None and member.sha256 not in {None, sha256}:
            evidence = f"its SHA-256 is {member.sha256}, the release package's file has {sha256}"
            yield Fault(name, evidence)


@check(
    "payload-foreign",
    Severity.ERROR,
    title="There is no executable that the payload does not have",
    protects="Users: an executable that nobody released.",
    remedy="Do not use the wheel; find out where the file came from.",
)
def _find_foreign_executables(wheel: WheelContents) -> Iterator[Fault]:
    if wheel.expected is None:
        return
    for member in wheel.members:
        if member.kind.is_executable_image and member.name not in wheel.expected.payload:
            yield Fault(member.name, f"{member.kind.value} that the payload does not have")


CHECKS = check.registered()
