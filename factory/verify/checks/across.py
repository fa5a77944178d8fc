"""Checks across the wheels of one release: they belong together, and every platform has one."""

from collections import Counter, defaultdict
from collections.abc import Callable, Iterator
from dataclasses import dataclass

from factory.core.counted import counted
from factory.core.model import Severity
from factory.core.targets import PLATFORMS, Architecture, OperatingSystem
from factory.verify.checks.check import Checks, Fault
from factory.verify.checks.dist_info import PACKAGE
from factory.verify.checks.dist_info_files import dist_info_member, metadata_fields, wheel_fields
from factory.verify.reading.contents import Member, WheelContents

_RESOLVED = ("name", "version", "requires-python", "requires-dist", "provides-extra", "dynamic")
"""The fields of METADATA from which a resolver decides what to install, and where."""
_SHOWN = 3


@dataclass(frozen=True, slots=True, kw_only=True)
class Release:
    """The files of one release.

    Attributes:
        name: For findings: a version, or the name of a directory.
        wheels: The wheels that could be read; the others count as missing.
        files: The names of all files beside them, sdists included.
    """

    name: str
    wheels: tuple[WheelContents, ...]
    files: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, order=True)
class _Slot:
    """A platform without its version: macosx_10_9 and macosx_10_12 serve the same users."""

    family: str
    architecture: Architecture | None

    def __str__(self) -> str:
        return f"{self.family} {self.architecture or 'of another architecture'}"


_ALL_SLOTS = frozenset(
    _Slot(platform.tag.partition("_")[0], platform.target.architecture) for platform in PLATFORMS
)

check = Checks[Release](standard="the set of wheels that upstream publishes")


def _count_slots(release: Release) -> Counter[_Slot]:
    return Counter(
        slot
        for wheel in release.wheels
        for slot in {_Slot(tag.partition("_")[0], wheel.architecture) for tag in wheel.platforms}
    )


@check(
    "release-platforms",
    Severity.ERROR,
    title="Every platform has a wheel",
    protects="Users of that platform: there is no wheel to install.",
    remedy="Build the missing wheels; --platform selects them.",
)
def _find_missing_platforms(release: Release) -> Iterator[Fault]:
    for slot in sorted(_ALL_SLOTS - _count_slots(release).keys()):
        yield Fault(release.name, f"there is no wheel for {slot}")


@check(
    "release-platform-once",
    Severity.ERROR,
    title="Every platform has only one wheel",
    protects="Users: installers differ in which of the two wheels they install.",
    remedy="Remove the wheel that should not be there.",
)
def _find_repeated_platforms(release: Release) -> Iterator[Fault]:
    for slot, count in _count_slots(release).items():
        if count > 1:
            yield Fault(release.name, f"{counted(count, 'wheel is', 'wheels are')} for {slot}")


@check(
    "release-version",
    Severity.ERROR,
    title="All wheels have the same version",
    protects="Users: some platforms cannot satisfy a pin.",
    remedy="Build all wheels from one tag into an empty directory.",
)
def _find_versions(release: Release) -> Iterator[Fault]:
    return _disagreeing(release, "version", lambda wheel: str(wheel.parsed.version) if wheel.parsed else None)


@check(
    "release-requirements",
    Severity.ERROR,
    title="All wheels have the same requirements in METADATA",
    protects="Users of resolvers that read the METADATA of one wheel for all.",
    standard="packaging.python.org: core metadata specifications; uv's and Poetry's resolvers",
    remedy="Build all wheels in one run.",
)
def _find_requirements(release: Release) -> Iterator[Fault]:
    return _disagreeing(release, "METADATA, in the fields that a resolver reads,", _resolved)


def _resolved(wheel: WheelContents) -> str | None:
    fields = metadata_fields(wheel)
    if fields is None:
        return None
    read = {field.lower(): sorted(values) for field, values in fields.items()}
    return repr([read.get(field) for field in _RESOLVED])


@check(
    "release-metadata",
    Severity.NOTE,
    title="All wheels have the same METADATA",
    protects="Anyone who compares the wheels of a release: they come from several builds.",
    remedy="Build all wheels in one run.",
)
def _find_metadata(release: Release) -> Iterator[Fault]:
    return _disagreeing(release, "METADATA", lambda wheel: _digest(dist_info_member(wheel, "METADATA")))


