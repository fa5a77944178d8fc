"""Checks of a wheel that the factory built: release, platform and payload are those of the build."""

from collections.abc import Iterator

from factory.core.model import Severity
from factory.verify.checks.check import Checks, Fault
from factory.verify.reading.contents import WheelContents

check = Checks[WheelContents](
    standard="factory.core.model.Payload: the digests of the release package's files"
)


@check(
    "payload-tag",
    Severity.ERROR,
    title="The wheel has the version of the release that was built",
    protects="Users: a pin would install other executables.",
    remedy="Build again into an empty output directory.",
)
def _find_other_tag(wheel: WheelContents) -> Iterator[Fault]:
    if wheel.expected is None or wheel.parsed is None:
        return
    wanted = wheel.expected.tag.pep440
    if wheel.parsed.version_text != wanted:
        evidence = f"the version is {wheel.parsed.version_text}; for {wheel.expected.tag} it is {wanted}"
        yield Fault(wheel.name, evidence)


@check(
    "payload-platform",
    Severity.ERROR,
    title="The wheel has the platform that was built",
    protects="Users: the executables do not start on their platform.",
    remedy="Build again into an empty output directory.",
)
def _find_other_platform(wheel: WheelContents) -> Iterator[Fault]:
    if wheel.expected is None or wheel.parsed is None:
        return
    wanted = wheel.expected.platform.tag
    if wheel.platforms != (wanted,):
        yield Fault(wheel.name, f"the platform is {'.'.join(wheel.platforms)}; the build was for {wanted}")


@check(
    "payload-missing",
    Severity.ERROR,
    title="Every payload file that the recipe includes is in the wheel",
    protects="Users: a tool that Codex calls is missing.",
    remedy="Build again; if the file is still missing, report it as a bug in the factory.",
)
def _find_missing(wheel: WheelContents) -> Iterator[Fault]:
    for name in wheel.expected.payload if wheel.expected else ():
        if wheel.member(name) is None:
            yield Fault(name, "the payload has it, but the wheel does not")


@check(
    "payload-bytes",
    Severity.ERROR,
    title="Payload files have the bytes that the channel serves",
    protects="Users: the executables are not the official ones.",
    remedy="Do not use the wheel; run 'factory cache clear' and build again.",
)
def _find_other_bytes(wheel: WheelContents) -> Iterator[Fault]:
    for name, sha256 in wheel.expected.payload.items() if wheel.expected else ():
        member = wheel.member(name)
        if member is not None and member.sha256 not in {None, sha256}:
            yield Fault(name, f"SHA-256 is {member.sha256}; in the release package it is {sha256}")


@check(
    "payload-foreign",
    Severity.ERROR,
    title="Every executable of the wheel is in the payload",
    protects="Users: the executable belongs to no release.",
    remedy="Do not use the wheel; find out where the file came from.",
)
def _find_foreign_executables(wheel: WheelContents) -> Iterator[Fault]:
    if wheel.expected is None:
        return
    for member in wheel.members:
        if member.kind.is_executable_image and member.name not in wheel.expected.payload:
            yield Fault(member.name, f"{member.kind.value} file that is not in the payload")


CHECKS = check.registered()
