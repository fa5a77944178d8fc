"""Stage an SDK that pins one runtime: a project that its own backend builds."""

import secrets
import shutil
from dataclasses import dataclass
from pathlib import Path

import tomlkit
from packaging.requirements import InvalidRequirement, Requirement
from packaging.utils import canonicalize_name
from packaging.version import InvalidVersion, Version
from tomlkit.exceptions import TOMLKitError

from factory.build.stage import require_apart, require_replaceable
from factory.build.template import DISTRIBUTION
from factory.core.errors import UsageError
from factory.core.tags import CodexTag
from factory.sdk.sdk_files import PROJECT_FILE, NoSdk, SdkFile, read_sdk
from factory.system.files import TEMPORARY_PREFIX, replace_directory, writing

TOOL = "codex-wheel-factory"
"""The stage's own table in the project file: it tells a stage from somebody's checkout."""


class UnusablePin(UsageError):
    """The SDK's requirement of the runtime is not one that can be set to a version."""

    hint = f"The SDK's [project] dependencies must have exactly one plain requirement of {DISTRIBUTION}."


class UnusableProject(UsageError):
    """The SDK's project file does not say in plain what has to be changed."""

    hint = "Give an SDK whose [project] table has a static version and static dependencies."


@dataclass(frozen=True, slots=True, kw_only=True)
class SdkOrder:
    """An SDK to be staged.

    Attributes:
        source: A checkout, an sdist or a wheel.
        destination: Where it goes; an earlier stage is replaced.
        runtime: The release whose runtime it pins.
        version: The SDK's own version.
    """

    source: Path
    destination: Path
    runtime: CodexTag
    version: str


@dataclass(frozen=True, slots=True, kw_only=True)
class StagedSdk:
    """A staged SDK: where it is, and what it says."""

    path: Path
    name: str
    version: str
    requirement: str


def stage_sdk(order: SdkOrder) -> StagedSdk:
    """Copy an SDK, stamp its version, and pin its runtime; all of it is there afterwards or nothing.

    Raises:
        NoSdk: The source is none.
        UnusableProject: Version or dependencies are not plain.
        UnusablePin: There is no single plain requirement of the runtime.
        OverlappingPaths: Source and destination contain one another.
        NotAStage: The destination is something else than an earlier stage.
        CannotWrite: It does not take files.
    """
    require_apart(order.destination, order.source)
    require_replaceable(order.destination, _is_stage)
    files = read_sdk(order.source)
    project = next(file for file in files if file.path == PROJECT_FILE)
    stamped, name = _stamp(order, project)
    destination = order.destination.absolute()
    draft = destination.with_name(f"{TEMPORARY_PREFIX}{secrets.token_hex(8)}")
    try:
        _write(draft, destination, [stamped if file is project else file for file in files])
        replace_directory(draft, destination)
    finally:
        shutil.rmtree(draft, ignore_errors=True)
    return StagedSdk(path=destination, name=name, version=order.version, requirement=_requirement(order))


def _requirement(order: SdkOrder) -> str:
    return f"{DISTRIBUTION}=={order.runtime.pep440}"


def _stamp(order: SdkOrder, project_file: SdkFile) -> tuple[SdkFile, str]:
    """Return the project file with version and pin, and the project's name; comments and order survive."""
    try:
        document = tomlkit.parse(project_file.content.decode("utf-8"))
    except (ValueError, TOMLKitError) as error:
        raise NoSdk(order.source, f"its {PROJECT_FILE} is not TOML: {error}") from error
    plain = document.unwrap().get("project")
    if not isinstance(plain, dict) or not isinstance(plain.get("name"), str):
        raise NoSdk(order.source, f"its {PROJECT_FILE} names no project")
    dynamic = {"version", "dependencies"} & set(plain.get("dynamic", ()))
    if dynamic:
        raise UnusableProject(f"the SDK's {' and '.join(sorted(dynamic))} are made by its backend: dynamic")
    try:
        Version(order.version)
    except InvalidVersion as error:
        raise UnusableProject(
            f"{order.version!r} is no version", hint="Give --sdk-version 0.163.0."
        ) from error
    at = _pin_place(plain.get("dependencies"))
    document["project"]["version"] = order.version
    document["project"]["dependencies"][at] = _requirement(order)
    document.setdefault("tool", tomlkit.table(is_super_table=True))[TOOL] = {"runtime": order.runtime.pep440}
    content = tomlkit.dumps(document).encode()
    return SdkFile(path=PROJECT_FILE, content=content, mode=project_file.mode), plain["name"]


def _pin_place(dependencies: object) -> int:
    """Return which of the dependencies is the runtime's."""
    if not isinstance(dependencies, list) or not all(isinstance(text, str) for text in dependencies):
        raise UnusableProject("the SDK's project file has no list of dependencies")
    found: list[tuple[int, Requirement]] = []
    for at, text in enumerate(dependencies):
        try:
            requirement = Requirement(text)
        except InvalidRequirement as error:
            raise UnusableProject(f"the SDK's dependency {text!r} is no requirement") from error
        if canonicalize_name(requirement.name) == DISTRIBUTION:
            found.append((at, requirement))
    if len(found) != 1:
        raise UnusablePin(f"the SDK has {len(found) or 'no'} requirements of {DISTRIBUTION}")
    at, requirement = found[0]
    if requirement.marker is not None or requirement.extras or requirement.url is not None:
        raise UnusablePin(f"the SDK requires its runtime on terms of its own: {requirement}")
    return at


def _write(draft: Path, destination: Path, files: list[SdkFile]) -> None:
    with writing(destination):
        for file in files:
            path = draft / file.path
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(file.content)
            path.chmod(file.mode)


def _is_stage(directory: Path) -> bool:
    try:
        document = tomlkit.parse((directory / PROJECT_FILE).read_text(encoding="utf-8")).unwrap()
        return "runtime" in document["tool"][TOOL]
    except (OSError, ValueError, KeyError, TypeError, TOMLKitError):
        return False
