"""``factory sdk make``: the order of its steps, and which platforms and SDK they get."""

from collections.abc import Callable
from pathlib import Path

import pytest
from pytest_httpserver import HTTPServer

from factory.core.errors import VerificationError
from factory.core.targets import Target
from tests.packages import release_directory
from tests.unit.cli.conftest import Factory

LINUX = ("manylinux_2_17_x86_64", "musllinux_1_1_x86_64")
OTHERS = (
    *("manylinux_2_17_aarch64", "musllinux_1_1_aarch64", "macosx_11_0_arm64"),
    *("macosx_10_12_x86_64", "win_amd64", "win_arm64"),
)
Steps = list[tuple[str, ...]]


@pytest.fixture
def steps(monkeypatch: pytest.MonkeyPatch) -> Steps:
    """Record the steps instead of running them: each is a command with tests of its own."""
    return record(monkeypatch, lambda _: None)


def record(monkeypatch: pytest.MonkeyPatch, effect: Callable[[tuple[str, ...]], None]) -> Steps:
    seen: Steps = []

    def step(*words: str) -> None:
        seen.append(words)
        effect(words)

    monkeypatch.setattr("factory.cli.make_sdk._step", step)
    monkeypatch.setattr("factory.cli.make_sdk.fill_wheelhouse", lambda *_args, **_options: "some-sdk==1")
    return seen


@pytest.fixture(scope="module")
def only_linux(tmp_path_factory: pytest.TempPathFactory) -> Path:
    root = tmp_path_factory.mktemp("release") / "packages"
    return release_directory(root, targets=[Target.LINUX_X86_64])


def words(packages: Path, *more: str) -> tuple[str | Path, ...]:
    return ("sdk", "make", "rust-v0.163.0", "--channel", "directory", "--directory", packages, *more)


def test_the_steps_and_the_place_to_install_from(factory: Factory, packages: Path, steps: Steps) -> None:
    ended = factory(*words(packages, "--no-index", "--find-links", "w", "--jobs", "3"))
    assert ended.status == 0, ended.err
    given = ("--channel", "directory", "--directory", str(packages))
    channel = (*given, "--github-repository", "openai/codex")
    pip = ("--find-links", "w", "--no-index")
    stage = "sdk/0.163.0/project"
    assert steps == [
        ("wheels", "0.163.0", "--out", "dist", *channel, "--jobs", "3"),
        ("sdk", "stage", stage, "--codex-version", "0.163.0", *pip, *channel),
        ("sdk", "accept", "dist/0.163.0", "--sdk", stage, *pip, "--jobs", "3"),
        ("sdk", "pin", "dist/0.163.0", "--require-acceptance", "--format", "requirement"),
    ]
    last = "python -m pip install --no-index --find-links sdk/0.163.0/wheels some-sdk==1"
    assert ended.err.endswith(f"install it with: {last}\n")
    assert "missing" not in ended.err


def test_platforms_without_a_package_are_named(factory: Factory, only_linux: Path, steps: Steps) -> None:
    ended = factory(*words(only_linux, "--no-index"))
    assert ended.status == 0, ended.err
    without = tuple(word for platform in OTHERS for word in ("--without", platform))
    assert set(steps[1][5:-6]) == set(without) | {"--no-index"}
    assert set(without) <= set(steps[3])
    for platform in OTHERS:
        assert f"missing: {platform} (the channel has no package)\n" in ended.err
    assert not any(platform in steps[3] for platform in LINUX)


def test_platforms_that_the_settings_leave_out_are_named(
    factory: Factory, packages: Path, steps: Steps, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "factory.toml").write_text(f"[wheels]\nplatform = {list(LINUX)}\n")
    ended = factory(*words(packages, "--no-index"))
    assert ended.status == 0, ended.err
    assert {word for word in steps[-1] if word in {*LINUX, *OTHERS}} == set(OTHERS)
    for platform in OTHERS:
        assert f"missing: {platform} (the settings of 'factory wheels' do not name it)\n" in ended.err


