"""Stage an SDK that pins one runtime: the result is a project that its own backend builds."""

import tomllib
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path, PurePosixPath

import tomlkit
from packaging.requirements import InvalidRequirement, Requirement
from packaging.utils import canonicalize_name
from packaging.version import InvalidVersion, Version
from tomlkit.exceptions import TOMLKitError

from factory.build.stage import require_apart, require_replaceable
from factory.build.template import DISTRIBUTION
from factory.core.counted import counted
from factory.core.errors import UsageError
from factory.core.tags import CodexTag
from factory.core.targets import Platform
from factory.sdk.regenerate.files import RegeneratedFiles
from factory.sdk.regenerate.regenerate import Regeneration, regenerated
from factory.sdk.regenerate.runtime_minimum import with_minimum
from factory.sdk.sdk_files import PROJECT_FILE, README_FILE, SdkFile, UnusableSdk, identity_of, read_sdk
from factory.sdk.stage_record import CHANGES_FILE, TOOL, StageRecord, recorded_in
from factory.system.files import atomic_directory

_PROJECT_HINT = "Give an SDK whose [project] table has a static version and static dependencies."
_PIN_HINT = f"The SDK's [project] dependencies must have exactly one plain requirement of {DISTRIBUTION}."


@dataclass(frozen=True, slots=True, kw_only=True)
class SdkOrder:
    """An SDK to stage.

    Attributes:
        source: A checkout, an sdist or a wheel.
        destination: The directory to create; an earlier stage is replaced.
        runtime: The release to pin.
        version: The SDK's own version.
        regeneration: The types to regenerate the SDK with; None to keep its own.
        raises_minimum: Make the release the oldest runtime that the SDK accepts.
        is_own: The source was generated for this release: it has no origin to record.
        missing: The platforms for which there is no wheel of the runtime; the README names them.
    """

    source: Path
    destination: Path
    runtime: CodexTag
    version: str
    regeneration: Regeneration | None = None
    raises_minimum: bool = False
    is_own: bool = False
    missing: tuple[Platform, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class StagedSdk:
    """A staged SDK.

    Attributes:
        record: Its origin; None for an SDK of our own.
        changes: What was changed in its code, in words; empty if it was not regenerated.
    """

    path: Path
    name: str
    version: str
    requirement: str
    record: StageRecord | None
    changes: tuple[str, ...] = ()


def stage_sdk(order: SdkOrder) -> StagedSdk:
    """Copy an SDK, stamp its version, and pin its runtime; on an error nothing is left behind.

    Raises:
        UnusableSdk: The source is not an SDK.
        UsageError: Its version or dependencies are not static, or do not require the runtime exactly once.
        UsageError: The SDK itself does not accept the runtime, or its code does not fit the release.
        UsageError: Source and destination contain one another.
        UsageError: The destination exists and is not an earlier stage.
        CannotWrite: The destination cannot be written.
    """
    files = require_stageable(order)
    project = next(file for file in files if file.path == PROJECT_FILE)
    name, index = _checked_project(order, project)
    record = None if order.is_own else _record(order, files, project, index)
    changed = _changed_code(files, order)
    stamped = replace(project, content=_stamped(order, project, index, record))
    staged = tuple(stamped if file.path == PROJECT_FILE else file for file in changed.files)
    destination = order.destination.absolute()
    with atomic_directory(destination) as draft:
        for file in (*staged, *_pages(record, changed)):
            path = draft / file.path
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(_completed(file, order))
            path.chmod(file.mode)
    return StagedSdk(
        path=destination,
        name=name,
        version=order.version,
        requirement=_requirement(order),
        record=record,
        changes=changed.changes,
    )


def require_stageable(order: SdkOrder) -> tuple[SdkFile, ...]:
    """Return the files of the source, or refuse an order that must fail before types are generated for it.

    Raises:
        UnusableSdk: The source is not an SDK.
        UsageError: The destination cannot be replaced, or the SDK does not accept or require the runtime.
    """
    require_apart(order.destination, order.source)
    require_replaceable(order.destination, is_stage)
    files = read_sdk(order.source)
    _checked_project(order, next(file for file in files if file.path == PROJECT_FILE))
    with_minimum(files, order.runtime, is_raised=order.raises_minimum)
    return files


def _record(order: SdkOrder, files: tuple[SdkFile, ...], project: SdkFile, pin_index: int) -> StageRecord:
    record = StageRecord(
        runtime=order.runtime.pep440,
        source=identity_of(files, order.source),
        repinned=_dependencies(project)[pin_index] != _requirement(order),
        regenerated=order.regeneration is not None,
    )
    return record.after(recorded_in(project.content))


def _changed_code(files: tuple[SdkFile, ...], order: SdkOrder) -> RegeneratedFiles:
    """Check the oldest runtime that the SDK accepts, raise it on request, and regenerate the SDK."""
    limited = with_minimum(files, order.runtime, is_raised=order.raises_minimum)
    if order.regeneration is None:
        return limited
    done = regenerated(limited.files, order.source, order.runtime, order.regeneration)
    return replace(done, changes=(*done.changes, *limited.changes))


def _pages(record: StageRecord | None, changed: RegeneratedFiles) -> Iterator[SdkFile]:
    """Return the list of changes of a regenerated SDK, for its reader and for a person who builds it."""
    if record is None or not record.regenerated:
        return
    page = record.changes_page(changed.changes)
    yield SdkFile(path=PurePosixPath(CHANGES_FILE), content=page.encode(), mode=0o644)
    readme = next((file for file in changed.files if file.path == README_FILE), None)
    if readme is not None:
        notice = f"> {record.notice}\n\n".encode()
        yield replace(readme, content=notice + readme.content.removeprefix(notice))


def _completed(file: SdkFile, order: SdkOrder) -> bytes:
    """Return a file's content; the README, which becomes part of METADATA, names the missing platforms."""
    if file.path != README_FILE or not order.missing:
        return file.content
    names = ", ".join(platform.tag for platform in order.missing)
    note = f"\n\n## Missing platforms\n\nThere is no wheel of {_requirement(order)} for: {names}.\n"
    return file.content.rstrip() + note.encode()


def require_version(text: str) -> None:
    """Refuse a text that is not a version.

    Raises:
        UsageError: It is not.
    """
    try:
        Version(text)
    except InvalidVersion as error:
        raise UsageError(
            f"{text!r} is not a version", hint="Give one such as --sdk-version 0.163.0."
        ) from error


def _requirement(order: SdkOrder) -> str:
    return f"{DISTRIBUTION}=={order.runtime.pep440}"


def _checked_project(order: SdkOrder, project_file: SdkFile) -> tuple[str, int]:
    """Return the project's name, and the index of the runtime's requirement in its dependencies."""
    try:
        plain = tomlkit.parse(project_file.content.decode("utf-8")).unwrap().get("project")
    except (ValueError, TOMLKitError) as error:
        raise UnusableSdk(order.source, f"its {PROJECT_FILE} is not TOML: {error}") from error
    if not isinstance(plain, dict) or not isinstance(plain.get("name"), str):
        raise UnusableSdk(order.source, f"its {PROJECT_FILE} names no project")
    dynamic = {"version", "dependencies"} & set(plain.get("dynamic", ()))
    if dynamic:
        fields = " and ".join(sorted(dynamic))
        raise UsageError(f"the SDK's {fields} must be static, not dynamic", hint=_PROJECT_HINT)
    require_version(order.version)
    return plain["name"], _pin_index(plain.get("dependencies"))


def _dependencies(project_file: SdkFile) -> tuple[str, ...]:
    return tuple(tomllib.loads(project_file.content.decode("utf-8"))["project"]["dependencies"])


def _stamped(order: SdkOrder, project_file: SdkFile, index: int, record: StageRecord | None) -> bytes:
    """Return the stamped project file, its comments and order kept."""
    document = tomlkit.parse(project_file.content.decode("utf-8"))
    document["project"]["version"] = order.version
    document["project"]["dependencies"][index] = _requirement(order)
    table = {"runtime": order.runtime.pep440} if record is None else record.table
    document.setdefault("tool", tomlkit.table(is_super_table=True))[TOOL] = table
    return tomlkit.dumps(document).encode()


def _pin_index(dependencies: object) -> int:
    """Return the index of the runtime's requirement in the dependencies."""
    if not isinstance(dependencies, list) or not all(isinstance(text, str) for text in dependencies):
        raise UsageError("the SDK's project file has no list of dependencies", hint=_PROJECT_HINT)
    found: list[tuple[int, Requirement]] = []
    for index, text in enumerate(dependencies):
        try:
            requirement = Requirement(text)
        except InvalidRequirement as error:
            raise UsageError(
                f"the SDK's dependency {text!r} is not a requirement", hint=_PROJECT_HINT
            ) from error
        if canonicalize_name(requirement.name) == DISTRIBUTION:
            found.append((index, requirement))
    if len(found) != 1:
        count = counted(len(found), "requirement") if found else "no requirements"
        raise UsageError(f"the SDK has {count} of {DISTRIBUTION}", hint=_PIN_HINT)
    index, requirement = found[0]
    if requirement.marker is not None or requirement.extras or requirement.url is not None:
        raise UsageError(
            f"the SDK's requirement of its runtime has a marker, extras or a URL: {requirement}",
            hint=_PIN_HINT,
        )
    return index


def is_stage(directory: Path) -> bool:
    """Whether a directory is an earlier stage of an SDK."""
    try:
        document = tomlkit.parse((directory / PROJECT_FILE).read_text(encoding="utf-8")).unwrap()
        return "runtime" in document["tool"][TOOL]
    except (OSError, ValueError, KeyError, TypeError, TOMLKitError):
        return False
