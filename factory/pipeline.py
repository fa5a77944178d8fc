"""The run behind ``factory wheels``: fetch, build, verify, publish; one function a step."""

import shutil
import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from factory import __version__
from factory.acceptance import Acceptance
from factory.builders.assembler import AssemblingBuilder
from factory.builders.native import NativeFrontEnd
from factory.builders.package import Builder, BuiltPackage, Engine, LaidOutWheel, Package
from factory.builders.reference import ReferenceBuilder
from factory.deflate_store import DeflateStore
from factory.digests import Digest, Sha256
from factory.download import Downloader
from factory.errors import VerificationError
from factory.files import read_verified, writing
from factory.judging import expected_wheel, trust_policy
from factory.manifest import Manifest, ToolchainRecord, WheelRecord
from factory.model import Local, ReleaseAsset, VerifiedWheel
from factory.parallel import in_parallel
from factory.payload import PackageSource
from factory.payload_record import recall_payload, remember_payload
from factory.planning import PlannedWheel, WheelsOrder, WheelsPlan
from factory.process import Runner
from factory.progress import Progress
from factory.recording import record_run, record_toolchain, record_wheels
from factory.store import Namespace, Store
from factory.targets import targets_of
from factory.toolchain import Lock, Toolchain, lock_for
from factory.trust.signers import without_authorship
from factory.verify import WheelRejected, verify
from factory.verify.registry import CHECKS
from factory.verify.stock_tools import StockTools
from factory.verify.waivers import Waiver, apply_waivers, require_used
from factory.zlib_identity import deflate_identity, require_reference_deflate

DEFLATE_LIMIT_BYTES = 8_000_000_000
"""How much of deflated contents stays after a run; a release has 0.9 GB of its own."""
DOWNLOADS = 4
"""How many downloads at once; they wait for the network, not for a core."""


class EnginesDisagree(VerificationError):
    """The assembler and the backend made different bytes: a defect of the assembler."""

    hint = "Use '--engine backend' and report this with the tag and the platform."

    def __init__(self, name: str, digests: Mapping[Engine, Sha256]) -> None:
        told = ", ".join(f"{engine} made {digest}" for engine, digest in sorted(digests.items()))
        super().__init__(f"{name}: {told}")


class NotAsPublished(VerificationError):
    """Wheels made with the recipe of published ones have other bytes."""

    hint = "Run 'factory audit' on the release: it names what differs."

    def __init__(self, names: Sequence[str]) -> None:
        super().__init__(f"not the bytes that the index lists: {', '.join(names)}")


class WheelsRejected(VerificationError):
    """Some built wheels have error findings; nothing of the run is published."""

    hint = WheelRejected.hint

    def __init__(self, rejected: Sequence[WheelRejected]) -> None:
        super().__init__("\n".join(str(rejection) for rejection in rejected))
        self.rejected = tuple(rejected)


@dataclass(frozen=True, slots=True, kw_only=True)
class Workshop:
    """What a run works with.

    Attributes:
        store: Where downloads, payload records and deflated contents are kept.
        downloader: What brings packages.
        runner: What starts processes.
        progress: Is told how the work goes.
        toolchain_for: Makes a lock's environment, or gives the one made before.
        host_env: What every process on this host needs; nothing else reaches a build.
        jobs: How many things at once.
        stop: Is set when the run must end.
        stock_tools: Second readers of every wheel; None asks none.
        deflate_limit_bytes: How much of deflated contents stays after a run, least recently used first to go.
    """

    store: Store
    downloader: Downloader
    runner: Runner
    progress: Progress
    toolchain_for: Callable[[Lock], Toolchain]
    host_env: Mapping[str, str]
    jobs: int
    stop: threading.Event
    stock_tools: StockTools | None = None
    deflate_limit_bytes: int = DEFLATE_LIMIT_BYTES


@dataclass(frozen=True, slots=True, kw_only=True)
class WheelsRun:
    """How a run ended.

    Attributes:
        manifest: Every wheel that the output directory has now.
        made: The names of those that this run made; the others were there, whole and current.
    """

    manifest: Manifest
    made: tuple[str, ...]


def make_wheels(plan: WheelsPlan, workshop: Workshop) -> WheelsRun:
    """Make what the plan says and is not there yet; publish all of it or nothing.

    Raises:
        FactoryError: A step failed; the output directory is as it was.
    """
    toolchain = _prepare_toolchain(plan, workshop)
    record = record_toolchain(toolchain, builder="native", engine=plan.order.engine)
    earlier = plan.dist.read_manifest()
    kept = _keep(plan, earlier, record, jobs=workshop.jobs)
    missing = _missing(plan, kept)
    if earlier is not None and not missing:
        plan.dist.sweep()
        _require_used(plan.order.waivers, kept)
        return WheelsRun(manifest=earlier, made=())
    with plan.dist.scratch() as scratch:
        packages = _fetch(missing, plan, workshop)
        built = _build(packages, plan, toolchain, workshop, scratch)
        _require_promised(missing, built)
        for package, done in zip(packages, built, strict=True):
            remember_payload(workshop.store, package.asset.digest, done.payload)
        verified = _verify(plan, built, workshop, scratch)
        manifest = record_run(
            plan.released,
            toolchain=record,
            wheels=(*kept, *record_wheels(packages, built, verified)),
            sizes=_sizes(packages, earlier),
        ).accepting(_evidence(earlier))
        _require_used(plan.order.waivers, manifest.wheels)
        plan.dist.publish(manifest, [wheel.wheel.path for wheel in verified])
    workshop.store.bound(Namespace.DEFLATE, max_bytes=workshop.deflate_limit_bytes)
    return WheelsRun(manifest=manifest, made=tuple(wheel.wheel.name for wheel in verified))


