"""Checks of METADATA: it is valid, it is this wheel's, and it says under which terms it may be used."""

from collections.abc import Iterator

from packaging.metadata import Metadata, RawMetadata, parse_email
from packaging.utils import canonicalize_name
from packaging.version import InvalidVersion, Version

from factory.core.model import Severity
from factory.verify.checks.check import Checks, Fault
from factory.verify.checks.dist_info_files import (
    dist_info_directories,
    dist_info_member,
    dist_info_place,
    member_text,
)
from factory.verify.reading.contents import WheelContents

_STANDARD = "packaging.python.org: core metadata specifications"
_LICENCES = "PEP 639"


check = Checks[WheelContents](standard=_STANDARD)


def _raw(wheel: WheelContents) -> RawMetadata | None:
    """Return METADATA's fields, unchecked; None when there is none to read."""
    member = dist_info_member(wheel, "METADATA")
    text = member_text(member) if member is not None else None
    return None if text is None else parse_email(text)[0]


@check(
    "metadata-present",
    Severity.ERROR,
    title="There is a METADATA",
    protects="Users: installers refuse the wheel.",
    remedy="Build the wheel again.",
)
def _find_missing(wheel: WheelContents) -> Iterator[Fault]:
    if len(dist_info_directories(wheel)) != 1:
        return
    member = dist_info_member(wheel, "METADATA")
    if member is None:
        yield Fault(wheel.name, "there is no METADATA")
    elif member.sha256 is not None and member_text(member) is None:
        yield Fault(member.name, "it is no UTF-8 text, or over 1 MiB")


@check(
    "metadata-valid",
    Severity.ERROR,
    title="METADATA is valid",
    protects="Users: indexes and installers refuse it, or read something else.",
    remedy="Correct the project's metadata and build the wheel again.",
)
def _find_invalid(wheel: WheelContents) -> Iterator[Fault]:
    member = dist_info_member(wheel, "METADATA")
    text = member_text(member) if member is not None else None
    if member is None or text is None:
        return
    raw, unparsed = parse_email(text)
    for field, values in unparsed.items():
        yield Fault(member.name, f"{field}: {str(values[0])[:60]!r} cannot be taken as that field")
    try:
        Metadata.from_raw(raw)
    except ExceptionGroup as group:
        for error in group.exceptions:
            yield Fault(member.name, str(error))


@check(
    "metadata-name",
    Severity.ERROR,
    title="METADATA and file name have the same name",
    protects="Users: pip refuses the wheel.",
    remedy="Build the wheel again; do not rename wheels.",
)
def _find_other_name(wheel: WheelContents) -> Iterator[Fault]:
    raw = _raw(wheel)
    if raw is None or wheel.parsed is None or "name" not in raw:
        return
    if canonicalize_name(raw["name"]) != canonicalize_name(wheel.parsed.distribution):
        yield Fault(
            dist_info_place(wheel, "METADATA"),
            f"Name is {raw['name']}, the file name says {wheel.parsed.distribution}",
        )


@check(
    "metadata-version",
    Severity.ERROR,
    title="METADATA and file name have the same version",
    protects="Users: a pin that is satisfied by other executables.",
    remedy="Build the wheel again; do not rename wheels.",
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
        yield Fault(dist_info_place(wheel, "METADATA"), evidence)


@check(
    "metadata-requires-python",
    Severity.WARNING,
    title="Requires-Python is given",
    protects="Users of old Pythons: an import that fails instead of an installation that explains.",
    remedy="Set requires-python in the project's metadata.",
)
def _find_no_python(wheel: WheelContents) -> Iterator[Fault]:
    raw = _raw(wheel)
    if raw is not None and not raw.get("requires_python"):
        yield Fault(dist_info_place(wheel, "METADATA"), "there is no Requires-Python")


@check(
    "metadata-requirement",
    Severity.WARNING,
    title="It requires no other distribution",
    protects="Users: executables need no Python package; somebody else's code would be installed.",
    remedy="Remove the dependency from the project's metadata.",
)
def _find_requirements(wheel: WheelContents) -> Iterator[Fault]:
    raw = _raw(wheel)
    for requirement in raw.get("requires_dist", []) if raw is not None else []:
        yield Fault(dist_info_place(wheel, "METADATA"), f"Requires-Dist: {requirement}")


@check(
    "metadata-licence",
    Severity.NOTE,
    title="The licence is an SPDX expression",
    protects="Those who must know the licences of what they ship, by tool.",
    standard=_LICENCES,
    remedy="Set license to an SPDX expression in the project's metadata.",
)
def _find_no_licence(wheel: WheelContents) -> Iterator[Fault]:
    raw = _raw(wheel)
    if raw is None or raw.get("license_expression"):
        return
    licence = raw.get("license")
    if licence:
        first = licence.splitlines()[0][:40]
        yield Fault(
            dist_info_place(wheel, "METADATA"), f"License: {first} is free text and no licence expression"
        )
    else:
        yield Fault(dist_info_place(wheel, "METADATA"), "it names no licence")


@check(
    "metadata-licence-text",
    Severity.WARNING,
    title="Licence texts come with the executables",
    protects="Whoever passes the wheel on: Apache-2.0 and the bundled tools' licences ask for it.",
    standard=f"{_LICENCES}; Apache-2.0, section 4",
    remedy="Add the licence files and notices to license-files.",
)
def _find_no_licence_files(wheel: WheelContents) -> Iterator[Fault]:
    raw = _raw(wheel)
    if raw is not None and not raw.get("license_files"):
        yield Fault(
            dist_info_place(wheel, "METADATA"), "there is no License-File: METADATA names no licence text"
        )


@check(
    "metadata-licence-file",
    Severity.ERROR,
    title="Every License-File is in the wheel",
    protects="Whoever passes the wheel on: the text that is promised is not there.",
    standard=_LICENCES,
    remedy="Build the wheel with the files that license-files names.",
)
def _find_absent_licence_files(wheel: WheelContents) -> Iterator[Fault]:
    raw = _raw(wheel)
    for file in raw.get("license_files", []) if raw is not None else []:
        if dist_info_member(wheel, f"licenses/{file}") is None and dist_info_member(wheel, file) is None:
            yield Fault(dist_info_place(wheel, "METADATA"), f"License-File: {file} is not in .dist-info")


@check(
    "metadata-description",
    Severity.WARNING,
    title="There is a description of a stated type",
    protects="Readers of the project's page.",
    remedy="Set readme in the project's metadata.",
)
def _find_poor_description(wheel: WheelContents) -> Iterator[Fault]:
    raw = _raw(wheel)
    if raw is None:
        return
    if not raw.get("description", "").strip():
        yield Fault(dist_info_place(wheel, "METADATA"), "there is no description")
    elif not raw.get("description_content_type"):
        evidence = "there is no Description-Content-Type, so an index reads it as reStructuredText"
        yield Fault(dist_info_place(wheel, "METADATA"), evidence)


CHECKS = check.registered()
