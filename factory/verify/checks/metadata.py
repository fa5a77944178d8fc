"""Checks of METADATA: it is valid, it is this wheel's, and it says under which terms it may be used."""

from collections.abc import Iterator

from packaging.metadata import Metadata, RawMetadata, parse_email
from packaging.utils import canonicalize_name
from packaging.version import InvalidVersion, Version

from factory.core.model import Severity
from factory.verify.checks.check import Check, Fault
from factory.verify.checks.dist_info_files import (
    dist_info_directories,
    dist_info_member,
    dist_info_place,
    member_text,
)
from factory.verify.reading.contents import WheelContents

_STANDARD = "packaging.python.org: core metadata specifications"
_LICENCES = "PEP 639"


def _raw(wheel: WheelContents) -> RawMetadata | None:
    """Return METADATA's fields, unchecked; None when there is none to read."""
    member = dist_info_member(wheel, "METADATA")
    text = member_text(member) if member is not None else None
    return None if text is None else parse_email(text)[0]


def _find_missing(wheel: WheelContents) -> Iterator[Fault]:
    if len(dist_info_directories(wheel)) != 1:
        return
    member = dist_info_member(wheel, "METADATA")
    if member is None:
        yield Fault(place=wheel.name, evidence="there is no METADATA")
    elif member.sha256 is not None and member_text(member) is None:
        yield Fault(place=member.name, evidence="it is no UTF-8 text, or over 1 MiB")


def _find_invalid(wheel: WheelContents) -> Iterator[Fault]:
    member = dist_info_member(wheel, "METADATA")
    text = member_text(member) if member is not None else None
    if member is None or text is None:
        return
    raw, unparsed = parse_email(text)
    for field, values in unparsed.items():
        yield Fault(
            place=member.name, evidence=f"{field}: {str(values[0])[:60]!r} cannot be taken as that field"
        )
    try:
        Metadata.from_raw(raw)
    except ExceptionGroup as group:
        for error in group.exceptions:
            yield Fault(place=member.name, evidence=str(error))


def _find_other_name(wheel: WheelContents) -> Iterator[Fault]:
    raw = _raw(wheel)
    if raw is None or wheel.parsed is None or "name" not in raw:
        return
    if canonicalize_name(raw["name"]) != canonicalize_name(wheel.parsed.distribution):
        yield Fault(
            place=dist_info_place(wheel, "METADATA"),
            evidence=f"Name is {raw['name']}, the file name says {wheel.parsed.distribution}",
        )


def _find_other_version(wheel: WheelContents) -> Iterator[Fault]:
    raw = _raw(wheel)
    if raw is None or wheel.parsed is None or "version" not in raw:
        return
    try:
        version = Version(raw["version"])
    except (InvalidVersion, ValueError):
        return  # metadata-valid says so
    if version != wheel.parsed.version:
        evidence = f"Version is {version}, the file name says {wheel.parsed.version}"
        yield Fault(place=dist_info_place(wheel, "METADATA"), evidence=evidence)


def _find_no_python(wheel: WheelContents) -> Iterator[Fault]:
    raw = _raw(wheel)
    if raw is not None and not raw.get("requires_python"):
        yield Fault(place=dist_info_place(wheel, "METADATA"), evidence="there is no Requires-Python")


def _find_requirements(wheel: WheelContents) -> Iterator[Fault]:
    raw = _raw(wheel)
    for requirement in raw.get("requires_dist", []) if raw is not None else []:
        yield Fault(place=dist_info_place(wheel, "METADATA"), evidence=f"Requires-Dist: {requirement}")


def _find_no_licence(wheel: WheelContents) -> Iterator[Fault]:
    raw = _raw(wheel)
    if raw is None or raw.get("license_expression"):
        return
    licence = raw.get("license")
    if licence:
        first = licence.splitlines()[0][:40]
        yield Fault(
            place=dist_info_place(wheel, "METADATA"),
            evidence=f"License: {first} is free text and no licence expression",
        )
    else:
        yield Fault(place=dist_info_place(wheel, "METADATA"), evidence="it names no licence")