def test_a_refused_platform_is_left_out_and_named(
    factory: Factory, packages: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(step: tuple[str, ...]) -> None:
        if step[0] == "wheels" and ("--platform" not in step or "win_arm64" in step):
            raise VerificationError("1 wheel has errors")

    steps = record(monkeypatch, refuse)
    ended = factory(*words(packages, "--no-index"))
    assert ended.status == 0, ended.err
    assert [step[-1] for step in steps[1:9]] == [
        *("manylinux_2_17_x86_64", "manylinux_2_17_aarch64", "musllinux_1_1_x86_64", "musllinux_1_1_aarch64"),
        *("macosx_11_0_arm64", "macosx_10_12_x86_64", "win_amd64", "win_arm64"),
    ]
    assert "missing: win_arm64 (its wheel has errors)\n" in ended.err
    assert steps[-1][-2:] == ("--without", "win_arm64")


def test_a_release_without_a_good_wheel_fails(
    factory: Factory, packages: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(_step: tuple[str, ...]) -> None:
        raise VerificationError("8 wheels have errors")

    record(monkeypatch, refuse)
    ended = factory(*words(packages, "--no-index"))
    assert ended.status == 24
    assert "8 wheels have errors" in ended.complaint


@pytest.mark.parametrize(
    ("listed", "expected"),
    [
        ("0.163.0", ("--sdk-source", "openai-codex==0.163.0")),
        ("0.162.0", ("--index-url",)),
        (None, ("--index-url",)),
    ],
)
def test_the_official_sdk_is_taken_where_the_index_has_the_version(
    listed: str | None,
    expected: tuple[str, ...],
    factory: Factory,
    packages: Path,
    steps: Steps,
    httpserver: HTTPServer,
) -> None:
    name = f"openai_codex-{listed}-py3-none-any.whl"
    page = f'<html><body><a href="{name}#sha256={"0" * 64}">{name}</a></body></html>'
    answer = httpserver.expect_request("/simple/openai-codex/")
    answer.respond_with_data(page, status=200 if listed else 404, content_type="text/html")
    ended = factory(*words(packages, "--index-url", httpserver.url_for("/simple")))
    assert ended.status == 0, ended.err
    assert steps[1][5 : 5 + len(expected)] == expected


def test_an_index_that_fails_is_an_error(
    factory: Factory, packages: Path, steps: Steps, httpserver: HTTPServer
) -> None:
    httpserver.expect_request("/simple/openai-codex/").respond_with_data("no", status=403)
    assert factory(*words(packages, "--index-url", httpserver.url_for("/simple"))).status == 21
    assert [step[0] for step in steps] == ["wheels"]


@pytest.mark.parametrize(
    ("sdk", "source"),
    [
        ("own", ("--no-index",)),
        ("openai-codex==0.160.0", ("--sdk-source", "openai-codex==0.160.0", "--regenerate", "--no-index")),
        ("OpenAI.Codex==0.163.0", ("--sdk-source", "OpenAI.Codex==0.163.0", "--no-index")),
        ("another-sdk==1.0", ("--sdk-source", "another-sdk==1.0", "--no-index")),
        ("some/checkout", ("--sdk-source", "some/checkout", "--no-index")),
    ],
)
def test_the_sdk_can_be_chosen(
    factory: Factory, packages: Path, steps: Steps, sdk: str, source: tuple[str, ...]
) -> None:
    assert factory(*words(packages, "--sdk", sdk, "--no-index")).status == 0
    assert steps[1][5 : 5 + len(source)] == source


def test_a_step_is_shown_and_its_failure_ends_the_command(factory: Factory, only_linux: Path) -> None:
    broken = only_linux.parent / "broken"
    ended = factory("make-sdk", "0.163.0", "--channel", "directory", "--directory", broken, "--no-index")
    assert ended.status not in {0, 1}
