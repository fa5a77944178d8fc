"""The wheel project, built by hand: the injection of the platform tag, and the metadata of the wheel."""

import importlib.util
import os
import shutil
import sys
import zipfile
from collections.abc import Mapping
from email import message_from_bytes
from pathlib import Path
from types import ModuleType

import pytest

from factory.build.template import TEMPLATE_PATHS
from factory.core.targets import PLATFORMS
from factory.system.process import Command, Completed, SubprocessRunner
from tests.backends import HookRunner

ROOT = Path(__file__).parents[3] / "runtime_template"
EXECUTABLE = "codex.exe" if os.name == "nt" else "codex"


@pytest.fixture
def project(tmp_path: Path) -> Path:
    """Copy the template, with a dummy executable."""
    copy = tmp_path / "project"
    for path in TEMPLATE_PATHS:
        (copy / path).parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(ROOT / path, copy / path)
    codex = copy / "src/codex_cli_bin/bin" / EXECUTABLE
    codex.parent.mkdir()
    codex.write_bytes(b"dummy")
    codex.chmod(0o755)
    return copy


def front_end(project: Path, kind: str, env: Mapping[str, str] | None = None) -> Completed:
    """Run ``python -m build`` as documented, with the installed backend."""
    return SubprocessRunner().run(build(project, kind, env or {}))


def hook(project: Path, env: Mapping[str, str] | None = None) -> Completed:
    """Call the hook for a wheel alone, which takes a third of the time."""
    return HookRunner(runner=SubprocessRunner()).run(build(project, "wheel", env or {}))


def build(project: Path, kind: str, env: Mapping[str, str]) -> Command:
    options = ("-m", "build", f"--{kind}", "--no-isolation", "--outdir", str(project / "dist"))
    return Command(argv=(sys.executable, *options, str(project)), env=env, cwd=project.parent)


def with_option(project: Path, value: str) -> None:
    with (project / "pyproject.toml").open("a", encoding="utf-8") as file:
        file.write(f'platform-tag = "{value}"\n')


def built(project: Path) -> list[str]:
    return sorted(path.name for path in (project / "dist").glob("*"))


def test_the_platform_tag_in_the_hook_s_table_overrides_the_environment(project: Path) -> None:
    with_option(project, "win_arm64")

    done = hook(project, {"CODEX_CLI_BIN_PLATFORM_TAG": "win_amd64"})

    assert done.returncode == 0, done.output
    assert built(project) == ["openai_codex_cli_bin-0.0.0.dev0-py3-none-win_arm64.whl"]


def test_the_environment_overrides_the_running_platform(project: Path) -> None:
    done = hook(project, {"CODEX_CLI_BIN_PLATFORM_TAG": "macosx_11_0_arm64"})

    assert done.returncode == 0, done.output
    assert built(project) == ["openai_codex_cli_bin-0.0.0.dev0-py3-none-macosx_11_0_arm64.whl"]


def test_the_running_platform_is_the_default_tag(project: Path) -> None:
    done = hook(project)

    assert done.returncode == 0, done.output
    (name,) = built(project)
    tags = {platform.tag for platform in PLATFORMS}
    assert name.removeprefix("openai_codex_cli_bin-0.0.0.dev0-py3-none-").removesuffix(".whl") in tags


def test_a_malformed_platform_tag_is_refused(project: Path) -> None:
    with_option(project, "linux x86-64")

    done = hook(project)

    assert done.returncode != 0
    assert "'linux x86-64' is not a platform tag" in done.output
    assert built(project) == []


def test_an_sdist_is_refused(project: Path) -> None:
    with_option(project, "win_amd64")

    done = front_end(project, "sdist")

    assert done.returncode != 0
    assert "wheel-only" in done.output
    assert built(project) == []


