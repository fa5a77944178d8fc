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
from factory.sdk.accept.answers import read_answer, without_circumstances
from factory.sdk.accept.cases import Case
from factory.sdk.accept.environment import Environment, Site, case_environ, make_environment
from factory.sdk.accept.subject import Runtime, way_of
from factory.sdk.choice import bring_sdk
from factory.sdk.source import NoSdk
from factory.sdk.stage import SdkOrder, stage_sdk
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

    def __init__(self, runtime: Runtime, acceptance: Acceptance) -> None:
        count = f"{len(acceptance.failed)} of {len(acceptance.cases)} cases"
        sdk = f"{acceptance.sdk.name} {acceptance.sdk.version}"
        super().__init__(f"{runtime.wheel.name} failed {count} with {sdk}")


class WheelReplaced(UsageError):
    """The manifest lists other bytes now than those that were tried."""

    hint = "Another run made the wheel anew; try that one."

    def __init__(self, runtime: Runtime) -> None:
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

    runtime: Runtime
    sdk: str
    is_repinned: bool
    cases: Sequence[Case]


@dataclass(frozen=True, slots=True, kw_only=True)
class Bench:
    """What a run works with: a site, whoever wants to know how it goes, and how many cases at once."""

    site: Site
    progress: Progress
    jobs: int
    stop: threading.Event


def accept(order: AcceptanceOrder, bench: Bench) -> Acceptance:
    """Try a runtime with an SDK.

    Raises:
        CannotTry: This host cannot start it.
        NoSdk: The SDK is none.
        PipFailed: It could not be brought, built or installed.
        OtherRuntimeRequired: It wants another runtime.
    """
    way = way_of(order.runtime.platform, bench.site.host)
    with bench.progress.task(f"bring {order.sdk}"):
        sdk = sdk_wheel(order, bench.site)
        identity = _identity(sdk)
    with bench.progress.task(f"install {order.runtime.wheel.name} and {sdk.name}"):
        environment = make_environment(order.runtime, way, sdk, bench.site)

    def attempt(case: Case) -> CaseResult:
        with bench.progress.task(case.name):
            return _attempt(case, order.runtime, environment, bench.site)

    results = in_parallel(attempt, order.cases, jobs=bench.jobs, weight=lambda _: 1, stop=bench.stop)
    return Acceptance(sdk=identity, how=way.how, cases=results)


def record(acceptance: Acceptance, runtime: Runtime, dist: Dist) -> None:
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


def sdk_wheel(order: AcceptanceOrder, site: Site) -> Path:
    """Return the SDK as a wheel: as it is, or built by its own backend.

    Raises:
        NoSdk: It is not there, or is neither a project, an sdist nor a wheel.
        PipFailed: It could not be brought or built.
    """
    source = bring_sdk(order.sdk, pip=site.pip, scratch=site.directory)
    if not source.exists():
        raise NoSdk(source, "it is not there")
    if order.is_repinned:
        stage = site.directory / "repinned"
        tag = order.runtime.tag
        stage_sdk(SdkOrder(source=source, destination=stage, runtime=tag, version=tag.pep440))
        source = stage
    elif source.is_dir():  # some backends leave their output in the project; what was given stays as it is
        source = Path(shutil.copytree(source, site.directory / "project"))
    return source if source.suffix == ".whl" else site.pip.build(source, site.directory / "sdk")


def _identity(sdk: Path) -> SdkIdentity:
    try:
        name, version, _, _ = parse_wheel_filename(sdk.name)
    except InvalidWheelFilename as error:
        raise NoSdk(sdk, "its name is no wheel's") from error
    return SdkIdentity(name=name, version=str(version), sha256=Sha256.of_file(sdk))


def _attempt(case: Case, runtime: Runtime, environment: Environment, site: Site) -> CaseResult:
    is_emulated = case.is_of_runtime and environment.codex is not None
    limit_s = _LIMIT_S * _EMULATED if is_emulated else _LIMIT_S
    home = site.directory / "cases" / case.name
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
    environ = case_environ(environment, site.host, home)
    command = Command(argv=argv, env=environ, cwd=home, timeout_s=limit_s + _GRACE_S)
    try:
        result = read_answer(case.name, site.runner.run(command))
    except Stopped:
        raise
    except FactoryError as error:
        result = CaseResult(case=case.name, outcome=CaseOutcome.COULD_NOT_RUN, detail=str(error))
    return replace(result, detail=without_circumstances(result.detail, site.directory))
