"""The run behind ``factory sdk accept``: get the SDK, create the environment, run every case."""

import json
import shutil
import threading
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from packaging.utils import InvalidWheelFilename, parse_wheel_filename

from factory.core.case_result import CaseOutcome, CaseResult
from factory.core.counted import counted
from factory.core.digests import Sha256
from factory.core.errors import FactoryError, UsageError, VerificationError
from factory.core.progress import Progress
from factory.manifest.acceptance import Acceptance, RequestedSdk, SdkIdentity
from factory.manifest.dist import Dist
from factory.manifest.manifest import Manifest
from factory.sdk.accept.cases import Case
from factory.sdk.accept.driver_output import normalise_detail, read_result
from factory.sdk.accept.environment import AcceptanceContext, Environment, case_environ, make_environment
from factory.sdk.accept.wheel_under_test import RuntimeWheel, launch_method
from factory.sdk.pip import fetch_sdk
from factory.sdk.sdk_files import UnusableSdk, requested_sdk
from factory.sdk.stage_record import changed_stage
from factory.sdk.staged_sdk import SdkOrder, stage_sdk
from factory.system.files import writing
from factory.system.parallel import Stopped, in_parallel
from factory.system.process import Command
from factory.verify.baseline.rules import ACCEPTANCE_ROOMS, rules_digest

_LIMIT_S = 60.0
_EMULATED_FACTOR = 5.0
_GRACE_S = 30.0
"""How long the driver may take to end a case that hangs, before it is killed itself."""


@dataclass(frozen=True, slots=True, kw_only=True)
class AcceptanceOrder:
    """What to test.

    Attributes:
        sdk: A path, or an exact requirement.
        is_repinned: Pin the SDK to this runtime first.
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
    """Run the cases, ``jobs`` at a time, against a runtime and an SDK.

    Raises:
        CannotLaunch: This host cannot start the runtime.
        UnusableSdk: The SDK is not a project, sdist or wheel.
        UsageError: The SDK requires another runtime.
        UpstreamError: The SDK could not be downloaded, built or installed.
    """
    method = launch_method(order.runtime.platform, context.host)
    with progress.task(f"get {order.sdk}"):
        source = find_sdk(order, context)
        sdk = sdk_wheel(source, order, context)
        identity = _identity(sdk, source, is_repinned=order.is_repinned)
    with progress.task(f"install {order.runtime.wheel.name} and {sdk.name}"):
        environment = make_environment(order.runtime, method, sdk, context)

    def run_case(case: Case) -> CaseResult:
        with progress.task(case.name):
            return _run_case(case, order.runtime, environment, context)

    results = in_parallel(run_case, order.cases, jobs=jobs, weight=lambda _: 1, stop=stop)
    return Acceptance(sdk=identity, how=method.how, cases=results, rules=rules_digest(ACCEPTANCE_ROOMS))


def require_accepted(acceptance: Acceptance, runtime: RuntimeWheel) -> None:
    """Refuse a runtime that failed a case.

    Raises:
        VerificationError: It did.
    """
    if acceptance.failed:
        count = f"{len(acceptance.failed)} of {counted(len(acceptance.cases), 'case')}"
        sdk = str(acceptance.sdk)
        raise VerificationError(
            f"{runtime.wheel.name} failed {count} with {sdk}",
            hint="Run one again with --case NAME; 'factory verify --smoke' needs no SDK.",
        )


def record(acceptance: Acceptance, runtime: RuntimeWheel, dist: Dist) -> None:
    """Add the evidence to the wheel's record in the current manifest.

    Raises:
        UsageError: The manifest no longer lists the tested wheel.
        DistInUse: Another run is writing to the directory.
        CannotWrite: The manifest cannot be written.
    """

    def add(manifest: Manifest) -> Manifest:
        if all(wheel.sha256 != runtime.sha256 for wheel in manifest.wheels):
            raise UsageError(
                f"the manifest no longer lists {runtime.wheel.name} with the SHA-256 that was tested",
                hint="Another run built the wheel again; test the new one.",
            )
        return manifest.with_acceptance({runtime.sha256: acceptance})

    dist.update_manifest(add)


def find_sdk(order: AcceptanceOrder, context: AcceptanceContext) -> Path:
    """Return the path of the SDK that was asked for; a requirement is downloaded.

    Raises:
        UnusableSdk: It does not exist.
        UpstreamError: It could not be downloaded.
    """
    source = fetch_sdk(order.sdk, pip=context.pip, scratch=context.directory)
    if not source.exists():
        raise UnusableSdk(source, "it does not exist")
    return source


def sdk_wheel(source: Path, order: AcceptanceOrder, context: AcceptanceContext) -> Path:
    """Return the SDK as a wheel, built by its own backend if it is not one yet.

    Raises:
        UnusableSdk: It is not a project, sdist or wheel.
        UpstreamError: It could not be built.
    """
    if order.is_repinned:
        stage = context.directory / "repinned"
        tag = order.runtime.tag
        stage_sdk(SdkOrder(source=source, destination=stage, runtime=tag, version=tag.pep440))
        source = stage
    elif source.is_dir():  # some backends write into the project; the user's copy must not change
        source = Path(shutil.copytree(source, context.directory / "project"))
    return source if source.suffix == ".whl" else context.pip.build(source, context.directory / "sdk")


def _identity(sdk: Path, source: Path, *, is_repinned: bool) -> SdkIdentity:
    name, version, sha256 = _name_of_wheel(sdk)
    if source.suffix == ".whl":
        asked_name, asked_version, asked_sha256 = _name_of_wheel(source)
        requested = RequestedSdk(name=asked_name, version=asked_version, sha256=asked_sha256)
    else:
        requested = requested_sdk(source)
    record = changed_stage(source)
    return SdkIdentity(
        name=name,
        version=version,
        sha256=sha256,
        requested=requested if record is None else record.source,
        repinned=is_repinned or (record is not None and record.repinned),
        regenerated=record is not None and record.regenerated,
    )


def _name_of_wheel(sdk: Path) -> tuple[str, str, Sha256]:
    try:
        name, version, _, _ = parse_wheel_filename(sdk.name)
    except InvalidWheelFilename as error:
        raise UnusableSdk(sdk, "its name is not a wheel's") from error
    return name, str(version), Sha256.of_file(sdk)


def _run_case(
    case: Case, runtime: RuntimeWheel, environment: Environment, context: AcceptanceContext
) -> CaseResult:
    is_emulated = case.uses_runtime and environment.codex is not None
    limit_s = _LIMIT_S * _EMULATED_FACTOR if is_emulated else _LIMIT_S
    home = context.directory / "cases" / case.name
    with writing(home):
        home.mkdir(parents=True)
    environ = case_environ(environment, context.host, home)
    request = {
        "case": case.name,
        "needs": case.needs,
        "home": str(home),
        "package": environment.package,
        "codex": None if environment.codex is None else str(environment.codex),
        "version": runtime.tag.semver,
        "environ": environ,
        "limit_s": limit_s,
    }
    # -P: a module in the case's directory must not shadow the driver's.
    argv = (str(environment.python), "-P", "-m", "factory.sdk.accept.driver", json.dumps(request))
    command = Command(argv=argv, env=environ, cwd=home, timeout_s=limit_s + _GRACE_S)
    try:
        result = read_result(case.name, context.runner.run(command))
    except Stopped:
        raise
    except FactoryError as error:
        result = CaseResult(case=case.name, outcome=CaseOutcome.COULD_NOT_RUN, detail=str(error))
    return replace(result, detail=normalise_detail(result.detail, context.directory))