def test_the_wheels_metadata(project: Path) -> None:
    with_option(project, "musllinux_1_1_aarch64")
    assert front_end(project, "wheel").returncode == 0
    (name,) = built(project)

    with zipfile.ZipFile(project / "dist" / name) as wheel:
        info = "openai_codex_cli_bin-0.0.0.dev0.dist-info"
        metadata = message_from_bytes(wheel.read(f"{info}/METADATA"))
        tags = message_from_bytes(wheel.read(f"{info}/WHEEL"))
        names = wheel.namelist()
        modes = {member.filename: member.external_attr >> 16 for member in wheel.infolist()}

    assert metadata["Metadata-Version"] == "2.4"
    assert metadata["Name"] == "openai-codex-cli-bin"
    assert metadata["Version"] == "0.0.0.dev0"
    assert metadata["Requires-Python"] == ">=3.10"
    assert metadata["License-Expression"] == "Apache-2.0 AND (MIT OR Unlicense) AND LGPL-2.0-or-later"
    assert metadata.get_all("License-File") == ["LICENSE", "THIRD_PARTY_NOTICES.md"]
    assert metadata.get_all("Requires-Dist") is None
    assert tags["Root-Is-Purelib"] == "false"
    assert tags.get_all("Tag") == ["py3-none-musllinux_1_1_aarch64"]
    assert names == [
        "codex_cli_bin/__init__.py",
        "codex_cli_bin/__main__.py",
        "codex_cli_bin/py.typed",
        f"codex_cli_bin/bin/{EXECUTABLE}",
        f"{info}/METADATA",
        f"{info}/WHEEL",
        f"{info}/licenses/LICENSE",
        f"{info}/licenses/THIRD_PARTY_NOTICES.md",
        f"{info}/RECORD",
    ]
    assert modes[f"codex_cli_bin/bin/{EXECUTABLE}"] == 0o100755
    assert modes["codex_cli_bin/__init__.py"] == 0o100644


def test_a_gitignore_above_the_project_is_ignored(project: Path) -> None:
    with_option(project, "win_amd64")
    (project.parent / ".git").mkdir()
    for directory in (project.parent, project):
        (directory / ".gitignore").write_text("bin/\n*.exe\ncodex\n", encoding="utf-8")

    assert hook(project).returncode == 0

    with zipfile.ZipFile(project / "dist" / built(project)[0]) as wheel:
        assert f"codex_cli_bin/bin/{EXECUTABLE}" in wheel.namelist()


def test_the_hook_knows_every_platform_of_the_factory() -> None:
    source = (ROOT / "hatch_build.py").read_text(encoding="utf-8")

    assert [platform.tag for platform in PLATFORMS if f'"{platform.tag}"' not in source] == []


def test_nothing_imports_the_factory() -> None:
    for path in ROOT.rglob("*.py"):
        assert "factory" not in path.read_text(encoding="utf-8").replace("`factory stage-runtime`", "")