def _prepare_toolchain(plan: WheelsPlan, workshop: Workshop) -> Toolchain:
    """Make the locked environment, and let both encoders answer for themselves.

    The assembler deflates with this process's zlib, the backend with the toolchain's.

    Raises:
        OtherDeflate: One of them is not the reference.
    """
    with ThreadPoolExecutor(max_workers=1) as pool:  # each takes its time, and they do not need each other
        making = pool.submit(workshop.toolchain_for, lock_for(plan.wheels[0].recipe.backend.version))
        try:
            require_reference_deflate(deflate_identity())
            toolchain = making.result()
        except BaseException:
            workshop.stop.set()
            raise
    require_reference_deflate(toolchain.interpreter.deflate)
    return toolchain


def _keep(
    plan: WheelsPlan, earlier: Manifest | None, toolchain: ToolchainRecord, *, jobs: int
) -> tuple[WheelRecord, ...]:
    """Return the wheels of an earlier run that are whole and that this run would make again.

    Wheels of platforms that were not asked for stay, too, where the same toolchain made
    them from the same channel: a manifest has one of each.
    """
    if earlier is None or plan.order.is_fresh or plan.order.is_engine_checked:
        return ()
    same = (earlier.tag, earlier.channel, earlier.factory_version, earlier.toolchain)
    if same != (plan.order.tag, plan.released.channel, __version__, toolchain):
        return ()
    planned = {wheel.recipe.platform.tag: wheel for wheel in plan.wheels}
    current = [
        record
        for record in earlier.wheels
        if _stands(record, plan.order)
        and (record.platform not in planned or _is_current(record, planned[record.platform]))
    ]
    return plan.dist.intact(current, jobs=jobs)


def _is_current(record: WheelRecord, planned: PlannedWheel) -> bool:
    return (
        record.recipe == planned.recipe.identity
        and record.asset == planned.asset.digest
        and record.checks == tuple(check.id for check in CHECKS)
    )


def _stands(record: WheelRecord, order: WheelsOrder) -> bool:
    """Whether today's waivers leave of a wheel's findings what the record says, and no author is missing."""
    if order.required_authorship.covers((record.platform,)) and without_authorship(record.standings):
        return False
    now = apply_waivers(record.found, order.waivers)
    return (set(now.remaining), set(now.waived)) == (set(record.findings), set(record.waived))


def _require_used(waivers: Sequence[Waiver], wheels: Sequence[WheelRecord]) -> None:
    """Refuse waivers that accept nothing of any wheel.

    Raises:
        UnusedWaiver: There are some.
    """
    found = [finding for wheel in wheels for finding in wheel.found]
    require_used(apply_waivers(found, waivers).unused)


def _missing(plan: WheelsPlan, kept: Sequence[WheelRecord]) -> tuple[PlannedWheel, ...]:
    there = {record.platform for record in kept}
    return tuple(wheel for wheel in plan.wheels if wheel.recipe.platform.tag not in there)


def _fetch(missing: Sequence[PlannedWheel], plan: WheelsPlan, workshop: Workshop) -> tuple[Package, ...]:
    """Fetch what the missing wheels need, and group them by the package that feeds them."""
    targets = targets_of(wheel.recipe.platform for wheel in missing)
    assets = tuple(asset for asset in plan.assets if asset.target in targets)
    paths = workshop.downloader.fetch_all(assets, jobs=DOWNLOADS)
    return tuple(
        Package(
            asset=asset,
            source=source_of(asset, path, workshop.store),
            size_bytes=path.stat().st_size,
            payload=recall_payload(workshop.store, asset.digest, asset.target),
            recipes=tuple(wheel.recipe for wheel in missing if wheel.recipe.platform.target is asset.target),
        )
        for asset, path in zip(assets, paths, strict=True)
    )


def source_of(asset: ReleaseAsset, path: Path, store: Store) -> PackageSource:
    """Name a package so that its digest is checked again as it is read."""
    if isinstance(asset.location, Local):
        opened = partial(read_verified, path, asset.digest, name=asset.name)
    else:
        opened = partial(store.open, asset.digest)
    return PackageSource.archive(path, asset.format, opened=opened, name=asset.name)