def _find_no_licence_files(wheel: WheelContents) -> Iterator[Fault]:
    raw = _raw(wheel)
    if raw is not None and not raw.get("license_files"):
        yield Fault(
            place=dist_info_place(wheel, "METADATA"),
            evidence="there is no License-File: METADATA names no licence text",
        )


def _find_absent_licence_files(wheel: WheelContents) -> Iterator[Fault]:
    raw = _raw(wheel)
    for file in raw.get("license_files", []) if raw is not None else []:
        if dist_info_member(wheel, f"licenses/{file}") is None and dist_info_member(wheel, file) is None:
            yield Fault(
                place=dist_info_place(wheel, "METADATA"),
                evidence=f"License-File: {file} is not in .dist-info",
            )


def _find_poor_description(wheel: WheelContents) -> Iterator[Fault]:
    raw = _raw(wheel)
    if raw is None:
        return
    if not raw.get("description", "").strip():
        yield Fault(place=dist_info_place(wheel, "METADATA"), evidence="there is no description")
    elif not raw.get("description_content_type"):
        evidence = "there is no Description-Content-Type, so an index reads it as reStructuredText"
        yield Fault(place=dist_info_place(wheel, "METADATA"), evidence=evidence)


CHECKS: tuple[Check[WheelContents], ...] = (
    Check(
        id="metadata-present",
        title="There is a METADATA",
        severity=Severity.ERROR,
        protects="Users: installers refuse the wheel.",
        standard=_STANDARD,
        remedy="Build the wheel again.",
        find=_find_missing,
    ),
    Check(
        id="metadata-valid",
        title="METADATA is valid",
        severity=Severity.ERROR,
        protects="Users: indexes and installers refuse it, or read something else.",
        standard=_STANDARD,
        remedy="Correct the project's metadata and build the wheel again.",
        find=_find_invalid,
    ),
    Check(
        id="metadata-name",
        title="METADATA and file name have the same name",
        severity=Severity.ERROR,
        protects="Users: pip refuses the wheel.",
        standard=_STANDARD,
        remedy="Build the wheel again; do not rename wheels.",
        find=_find_other_name,
    ),
    Check(
        id="metadata-version",
        title="METADATA and file name have the same version",
        severity=Severity.ERROR,
        protects="Users: a pin that is satisfied by other executables.",
        standard=_STANDARD,
        remedy="Build the wheel again; do not rename wheels.",
        find=_find_other_version,
    ),
    Check(
        id="metadata-requires-python",
        title="Requires-Python is given",
        severity=Severity.WARNING,
        protects="Users of old Pythons: an import that fails instead of an installation that explains.",
        standard=_STANDARD,
        remedy="Set requires-python in the project's metadata.",
        find=_find_no_python,
    ),
    Check(
        id="metadata-requirement",
        title="It requires no other distribution",
        severity=Severity.WARNING,
        protects="Users: executables need no Python package; somebody else's code would be installed.",
        standard=_STANDARD,
        remedy="Remove the dependency from the project's metadata.",
        find=_find_requirements,
    ),
    Check(
        id="metadata-licence",
        title="The licence is an SPDX expression",
        severity=Severity.NOTE,
        protects="Those who must know the licences of what they ship, by tool.",
        standard=_LICENCES,
        remedy="Set license to an SPDX expression in the project's metadata.",
        find=_find_no_licence,
    ),
    Check(
        id="metadata-licence-text",
        title="Licence texts come with the executables",
        severity=Severity.WARNING,
        protects="Whoever passes the wheel on: Apache-2.0 and the bundled tools' licences ask for it.",
        standard=f"{_LICENCES}; Apache-2.0, section 4",
        remedy="Add the licence files and notices to license-files.",
        find=_find_no_licence_files,
    ),
    Check(
        id="metadata-licence-file",
        title="Every License-File is in the wheel",
        severity=Severity.ERROR,
        protects="Whoever passes the wheel on: the text that is promised is not there.",
        standard=_LICENCES,
        remedy="Build the wheel with the files that license-files names.",
        find=_find_absent_licence_files,
    ),
    Check(
        id="metadata-description",
        title="There is a description of a stated type",
        severity=Severity.WARNING,
        protects="Readers of the project's page.",
        standard=_STANDARD,
        remedy="Set readme in the project's metadata.",
        find=_find_poor_description,
    ),
)
