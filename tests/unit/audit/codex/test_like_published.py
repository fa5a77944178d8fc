"""Building with the recipes that were inferred from published wheels."""

from dataclasses import replace
from pathlib import Path

import pytest

from factory.audit.codex.like_published import plan_like_published
from factory.audit.index import fetch_listing
from factory.audit.results import Results
from factory.audit.run import AuditProgress, audit_listing
from factory.audit.selection import Selection
from factory.build.builder import Engine
from factory.core.digests import Sha256
from factory.core.errors import UpstreamError, UsageError, VerificationError
from factory.verify.baseline.baseline import Baseline
from factory.verify.inputs import find_wheels
from factory.verify.waivers import Waiver
from factory.wheels.plan import WheelsPlan, WheelsRequest
from factory.wheels.run import make_wheels
from tests.audits import CODEX_MAPPING, INDEX, PROJECT, FakeIndex, as_upstream, audit_context, codex_auditor
from tests.origins import ASKED_AT
from tests.packages import TAG, release_directory
from tests.runs import run_factory
from tests.wheels import INFO, Wheel
from tests.zip_writer import ZipMember

LINUX = "openai_codex_cli_bin-0.163.0-py3-none-manylinux_2_17_x86_64.whl"
WINDOWS = "openai_codex_cli_bin-0.163.0-py3-none-win_amd64.whl"
OTHER_TEXT = Waiver(check="closed-world-text", pattern="*/__init__.py", reason="this index has another text")

NO_BILL = Waiver(check="closed-world-complete", pattern="*.cdx.json", reason="this index has no such bill")


