"""Stage an SDK that pins one runtime: the result is a project that its own backend builds."""

from dataclasses import dataclass
from pathlib import Path

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
from factory.sdk.sdk_files import PROJECT_FILE, SdkFile, UnusableSdk, read_sdk
from factory.system.files import atomic_directory

TOOL = "codex-wheel-factory"
"""The stage's own table in the project file: it distinguishes a stage from a user's checkout."""

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
    """

    source: Path
    destination: Path
    runtime: CodexTag
    version: str


@dataclass(frozen=True, slots=True, kw_only=True)
class StagedSdk:
    """A staged SDK."""

    path: Path
    name: str
    version: str
    requirement: str


def stage_sdk(order: SdkOrder) -> StagedSdk:
    """Copy an SDK, stamp its version, and pin its runtime; on an error nothing is left behind.

    Raises:
        UnusableSdk: The source is not an SDK.
        UsageError: Its version or dependencies are not static, or do not require the runtime exactly once.
        UsageError: Source and destination contain one another.
        UsageError: The destination exists and is not an earlier stage.
        CannotWrite: The destination cannot be written.
    """
    require_apart(order.destination, order.source)
    require_replaceable(order.destination, is_stage)
    files = read_sdk(order.source)
    project = next(file for file in files if file.path == PROJECT_FILE)
    stamped, name = _stamp(order, project)
    destination = order.destination.absolute()
    with atomic_directory(destination) as draft:
        for file in files:
            path = draft / file.path
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(stamped if file is project else file.content)
            path.chmod(file.mode)
    return StagedSdk(path=destination, name=name, version=order.version, requirement=_requirement(order))


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


def _stamp(order: SdkOrder, project_file: SdkFile) -> tuple[bytes, str]:
    """Return the stamped project file, its comments and order kept, and the project's name."""
    try:
        document = tomlkit.parse(project_file.content.decode("utf-8"))
    except (ValueError, TOMLKitError) as error:
        raise UnusableSdk(order.source, f"its {PROJECT_FILE} is not TOML: {error}") from error
    plain = document.unwrap().get("project")
    if not isinstance(plain, dict) or not isinstance(plain.get("name"), str):
        raise UnusableSdk(order.source, f"its {PROJECT_FILE} names no project")
    dynamic = {"version", "dependencies"} & set(plain.get("dynamic", ()))
    if dynamic:
        fields = " and ".join(sorted(dynamic))
        raise UsageError(f"the SDK's {fields} must be static, not dynamic", hint=_PROJECT_HINT)
    require_version(order.version)
    index = _pin_index(plain.get("dependencies"))
    document["project"]["version"] = order.version
    document["project"]["dependencies"][index] = _requirement(order)
    document.setdefault("tool", tomlkit.table(is_super_table=True))[TOOL] = {"runtime": order.runtime.pep440}
    return tomlkit.dumps(document).encode(), plain["name"]


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
