"""Checks of values in METADATA that are well-formed, but that indexes or installers refuse."""

from collections.abc import Iterator

from packaging.metadata import RawMetadata
from packaging.specifiers import SpecifierSet
from trove_classifiers import classifiers, deprecated_classifiers

from factory.core.model import Severity
from factory.verify.checks.check import Checks, Fault
from factory.verify.checks.dist_info_files import dist_info_place, raw_metadata
from factory.verify.reading.contents import WheelContents

_MOST_CLAUSES = 64
_LICENCE = "License ::"
_PRIVATE = "Private ::"
# Generous, so that the list does not age: minor versions up to 3.19, with 40 patch releases each.
_PYTHONS = (
    *(f"2.7.{patch}" for patch in range(19)),
    *(f"3.{minor}.{patch}" for minor in range(20) for patch in range(40)),
)

check = Checks[WheelContents](standard="packaging.python.org: core metadata specifications")


def _raw(wheel: WheelContents) -> RawMetadata:
    """Return the fields of METADATA, not validated; no fields if METADATA cannot be read."""
    found = raw_metadata(wheel)
    return {} if found is None else found[0]


@check(
    "metadata-python",
    Severity.ERROR,
    title="Some Python satisfies Requires-Python",
    protects="Users: no installer takes the wheel.",
    remedy="Correct requires-python in the project's metadata.",
)
def _find_no_python(wheel: WheelContents) -> Iterator[Fault]:
    text = _raw(wheel).get("requires_python")
    if not text:
        return  # metadata-requires-python reports it
    try:
        specifiers = SpecifierSet(text)
    except ValueError:  # InvalidSpecifier, or a number of thousands of digits
        return  # metadata-valid reports it
    place = dist_info_place(wheel, "METADATA")
    if len(specifiers) > _MOST_CLAUSES:
        yield Fault(place, f"not judged: Requires-Python has {len(specifiers)} clauses")
        return
    try:
        is_satisfied = any(specifiers.contains(version) for version in _PYTHONS)
    except ValueError:
        yield Fault(place, "not judged: Requires-Python has too large a number")
        return
    if not is_satisfied:
        yield Fault(place, f"Requires-Python is {text[:60]}, which no Python from 2.7 to 3.19 satisfies")


@check(
    "metadata-classifier",
    Severity.WARNING,
    title="Every classifier is in the index's list",
    protects="Whoever uploads the wheel: the index refuses it.",
    standard="The list of the distribution trove-classifiers",
    remedy="Take a classifier from the list, or update the factory if the list has a newer one.",
)
def _find_unknown_classifiers(wheel: WheelContents) -> Iterator[Fault]:
    for classifier in _raw(wheel).get("classifiers", []):
        is_known = classifier in classifiers or classifier in deprecated_classifiers
        if not is_known and not classifier.startswith(_PRIVATE):
            yield Fault(
                dist_info_place(wheel, "METADATA"), f"Classifier: {classifier[:80]} is not in the list"
            )


@check(
    "metadata-licence-twice",
    Severity.WARNING,
    title="A licence expression is the only statement of the licence",
    protects="Anyone who collects licences: the statements can differ, and PEP 639 deprecates the others.",
    standard="PEP 639",
    remedy="Remove the licence classifiers and the License field from the project's metadata.",
)
def _find_second_licence(wheel: WheelContents) -> Iterator[Fault]:
    raw = _raw(wheel)
    if not raw.get("license_expression"):
        return
    others = [one for one in raw.get("classifiers", []) if one.startswith(_LICENCE)]
    others += ["License"] if raw.get("license") else []
    if others:
        shown = ", ".join(others)[:120]
        yield Fault(dist_info_place(wheel, "METADATA"), f"besides License-Expression there is {shown}")


CHECKS = check.registered()