def runtime(directory: Path) -> ModuleType:
    """Import a copy of the package."""
    package = directory / "codex_cli_bin"
    package.mkdir()
    shutil.copyfile(ROOT / "src/codex_cli_bin/__init__.py", package / "__init__.py")
    spec = importlib.util.spec_from_file_location("codex_cli_bin", package / "__init__.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_the_package_returns_the_paths_of_its_files(tmp_path: Path) -> None:
    module = runtime(tmp_path)
    package = tmp_path.resolve() / "codex_cli_bin"
    (package / "bin").mkdir()
    (package / "bin" / EXECUTABLE).touch()
    (package / "codex-path").mkdir()

    assert module.PACKAGE_NAME == "openai-codex-cli-bin"
    assert module.bundled_package_dir() == package
    assert module.bundled_codex_path() == package / "bin" / EXECUTABLE
    assert module.bundled_path_dir() == package / "codex-path"


def test_a_release_without_tools_has_no_path_directory(tmp_path: Path) -> None:
    module = runtime(tmp_path)
    (tmp_path / "codex_cli_bin/bin").mkdir()
    (tmp_path / "codex_cli_bin/bin" / EXECUTABLE).touch()

    assert module.bundled_path_dir() is None


@pytest.mark.parametrize("name", ["bundled_codex_path", "bundled_package_dir", "bundled_path_dir"])
def test_missing_files_are_reported_with_a_remedy(tmp_path: Path, name: str) -> None:
    module = runtime(tmp_path)

    with pytest.raises(FileNotFoundError, match="installed without its executable") as caught:
        getattr(module, name)()

    assert "pip install --force-reinstall openai-codex-cli-bin" in str(caught.value)


def test_a_package_in_an_archive_says_why_its_executable_cannot_start(tmp_path: Path) -> None:
    archive = tmp_path / "program.pyz"
    with zipfile.ZipFile(archive, "w") as file:
        for name in ("__init__.py", "__main__.py"):
            file.write(ROOT / "src/codex_cli_bin" / name, f"codex_cli_bin/{name}")

    done = module_run(archive)

    assert done.returncode == 1
    directory = archive.resolve() / "codex_cli_bin"
    assert done.output == (
        "codex_cli_bin: openai-codex-cli-bin is imported from an archive, and "
        f"{directory} is not a directory. "
        "Executables start only from a directory: unpack the archive, or, with PyInstaller, add "
        "--collect-data codex_cli_bin\n"
    )


def module_run(directory: Path, *arguments: str, env: Mapping[str, str] | None = None) -> Completed:
    """Run ``python -m codex_cli_bin`` with the package in a directory or an archive."""
    return SubprocessRunner().run(
        Command(
            argv=(sys.executable, "-m", "codex_cli_bin", *arguments),
            env={"PYTHONPATH": str(directory), **(env or {})},
        )
    )


def installed(directory: Path, script: str) -> Path:
    """Install the package with a script in place of the executable."""
    package = directory / "codex_cli_bin"
    shutil.copytree(ROOT / "src/codex_cli_bin", package)
    (package / "bin").mkdir()
    codex = package / "bin/codex"
    codex.write_text(f"#!/bin/sh\n{script}\n", encoding="utf-8")
    codex.chmod(0o755)
    return package


posix = pytest.mark.skipif(os.name == "nt", reason="the executable is a shell script")


@posix
def test_the_module_runs_the_executable_with_its_arguments_and_exit_status(tmp_path: Path) -> None:
    package = installed(tmp_path, 'echo "$0|$1|$2|$#"; exit 7').resolve()

    done = module_run(tmp_path, "exec", "two words")

    assert (done.returncode, done.output) == (7, f"{package}/bin/codex|exec|two words|2\n")


@posix
def test_the_module_adds_the_tools_of_the_release_to_path(tmp_path: Path) -> None:
    package = installed(tmp_path, 'echo "$PATH"').resolve()
    assert module_run(tmp_path, env={"PATH": "/usr/bin:/bin"}).output == "/usr/bin:/bin\n"

    (package / "codex-path").mkdir()

    assert (
        module_run(tmp_path, env={"PATH": "/usr/bin:/bin"}).output == f"{package}/codex-path:/usr/bin:/bin\n"
    )


@posix
def test_the_executable_replaces_the_process(tmp_path: Path) -> None:
    installed(tmp_path, "kill -TERM $$")

    assert module_run(tmp_path).returncode == -15


@pytest.mark.skipif(not Path("/proc/self/status").exists(), reason="needs the proc file system")
def test_the_executable_ignores_no_signal_that_only_python_ignores(tmp_path: Path) -> None:
    installed(tmp_path, "grep SigIgn /proc/self/status")

    _, ignored = module_run(tmp_path).output.split()
    sigpipe, sigxfsz = 1 << 12, 1 << 24
    assert int(ignored, 16) & (sigpipe | sigxfsz) == 0


@posix
def test_an_executable_that_cannot_start_is_named(tmp_path: Path) -> None:
    package = installed(tmp_path, "").resolve()
    (package / "bin/codex").chmod(0o644)

    done = module_run(tmp_path)

    assert done.returncode == 1
    assert done.output == f"codex_cli_bin: cannot start {package}/bin/codex: Permission denied\n"


def test_the_module_says_what_to_do_without_the_executable(tmp_path: Path) -> None:
    installed(tmp_path, "")
    (tmp_path / "codex_cli_bin/bin/codex").unlink()

    done = module_run(tmp_path)

    assert done.returncode == 1
    assert done.output.startswith("codex_cli_bin: openai-codex-cli-bin is installed without its executable")
    assert "Traceback" not in done.output


def test_on_windows_the_module_waits_and_returns_the_exit_status(tmp_path: Path) -> None:
    installed(tmp_path, "")
    program = "from codex_cli_bin.__main__ import run_and_wait; import signal, sys; "
    program += "print(run_and_wait((sys.executable, '-c', 'raise SystemExit(9)')), signal.getsignal(2).name)"

    done = SubprocessRunner().run(
        Command(argv=(sys.executable, "-c", program), env={"PYTHONPATH": str(tmp_path)})
    )

    assert done.output.split() == ["9", "SIG_IGN"]
