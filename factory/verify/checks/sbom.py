"""Checks of the bills of materials in ``.dist-info/sboms`` (PEP 770): what they say is what the wheel has.

A wheel without one is no worse for it, and other formats than CycloneDX are left alone.
"""

from collections.abc import Iterator

from factory.core.json_reader import JsonObject, MalformedJson
from factory.core.model import Severity
from factory.verify.checks.check import Checks, Fault
from factory.verify.checks.dist_info_files import dist_info_place
from factory.verify.reading.contents import Member, WheelContents

_STANDARD = "PEP 770; CycloneDX 1.6, https://cyclonedx.org/docs/1.6/json/"


check = Checks[WheelContents](standard=_STANDARD)


def _documents(wheel: WheelContents) -> Iterator[tuple[Member, JsonObject | MalformedJson]]:
    """Read each CycloneDX document of the wheel, or say why it cannot be read."""
    folder = dist_info_place(wheel, "sboms/")
    for member in wheel.members:
        if member.name.startswith(folder) and member.name.endswith(".cdx.json"):
            try:
                yield member, _parse(member)
            except MalformedJson as error:
                yield member, error


def _parse(member: Member) -> JsonObject:
    if member.data is None:
        raise MalformedJson(member.name, "too large, or damaged")
    document = JsonObject.parse(member.data, where=member.name)
    if document.text("bomFormat") != "CycloneDX":
        raise MalformedJson(member.name, f"its bomFormat is {document.text('bomFormat')!r}")
    for component in document.objects_or_none("components"):
        _places(component), _digests(component)
    return document


def _places(component: JsonObject) -> tuple[str, ...]:
    """Return the members that a component says it is: ``evidence.occurrences[].location``."""
    if "evidence" not in component.members:
        return ()
    occurrences = component.child("evidence").objects_or_none("occurrences")
    return tuple(occurrence.text("location") for occurrence in occurrences)


def _digests(component: JsonObject) -> frozenset[str]:
    hashes = component.objects_or_none("hashes")
    return frozenset(digest.text("content") for digest in hashes if digest.text("alg") == "SHA-256")


def _readable(wheel: WheelContents) -> Iterator[JsonObject]:
    return (document for _, document in _documents(wheel) if isinstance(document, JsonObject))


@check(
    "sbom-readable",
    Severity.ERROR,
    title="A bill of materials can be read",
    protects="Auditors: a scanner that cannot read it has nothing to report, which looks well.",
    remedy="Build the wheel again; the document is made from the payload.",
)
def _find_unreadable(wheel: WheelContents) -> Iterator[Fault]:
    for member, document in _documents(wheel):
        if isinstance(document, MalformedJson):
            yield Fault(member.name, str(document))


@check(
    "sbom-content",
    Severity.ERROR,
    title="A bill of materials lists the wheel's own files by their digests",
    protects="Auditors: an executable was replaced after the document was made, or the other way round.",
    remedy="Do not use the wheel until it is known which of the two is right.",
)
def _find_other_content(wheel: WheelContents) -> Iterator[Fault]:
    for document in _readable(wheel):
        for component in document.objects_or_none("components"):
            for place in _places(component):
                yield from _compare(wheel, place, _digests(component))


def _compare(wheel: WheelContents, place: str, digests: frozenset[str]) -> Iterator[Fault]:
    member = wheel.member(place)
    if member is None:
        yield Fault(place, "the bill of materials lists it, the wheel has it not")
    elif digests and member.sha256 is not None and member.sha256.hex not in digests:
        listed = ", ".join(sorted(digests))
        yield Fault(place, f"its SHA-256 is {member.sha256.hex}, listed is {listed}")


@check(
    "sbom-complete",
    Severity.ERROR,
    title="A bill of materials that names the wheel's files names every executable",
    protects="Auditors: an executable that no scanner is told of.",
    remedy="Find out where the executable came from, or build the wheel again.",
)
def _find_unlisted(wheel: WheelContents) -> Iterator[Fault]:
    documents = tuple(_readable(wheel))
    listed = {
        place
        for document in documents
        for component in document.objects_or_none("components")
        for place in _places(component)
    }
    for member in wheel.members if listed else ():
        if member.kind.is_executable_image and member.name not in listed:
            yield Fault(member.name, f"{member.kind.value} that the bill of materials lacks")


CHECKS = check.registered()