def _build(
    packages: Sequence[Package],
    plan: WheelsPlan,
    toolchain: Toolchain,
    workshop: Workshop,
    scratch: Path,
) -> tuple[BuiltPackage, ...]:
    """Build with the engine that was asked for, and with the other one as well where that was asked for."""
    order = plan.order
    is_cold = order.is_fresh or order.is_engine_checked
    deflated = scratch / "deflate" if is_cold else workshop.store.root / Namespace.DEFLATE
    makers = {
        Engine.ASSEMBLER: _assembling(toolchain, workshop, deflated),
        Engine.BACKEND: _reference(toolchain, workshop),
    }
    built = makers[order.engine].build(packages, tag=order.tag, scratch=scratch / "build")
    if order.is_engine_checked:
        (other,) = set(Engine) - {order.engine}
        check = makers[other].build(packages, tag=order.tag, scratch=scratch / "check")
        _require_equal({order.engine: built, other: check})
    return built


def _assembling(toolchain: Toolchain, workshop: Workshop, deflated: Path) -> Builder:
    return AssemblingBuilder(
        toolchain=toolchain,
        runner=workshop.runner,
        progress=workshop.progress,
        host_env=workshop.host_env,
        jobs=workshop.jobs,
        store=DeflateStore(root=deflated, encoder=toolchain.interpreter.deflate.answer),
        stop=workshop.stop,
    )


def _reference(toolchain: Toolchain, workshop: Workshop) -> Builder:
    front_end = NativeFrontEnd(
        toolchain=toolchain,
        runner=workshop.runner,
        progress=workshop.progress,
        host_env=workshop.host_env,
    )
    return ReferenceBuilder(
        front_end=front_end, progress=workshop.progress, jobs=workshop.jobs, stop=workshop.stop
    )


def _require_equal(built: Mapping[Engine, Sequence[BuiltPackage]]) -> None:
    by_name: dict[str, dict[Engine, Sha256]] = {}
    for engine, packages in built.items():
        for package in packages:
            for laid_out in package.wheels:
                by_name.setdefault(laid_out.wheel.name, {})[engine] = laid_out.wheel.sha256
    for name, digests in sorted(by_name.items()):
        if len(set(digests.values())) != 1:
            raise EnginesDisagree(name, digests)


def _require_promised(planned: Sequence[PlannedWheel], built: Sequence[BuiltPackage]) -> None:
    """Refuse wheels that are made like published ones and are not the same.

    Raises:
        NotAsPublished: There are some.
    """
    promised = {wheel.recipe.platform.tag: wheel.promised for wheel in planned}
    made = [laid_out.wheel for package in built for laid_out in package.wheels]
    others = [wheel.name for wheel in made if promised[wheel.platform.tag] not in {None, wheel.sha256}]
    if others:
        raise NotAsPublished(others)


def _verify(
    plan: WheelsPlan, built: Sequence[BuiltPackage], workshop: Workshop, scratch: Path
) -> tuple[VerifiedWheel, ...]:
    """Judge every wheel; what is wrong with all of them is told at once.

    Raises:
        WheelsRejected: A wheel has an error finding.
    """

    def judge(laid_out: LaidOutWheel) -> VerifiedWheel | WheelRejected:
        unpacked = scratch / f"verify-{laid_out.wheel.platform}"
        with workshop.progress.task(f"verify {laid_out.wheel.platform}"), _own_directory(unpacked):
            try:
                return verify(
                    laid_out.wheel,
                    expected=expected_wheel(plan, laid_out),
                    scratch=unpacked,
                    waivers=plan.order.waivers,
                    stock_tools=workshop.stock_tools,
                    trust=trust_policy(plan, laid_out),
                )
            except WheelRejected as rejection:
                return rejection

    verdicts = in_parallel(
        judge,
        [laid_out for package in built for laid_out in package.wheels],
        jobs=workshop.jobs,
        weight=lambda laid_out: laid_out.wheel.size_bytes,
        stop=workshop.stop,
    )
    rejected = [verdict for verdict in verdicts if isinstance(verdict, WheelRejected)]
    if rejected:
        raise WheelsRejected(rejected)
    return tuple(verdict for verdict in verdicts if isinstance(verdict, VerifiedWheel))


@contextmanager
def _own_directory(path: Path) -> Iterator[None]:
    """Make a directory and remove it: a wheel's unpacked executables go before the next wheel's come."""
    with writing(path):
        path.mkdir()
    try:
        yield
    finally:
        shutil.rmtree(path, ignore_errors=True)


def _evidence(earlier: Manifest | None) -> Mapping[Sha256, Acceptance]:
    """Return what is known of wheels by their bytes: it holds for a wheel that was made again."""
    wheels = () if earlier is None else earlier.wheels
    return {wheel.sha256: wheel.acceptance for wheel in wheels if wheel.acceptance is not None}


def _sizes(packages: Sequence[Package], earlier: Manifest | None) -> Mapping[Digest, int]:
    """Return the sizes of the assets read now, and of those that fed the wheels that were kept."""
    known = {} if earlier is None else {asset.digest: asset.size_bytes for asset in earlier.assets}
    return {**known, **{package.asset.digest: package.size_bytes for package in packages}}
