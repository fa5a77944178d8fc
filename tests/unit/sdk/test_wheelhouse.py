"""The directory from which pip installs an SDK without an index."""

import zipfile
from pathlib import Path

import pytest

from factory.sdk.pip import Pip, Sources
from factory.sdk.sdk_files import UnusableSdk
from factory.sdk.wheelhouse import fill_wheelhouse
from factory.system.process import Command
from tests.fake_runner import Expected, FakeRunner

METADATA = """\
Metadata-Version: 2.4
Name: some-sdk
Version: 1.0
Requires-Dist: openai_codex_cli_bin==0.163.0
Requires-Dist: pydantic>=2.12
"""


def built(name: str, metadata: str = METADATA) -> Expected:
    def effect(command: Command) -> None:
        directory = Path(command.argv[command.argv.index("--wheel-dir") + 1])
        with zipfile.ZipFile(directory / name, "w") as archive:
            archive.writestr("some_sdk-1.0.dist-info/METADATA", metadata)

    return Expected(argv=("pip", "wheel", "--no-deps"), effect=effect)


def collected(*names: str) -> Expected:
    def effect(command: Command) -> None:
        directory = Path(command.argv[command.argv.index("--dest") + 1])
        for name in names:
            (directory / name).touch()

    return Expected(argv=("pip", "download", "--only-binary", ":all:", "pydantic>=2.12"), effect=effect)


def fill(tmp_path: Path, *script: Expected) -> str:
    for name in ("runtime", "project", "scratch"):
        (tmp_path / name).mkdir(exist_ok=True)
    (tmp_path / "runtime/openai_codex_cli_bin-0.163.0-py3-none-win_amd64.whl").touch()
    (tmp_path / "runtime/manifest.json").touch()
    runner = FakeRunner(*script)
    pip = Pip(python=Path("/usr/bin/python3"), env={}, runner=runner, sources=Sources())
    name = fill_wheelhouse(
        tmp_path / "wheels",
        runtime=tmp_path / "runtime",
        sdk=tmp_path / "project",
        pip=pip,
        scratch=tmp_path / "scratch",
    )
    runner.assert_done()
    return name


def test_it_has_the_sdk_the_runtime_and_the_other_requirements(tmp_path: Path) -> None:
    name = fill(tmp_path, built("some_sdk-1.0-py3-none-any.whl"), collected("pydantic-2.12-py3-none-any.whl"))
    assert name == "some-sdk==1.0"
    assert sorted(path.name for path in (tmp_path / "wheels").iterdir()) == [
        "openai_codex_cli_bin-0.163.0-py3-none-win_amd64.whl",
        "pydantic-2.12-py3-none-any.whl",
        "some_sdk-1.0-py3-none-any.whl",
    ]


def test_an_sdk_that_requires_the_runtime_only_needs_no_download(tmp_path: Path) -> None:
    only = METADATA.replace("Requires-Dist: pydantic>=2.12\n", "")
    fill(tmp_path, built("some_sdk-1.0-py3-none-any.whl", only))
    assert len(list((tmp_path / "wheels").iterdir())) == 2


def test_an_incomplete_wheel_leaves_nothing_behind(tmp_path: Path) -> None:
    def empty(command: Command) -> None:
        directory = Path(command.argv[command.argv.index("--wheel-dir") + 1])
        (directory / "some_sdk-1.0-py3-none-any.whl").touch()

    with pytest.raises(UnusableSdk, match="not a complete wheel"):
        fill(tmp_path, Expected(argv=("pip", "wheel"), effect=empty))
    assert not (tmp_path / "wheels").exists()
