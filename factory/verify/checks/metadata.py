"""Checks of METADATA: it is valid, it belongs to this wheel, and it states the licence."""

from collections.abc import Iterator

from packaging.metadata import Metadata, RawMetadata
from packaging.utils import canonicalize_name
from packaging.version import InvalidVersion, Version

from factory.core.model import Severity
from factory.verify.checks.check import Checks, Fault
from factory.verify.checks.dist_info_files import (
    dist_info_member,
    dist_info_place,
    dist_info_text,
    find_missing_text,
    find_unclear_fields,
    raw_metadata,
    why_not_judged,
)
from factory.verify.reading.contents import WheelContents

_LICENCES = "PEP 639"
_SHOWN_CHARACTERS = 60

check = Checks[WheelContents](standard="packaging.python.org: core metadata specifications")
check_for_project = Checks[WheelContents](
    standard="packaging.python.org: core metadata specifications", is_for_project=True
)


def _raw(wheel: WheelContents) -> RawMetadata:
    """Return the fields of METADATA, not validated; no fields if METADATA cannot be read."""
    found = raw_metadata(wheel)
    return {} if found is None else found[0]


def _is_readable(wheel: WheelContents) -> bool:
    return raw_metadata(wheel) is not None


def _fault(wheel: WheelContents, evidence: str) -> Fault:
    return Fault(dist_info_place(wheel, "METADATA"), evidence)


@check(
    "metadata-present",
    Severity.ERROR,
    title="There is a METADATA file",
    protects="Users: installers refuse the wheel.",
    remedy="Build the wheel again.",
)
def _find_missing(wheel: WheelContents) -> Iterator[Fault]:
    return find_missing_text(wheel, "METADATA")


@check(
    "metadata-valid",
    Severity.ERROR,
    title="METADATA is valid",
    protects="Users: indexes and installers refuse it, or read it differently.",
    remedy="Correct the project's metadata and build the wheel again.",
)
def _find_invalid(wheel: WheelContents) -> Iterator[Fault]:
    text = dist_info_text(wheel, "METADATA")
    if text is None:
        return
    for evidence in find_unclear_fields(text, has_body=True):
        yield _fault(wheel, evidence)
    found = raw_metadata(wheel)
    if found is None:
        yield _fault(wheel, f"not judged: {why_not_judged(text)}")
        return
    raw, unparsed = found
    for field, values in unparsed.items():
        shown = repr(str(values[0])[:_SHOWN_CHARACTERS])
        yield _fault(wheel, f"{field}: {shown} is an unknown field, or cannot be parsed")
    if (requires := raw.get("requires_python") or "").lstrip().startswith(","):
        yield _fault(wheel, f"Requires-Python: {requires!r} begins with an empty clause, which uv refuses")
    try:
        Metadata.from_raw(raw)
    except ExceptionGroup as group:
        for error in group.exceptions:
            yield _fault(wheel, str(error))
    except (RecursionError, ValueError) as error:
        yield _fault(wheel, f"not judged: a field is nested too deeply, or has too large a number ({error})")


@check(
    "metadata-name",
    Severity.ERROR,
    title="METADATA and the file name have the same name",
    protects="Users: pip refuses the wheel.",
    remedy="Build the wheel again; do not rename wheels.",
)
def _find_other_name(wheel: WheelContents) -> Iterator[Fault]:
    name = _raw(wheel).get("name")
    if name is None or wheel.parsed is None:
        return
    if canonicalize_name(name) != canonicalize_name(wheel.parsed.distribution):
        yield _fault(wheel, f"Name is {name}; the file name has {wheel.parsed.distribution}")


@check(
    "metadata-version",
    Severity.ERROR,
    title="METADATA and the file name have the same version",
    protects="Users: other executables would satisfy a pin.",
    remedy="Build the wheel again; do not rename wheels.",
)
def _find_other_version(wheel: WheelContents) -> Iterator[Fault]:
    text = _raw(wheel).get("version")
    if text is None or wheel.parsed is None:
        return
    try:
        version = Version(text)
    except (InvalidVersion, ValueError):
        return  # metadata-valid reports it
    if version != wheel.parsed.version:
        yield _fault(wheel, f"Version is {version}; the file name has {wheel.parsed.version}")


@check(
    "metadata-requires-python",
    Severity.WARNING,
    title="METADATA has a Requires-Python",
    protects="Users of old Pythons: the import fails, where the installation could have said why.",
    remedy="Set requires-python in the project's metadata.",
)
def _find_no_python(wheel: WheelContents) -> Iterator[Fault]:
    if _is_readable(wheel) and not _raw(wheel).get("requires_python"):
        yield _fault(wheel, "Requires-Python is missing")


@check_for_project(
    "metadata-requirement",
    Severity.WARNING,
    title="METADATA requires no other distribution",
    protects="Users: pip would install other people's code, though executables need no Python package.",
    remedy="Remove the dependency from the project's metadata.",
)
def _find_requirements(wheel: WheelContents) -> Iterator[Fault]:
    for requirement in _raw(wheel).get("requires_dist", []):
        yield _fault(wheel, f"Requires-Dist: {requirement}")


@check(
    "metadata-licence",
    Severity.NOTE,
    title="The licence is an SPDX expression",
    protects="Anyone who collects the licences of what they ship with a tool.",
    standard=_LICENCES,
    remedy="Set license to an SPDX expression in the project's metadata.",
)
def _find_no_licence(wheel: WheelContents) -> Iterator[Fault]:
    raw = _raw(wheel)
    if not _is_readable(wheel) or raw.get("license_expression"):
        return
    if licence := raw.get("license"):
        yield _fault(wheel, f"License: {licence.splitlines()[0][:40]} is free text, not an SPDX expression")
    else:
        yield _fault(wheel, "License-Expression is missing: METADATA names no licence")


@check(
    "metadata-licence-text",
    Severity.WARNING,
    title="METADATA names the licence texts in the wheel",
    protects="Anyone who redistributes the wheel: Apache-2.0 and other licences require the texts.",
    standard=f"{_LICENCES}; Apache-2.0, section 4",
    remedy="Add the licence files and notices to license-files.",
)
def _find_no_licence_files(wheel: WheelContents) -> Iterator[Fault]:
    if _is_readable(wheel) and not _raw(wheel).get("license_files"):
        yield _fault(wheel, "License-File is missing: METADATA names no licence text")


@check(
    "metadata-licence-file",
    Severity.ERROR,
    title="Every License-File is in the wheel",
    protects="Anyone who redistributes the wheel: the text that METADATA names is missing.",
    standard=_LICENCES,
    remedy="Build the wheel with the files that license-files names.",
)
def _find_absent_licence_files(wheel: WheelContents) -> Iterator[Fault]:
    for file in _raw(wheel).get("license_files", []):
        if dist_info_member(wheel, f"licenses/{file}") is None and dist_info_member(wheel, file) is None:
            yield _fault(wheel, f"License-File: {file} is not in .dist-info")


@check(
    "metadata-description",
    Severity.WARNING,
    title="There is a description with a content type",
    protects="Readers of the project's page.",
    remedy="Set readme in the project's metadata.",
)
def _find_poor_description(wheel: WheelContents) -> Iterator[Fault]:
    raw = _raw(wheel)
    if not _is_readable(wheel):
        return
    if not raw.get("description", "").strip():
        yield _fault(wheel, "the description is missing")
    elif not raw.get("description_content_type"):
        yield _fault(wheel, "Description-Content-Type is missing, so an index renders it as reStructuredText")


CHECKS = (*check.registered(), *check_for_project.registered())