@pytest.fixture(scope="module")
def packages(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return release_directory(tmp_path_factory.mktemp("release") / "packages")


@pytest.fixture(scope="module")
def published(packages: Path, tmp_path_factory: pytest.TempPathFactory) -> dict[str, Wheel]:
    """The wheels of an index: one for Linux, and one for Windows with another text and zip host."""
    root = tmp_path_factory.mktemp("published")
    run_factory(packages, root, cache=root / "cache", platforms=("manylinux_2_17_x86_64", "win_amd64"))
    windows = as_upstream(root / TAG.pep440 / WINDOWS).edited_text(
        "codex_cli_bin/__init__.py", "no other code", "nothing else"
    )

    def edit(member: ZipMember) -> ZipMember:
        return replace(member, create_system=0)

    members = tuple(edit(member) for member in windows.archive.members)
    archive = replace(windows.archive, members=members)
    return {
        LINUX: as_upstream(root / TAG.pep440 / LINUX),
        WINDOWS: replace(windows, archive=archive, edit_record_member=edit),
    }


def planned(
    wheels: dict[str, Wheel],
    packages: Path,
    tmp_path: Path,
    *,
    engine: Engine = Engine.ASSEMBLER,
    platforms: tuple[str, ...] = (),
    waivers: tuple[Waiver, ...] = (),
) -> WheelsPlan:
    index = FakeIndex(files={name: wheel.content() for name, wheel in wheels.items()})
    context = replace(audit_context(index, packages, tmp_path), baseline=Baseline())  # as the command does
    request = WheelsRequest(tag=TAG, platforms=None, out=tmp_path / "dist", engine=engine, waivers=waivers)
    listing = fetch_listing(index, index=INDEX, project=PROJECT, asked_at=ASKED_AT)
    return plan_like_published(request, listing, context, CODEX_MAPPING, platforms=platforms)


def build(plan: WheelsPlan, packages: Path, tmp_path: Path) -> Path:
    make_wheels(plan, audit_context(FakeIndex(files={}), packages, tmp_path).tools)
    return tmp_path / "dist" / "0.163.0-as-published"


def test_a_platform_tag_outside_our_table_is_built_and_recorded(
    published: dict[str, Wheel], packages: Path, tmp_path: Path
) -> None:
    name = LINUX.replace("manylinux_2_17", "manylinux_2_12")
    other = replace(
        published[LINUX].edited_text(f"{INFO}/WHEEL", "manylinux_2_17", "manylinux_2_12"), name=name
    )
    made = build(planned({name: other}, packages, tmp_path, waivers=(NO_BILL,)), packages, tmp_path)
    assert (made / name).read_bytes() == other.content()
    (group,) = find_wheels([made / "manifest.json"])
    assert [wheel.path.name for wheel in group.wheels] == [name]


@pytest.mark.parametrize("engine", list(Engine))
def test_the_published_bytes_are_built(
    published: dict[str, Wheel], packages: Path, tmp_path: Path, engine: Engine
) -> None:
    plan = planned(published, packages, tmp_path, engine=engine, waivers=(OTHER_TEXT, NO_BILL))
    made = build(plan, packages, tmp_path)
    assert sorted(path.name for path in made.glob("*.whl")) == [LINUX, WINDOWS]
    assert (made / LINUX).read_bytes() == published[LINUX].content()
    assert (made / WINDOWS).read_bytes() == published[WINDOWS].content()


def test_platforms_can_be_selected(published: dict[str, Wheel], packages: Path, tmp_path: Path) -> None:
    plan = planned(published, packages, tmp_path, platforms=("win_amd64",))
    assert [wheel.name for wheel in plan.wheels] == [WINDOWS]


def test_a_release_with_a_file_that_cannot_be_audited_is_not_rebuilt(packages: Path, tmp_path: Path) -> None:
    index = FakeIndex(files={"openai_codex_cli_bin-0.163.0.tar.gz": b""})
    request = WheelsRequest(tag=TAG, platforms=None, out=tmp_path / "dist")
    listing = fetch_listing(index, index=INDEX, project=PROJECT, asked_at=ASKED_AT)
    with pytest.raises(UpstreamError, match=r"0\.163\.0\.tar\.gz cannot be rebuilt: it is not a wheel"):
        plan_like_published(
            request, listing, audit_context(index, packages, tmp_path), CODEX_MAPPING, platforms=()
        )


def test_bytes_that_differ_from_the_index_are_not_published(
    published: dict[str, Wheel], packages: Path, tmp_path: Path
) -> None:
    plan = planned(published, packages, tmp_path, platforms=("win_amd64",))
    lying = replace(plan, wheels=(replace(plan.wheels[0], promised=Sha256("0" * 64)),))
    with pytest.raises(VerificationError, match=r"not the bytes that the index lists: .*win_amd64\.whl"):
        build(lying, packages, tmp_path)
    assert not (tmp_path / "dist" / "0.163.0-as-published" / WINDOWS).exists()


def test_an_unpublished_platform_is_refused(
    published: dict[str, Wheel], packages: Path, tmp_path: Path
) -> None:
    with pytest.raises(UpstreamError, match=r"no wheel of rust-v0\.163\.0 for macosx_11_0_arm64"):
        planned(published, packages, tmp_path, platforms=("win_amd64", "macosx_11_0_arm64"))


def test_a_wheel_with_an_unknown_generator_is_refused_with_its_reason(
    published: dict[str, Wheel], packages: Path, tmp_path: Path
) -> None:
    other = published[LINUX].edited_text(f"{INFO}/WHEEL", "hatchling", "flit")
    with pytest.raises(UpstreamError, match=r"manylinux_2_17_x86_64\.whl cannot be rebuilt: its generator"):
        planned({LINUX: other}, packages, tmp_path)


def test_wheels_built_by_two_backends_are_refused(
    published: dict[str, Wheel], packages: Path, tmp_path: Path
) -> None:
    older = published[LINUX].edited_text(f"{INFO}/WHEEL", "1.33.0", "1.32.4")
    with pytest.raises(
        UsageError, match=r"hatchling==1\.32\.4: manylinux_2_17_x86_64; hatchling==1\.33\.0: win_amd64"
    ):
        planned({**published, LINUX: older}, packages, tmp_path)


def test_an_audit_prunes_the_cache_to_its_limit(
    published: dict[str, Wheel], packages: Path, tmp_path: Path
) -> None:
    index = FakeIndex(files={LINUX: published[LINUX].content()})
    listing = fetch_listing(index, index=INDEX, project=PROJECT, asked_at=ASKED_AT)
    progress = AuditProgress(verdict=lambda _: None, release=lambda *_: None)
    for limit, kept in ((1_000_000_000, True), (0, False)):
        context = audit_context(index, packages, tmp_path, cache_limit_bytes=limit)
        audit_listing(
            listing,
            Selection(tags=(TAG,)),
            codex_auditor(context),
            context,
            results=Results(tmp_path / str(limit), identity={}),
            progress=progress,
        )
        deflated = [path for path in (tmp_path / "cache" / "deflate").rglob("[!.]*") if path.is_file()]
        assert bool(deflated) is kept
