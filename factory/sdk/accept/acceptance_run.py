"""The run behind ``factory accept``: bring the SDK, make the environment, try every case."""

import json
import shutil
import threading
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from packaging.utils import InvalidWheelFilename, parse_wheel_filename

from factory.core.case_result import CaseOutcome, CaseResult
from factory.core.digests import Sha256
from factory.core.errors import FactoryError, UsageError, VerificationError
from factory.core.progress import Progress
from factory.manifest.acceptance import Acceptance, SdkIdentity
from factory.manifest.dist import Dist
from factory.manifest.manifest import Manifest
from factory.sdk.accept.cases import Case
from factory.sdk.accept.driver_output import normalise_detail, read_result
from factory.sdk.accept.environment import AcceptanceContext, Environment, case_environ, make_environment
from factory.sdk.accept.wheel_under_test import RuntimeWheel, launch_method
from factory.sdk.pip import fetch_sdk
from factory.sdk.sdk_files import NoSdk
from factory.sdk.staged_sdk import SdkOrder, stage_sdk
from factory.system.files import writing
from factory.system.parallel import Stopped, in_parallel
from factory.system.process import Command

_LIMIT_S = 60.0
_EMULATED = 5.0
"""How much longer an emulated runtime may take."""
_GRACE_S = 30.0
"""How long the driver may take to end a case that hangs, before it is ended itself."""


class NotAccepted(VerificationError):
    """A runtime does not serve an SDK."""

    hint = "Try one again with --case NAME; 'factory verify --smoke' starts the executable without an SDK."

    def __init__(self, runtime: RuntimeWheel, acceptance: Acceptance) -> None:
        count = f"{len(acceptance.failed)} of {len(acceptance.cases)} cases"
        sdk = f"{acceptance.sdk.name} {acceptance.sdk.version}"
        super().__init__(f"{runtime.wheel.name} failed {count} with {sdk}")


class WheelReplaced(UsageError):
    """The manifest lists other bytes now than those that were tried."""

    hint = "Another run made the wheel anew; try that one."

    def __init__(self, runtime: RuntimeWheel) -> None:
        super().__init__(f"the manifest no longer lists {runtime.wheel.name} with the bytes that were tried")


@dataclass(frozen=True, slots=True, kw_only=True)
class AcceptanceOrder:
    """What to try.

    Attributes:
        runtime: The wheel under test.
        sdk: A path, or an exact requirement.
        is_repinned: Pin the SDK to this runtime first.
        cases: Which cases.
    """

    runtime: RuntimeWheel
    sdk: str
    is_repinned: bool
    cases: Sequence[Case]


def accept(
    order: AcceptanceOrder,
    context: AcceptanceContext,
    *,
    progress: Progress,
    jobs: int,
    stop: threading.Event,
) -> Acceptance:
    """Try a runtime with an SDK.

    Raises:
        CannotTry: This host cannot start it.
        NoSdk: The SDK is none.
        PipFailed: It could not be brought, built or installed.
        OtherRuntimeRequired: It wants another runtime.
    """
    method = launch_method(order.runtime.platform, context.host)
    with progress.task(f"bring {order.sdk}"):
        sdk = sdk_wheel(order, context)
        identity = _identity(sdk)
    with progress.task(f"install {order.runtime.wheel.name} and {sdk.name}"):
        environment = make_environment(order.runtime, method, sdk, context)

    def attempt(case: Case) -> CaseResult:
        with progress.task(case.name):
            return _attempt(case, order.runtime, environment, context)

    results = in_parallel(attempt, order.cases, jobs=jobs, weight=lambda _: 1, stop=stop)
    return Acceptance(sdk=identity, how=method.how, cases=results)


def record(acceptance: Acceptance, runtime: RuntimeWheel, dist: Dist) -> None:
    """Put the evidence with the wheel, into the manifest as it is now.

    Raises:
        WheelReplaced: The wheel is not there any more.
        DistInUse: Another run is at work there.
        CannotWrite: The place does not take files.
    """

    def add(manifest: Manifest) -> Manifest:
        if all(wheel.sha256 != runtime.sha256 for wheel in manifest.wheels):
            raise WheelReplaced(runtime)
        return manifest.accepting({runtime.sha256: acceptance})

    dist.amend(add)


def sdk_wheel(order: AcceptanceOrder, context: AcceptanceContext) -> Path:
    """Return the SDK as a wheel: as it is, or built by its own backend.

    Raises:
        NoSdk: It is not there, or is neither a project, an sdist nor a wheel.
        PipFailed: It could not be brought or built.
    """
    source = fetch_sdk(order.sdk, pip=context.pip, scratch=context.directory)
    if not source.exists():
        raise NoSdk(source, "it is not there")
    if order.is_repinned:
        stage = context.directory / "repinned"
        tag = order.runtime.tag
        stage_sdk(SdkOrder(source=source, destination=stage, runtime=tag, version=tag.pep440))
        source = stage
    elif source.is_dir():  # some backends leave their output in the project; what was given stays as it is
        source = Path(shutil.copytree(source, context.directory / "project"))
    return source if source.suffix == ".whl" else context.pip.build(source, context.directory / "sdk")


def _identity(sdk: Path) -> SdkIdentity:
    try:
        name, version, _, _ = parse_wheel_filename(sdk.name)
    except InvalidWheelFilename as error:
        raise NoSdk(sdk, "its name is no wheel's") from error
    return SdkIdentity(name=name, version=str(version), sha256=Sha256.of_file(sdk))


def _attempt(
    case: Case, runtime: RuntimeWheel, environment: Environment, context: AcceptanceContext
) -> CaseResult:
    is_emulated = case.uses_runtime and environment.codex is not None
    limit_s = _LIMIT_S * _EMULATED if is_emulated else _LIMIT_S
    home = context.directory / "cases" / case.name
    with writing(home):
        home.mkdir(parents=True)
    request = {
        "case": case.name,
        "needs": case.needs,
        "home": str(home),
        "codex": None if environment.codex is None else str(environment.codex),
        "version": runtime.tag.semver,
        "limit_s": limit_s,
    }
    argv = (str(environment.python), "-P", "-m", "factory.sdk.accept.driver", json.dumps(request))
    environ = case_environ(environment, context.host, home)
    command = Command(argv=argv, env=environ, cwd=home, timeout_s=limit_s + _GRACE_S)
    try:
        result = read_result(case.name, context.runner.run(command))
    except Stopped:
        raise
    except FactoryError as error:
        result = CaseResult(case=case.name, outcome=CaseOutcome.COULD_NOT_RUN, detail=str(error))
    return replace(result, detail=normalise_detail(result.detail, context.directory))