@check(
    "release-template",
    Severity.WARNING,
    title="All wheels have the same Python source",
    protects="Users: the package behaves differently on each platform.",
    remedy="Build all wheels from one template.",
)
def _find_templates(release: Release) -> Iterator[Fault]:
    return _disagreeing(release, "Python source, except for line ends,", _source)


def _source(wheel: WheelContents) -> str | None:
    sources = sorted(
        (member.name, member.data.replace(b"\r\n", b"\n").decode("utf-8", "backslashreplace"))
        for member in wheel.members
        if member.name.endswith(".py") and member.data is not None
    )
    return repr(sources) if sources else None


@check(
    "release-generator",
    Severity.NOTE,
    title="One backend made all wheels",
    protects="Anyone who rebuilds the release: it has several recipes.",
    remedy="Build all wheels in one run.",
)
def _find_generators(release: Release) -> Iterator[Fault]:
    return _disagreeing(
        release,
        "generator",
        lambda wheel: ", ".join((wheel_fields(wheel) or {}).get("Generator", ())) or None,
    )


def _disagreeing(
    release: Release, what: str, value_of: Callable[[WheelContents], str | None]
) -> Iterator[Fault]:
    """Find the wheels with another value than most; a wheel without a value is not compared."""
    wheels: dict[str, list[str]] = defaultdict(list)
    for wheel in release.wheels:
        value = value_of(wheel)
        if value is not None:
            wheels[value].append(wheel.name)
    most, *others = sorted(wheels.values(), key=lambda names: (-len(names), names)) or [[]]
    for names in others:
        for name in sorted(names):
            yield Fault(name, f"its {what} differs from that of {most[0]}")


def _digest(member: Member | None) -> str | None:
    return None if member is None or member.sha256 is None else member.sha256.hex


@check(
    "release-no-sdist",
    Severity.ERROR,
    title="There is no sdist",
    protects="Users of other platforms: pip would install a package without executables.",
    remedy="Remove it; the project publishes only wheels.",
)
def _find_sdists(release: Release) -> Iterator[Fault]:
    for name in release.files:
        if name.endswith((".tar.gz", ".zip")):
            yield Fault(name, "pip would install this sdist, without executables, where no wheel fits")


@check(
    "release-companions",
    Severity.WARNING,
    title="Wheels of one operating system have the same programs",
    protects="Users of one architecture or libc: a companion program that others have is missing.",
    remedy="Compare the release packages; leave out a file only by a rule with a reason.",
)
def _find_companions(release: Release) -> Iterator[Fault]:
    """Compare the names of the programs, without those that the recipe leaves out."""
    by_system: dict[OperatingSystem, dict[str, frozenset[str]]] = defaultdict(dict)
    left_out = {wheel.name: wheel.left_out for wheel in release.wheels}
    for wheel in release.wheels:
        if wheel.operating_system is not None:
            by_system[wheel.operating_system][wheel.name] = frozenset(
                member.name for member in wheel.members if member.kind.is_executable_image
            )
    for system, programs in by_system.items():
        everywhere = frozenset.union(*programs.values())
        for name, found in programs.items():
            if missing := sorted(everywhere - found - left_out[name]):
                more = f" and {len(missing) - _SHOWN} more" if len(missing) > _SHOWN else ""
                shown = ", ".join(missing[:_SHOWN]) + more
                yield Fault(name, f"it lacks programs that other {system} wheels have: {shown}")


@check(
    "release-executables",
    Severity.ERROR,
    title="Wheels of one target have the same executables",
    protects="Users: executables of two releases have one version.",
    remedy="Build both wheels from one release package.",
)
def _find_differing_executables(release: Release) -> Iterator[Fault]:
    """Compare the wheels of one target, manylinux and musllinux: one release package feeds both."""
    first: dict[tuple[OperatingSystem, Architecture, str], tuple[str, str]] = {}
    for wheel in release.wheels:
        if wheel.operating_system is None or wheel.architecture is None:
            continue
        for member in wheel.members:
            digest = _digest(member) if member.kind.is_executable_image else None
            if digest is None or not member.name.startswith(f"{PACKAGE}/"):
                continue
            key = (wheel.operating_system, wheel.architecture, member.name)
            other, known = first.setdefault(key, (wheel.name, digest))
            if known != digest:
                yield Fault(wheel.name, f"its {member.name} differs from that of {other}")


CHECKS = check.registered()
