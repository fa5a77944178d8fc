"""Checks of the bills of materials in ``.dist-info/sboms`` (PEP 770): they describe the wheel correctly.

A wheel may be without one. Formats other than CycloneDX are not checked.
"""

from collections.abc import Iterator

from packaging.utils import canonicalize_name

from factory.core.json_reader import JsonObject, MalformedJson
from factory.core.model import Severity
from factory.verify.checks.check import Checks, Fault
from factory.verify.checks.dist_info_files import dist_info_place
from factory.verify.reading.contents import Member, ParsedName, WheelContents

check = Checks[WheelContents](standard="PEP 770; CycloneDX 1.6, https://cyclonedx.org/docs/1.6/json/")


def _documents(wheel: WheelContents) -> Iterator[tuple[Member, JsonObject | MalformedJson]]:
    """Read each CycloneDX document of the wheel; yield the error for one that cannot be read."""
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
        raise MalformedJson(member.name, f"bomFormat is {document.text('bomFormat')!r}")
    for component in document.objects_or_none("components"):
        _places(component), _digests(component)  # raise for what the other checks would read
    return document


def _places(component: JsonObject) -> tuple[str, ...]:
    """Return the members that a component describes: ``evidence.occurrences[].location``."""
    if "evidence" not in component.members:
        return ()
    occurrences = component.child("evidence").objects_or_none("occurrences")
    return tuple(occurrence.text("location") for occurrence in occurrences)


def _digests(component: JsonObject) -> frozenset[str]:
    hashes = component.objects_or_none("hashes")
    return frozenset(digest.text("content") for digest in hashes if digest.text("alg") == "SHA-256")


def _listed(wheel: WheelContents) -> Iterator[tuple[str, frozenset[str]]]:
    """Yield each member name that a readable document lists, with the SHA-256 digests listed for it."""
    for _, document in _documents(wheel):
        if isinstance(document, JsonObject):
            for component in document.objects_or_none("components"):
                for place in _places(component):
                    yield place, _digests(component)


@check(
    "sbom-readable",
    Severity.ERROR,
    title="Every bill of materials can be read",
    protects="Auditors: a scanner that cannot read it reports no problem.",
    remedy="Build the wheel again; the document is made from the payload.",
)
def _find_unreadable(wheel: WheelContents) -> Iterator[Fault]:
    for member, document in _documents(wheel):
        if isinstance(document, MalformedJson):
            yield Fault(member.name, str(document))


@check(
    "sbom-content",
    Severity.ERROR,
    title="A bill of materials lists files of the wheel with their digests",
    protects="Auditors: the executable or the document was replaced after the other was made.",
    remedy="Do not use the wheel until you know which of the two is right.",
)
def _find_other_content(wheel: WheelContents) -> Iterator[Fault]:
    for holder, document in _documents(wheel):
        if isinstance(document, JsonObject) and wheel.parsed is not None:
            yield from _other_wheel(holder, document, wheel.parsed)
    for place, digests in _listed(wheel):
        member = wheel.member(place)
        if member is None:
            yield Fault(place, "the bill of materials lists it, but the wheel does not contain it")
        elif digests and member.sha256 is not None and member.sha256.hex not in digests:
            shown = ", ".join(sorted(digests))
            yield Fault(place, f"SHA-256 is {member.sha256.hex}; the bill of materials lists {shown}")


def _other_wheel(member: Member, document: JsonObject, wheel: ParsedName) -> Iterator[Fault]:
    """Find a document about this project in another version; a document may be about a part of the wheel."""
    metadata = document.child_or_none("metadata")
    subject = metadata.child_or_none("component") if metadata else None
    name = subject.text_or_none("name") if subject else None
    if subject is None or name is None or canonicalize_name(name) != canonicalize_name(wheel.distribution):
        return
    version = subject.text_or_none("version")
    if version is not None and version != str(wheel.version):
        yield Fault(member.name, f"it describes version {version}; the wheel has {wheel.version}")


@check(
    "sbom-complete",
    Severity.ERROR,
    title="A bill of materials that lists files of the wheel lists every executable",
    protects="Auditors: scanners do not learn of the executable.",
    remedy="Find out where the executable came from, or build the wheel again.",
)
def _find_unlisted(wheel: WheelContents) -> Iterator[Fault]:
    listed = {place for place, _ in _listed(wheel)}
    for member in wheel.members if listed else ():
        if member.kind.is_executable_image and member.name not in listed:
            yield Fault(member.name, f"{member.kind.value} file that the bill of materials does not list")


CHECKS = check.registered()
