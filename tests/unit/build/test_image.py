"""The Dockerfile and the build context of the builder image, checked without a container engine."""

import importlib.util
import re
import stat
from pathlib import Path
from types import ModuleType

import pytest

from factory.build.backend.docker import TOOLCHAINS, USER, toolchain_python
from factory.build.toolchain import lock_for, lock_named, locked_versions

ROOT = Path(__file__).resolve().parents[3]
DOCKERFILE = (ROOT / "Dockerfile").read_text(encoding="utf-8")
SCRIPTS = (".ci/build-image", ".ci/docker-engine", ".ci/run")
PYTHON_311_2 = {
    "implementation_name": "cpython",
    "os_name": "posix",
    "platform_machine": "x86_64",
    "platform_python_implementation": "CPython",
    "python_full_version": "3.11.2",
    "python_version": "3.11",
    "sys_platform": "linux",
}
LOCK = """\
# made by hand
backports-zstd==1.8.0 ; python_full_version < '3.14' \\
    --hash=sha256:00 \\
    --hash=sha256:01
pywin32==312 ; sys_platform == 'win32' \\
    --hash=sha256:02
soupsieve==2.10 ; python_full_version < '3.11.5' \\
    --hash=sha256:03
soupsieve==4.1.2 ; python_full_version >= '3.11.5' \\
    --hash=sha256:04
rich==15.0.0 \\
    --hash=sha256:05
"""


@pytest.fixture(scope="module")
def image_requirements() -> ModuleType:
    spec = importlib.util.spec_from_file_location("image_requirements", ROOT / ".ci/image_requirements.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_the_image_s_python_decides_what_is_downloaded(image_requirements: ModuleType) -> None:
    assert image_requirements.applicable(LOCK, PYTHON_311_2) == (
        "backports-zstd==1.8.0 \\\n    --hash=sha256:00 \\\n    --hash=sha256:01\n"
        "soupsieve==2.10 \\\n    --hash=sha256:03\n"
        "rich==15.0.0 \\\n    --hash=sha256:05\n"
    )


def test_the_real_lock_has_each_requirement_once_with_its_hashes(
    image_requirements: ModuleType,
) -> None:
    kept = image_requirements.applicable((ROOT / "requirements.txt").read_text(), PYTHON_311_2)
    names = re.findall(r"^([a-z0-9-]+)==", kept, re.MULTILINE)
    assert len(names) == len(set(names)) > 50
    assert len(re.findall(r"==.*\\\n    --hash=sha256:", kept)) == len(names)
    assert ";" not in kept


def test_the_base_is_named_by_digest() -> None:
    (base,) = re.findall(r"^ARG BASE_IMAGE=(.+)$", DOCKERFILE, re.MULTILINE)
    assert re.fullmatch(r"[a-z0-9./_-]+@sha256:[0-9a-f]{64}", base)
    assert set(re.findall(r"^FROM (\S+)", DOCKERFILE, re.MULTILINE)) == {"${BASE_IMAGE}"}


def test_the_base_is_pinned_by_the_locked_cibuildwheel() -> None:
    (version,) = re.findall(r"^# .*as pinned by cibuildwheel (\S+);", DOCKERFILE, re.MULTILINE)
    # tests/integration/test_image_pin.py compares the digest that this version pins.
    assert ("cibuildwheel", version) in lock_named(f"cibuildwheel-{version}").requirements


def test_the_image_runs_the_factory_as_an_unprivileged_user() -> None:
    instructions = re.findall(r"^([A-Z]+) (.+)$", DOCKERFILE.partition("\nFROM")[2], re.MULTILINE)
    assert ("USER", USER) in instructions
    assert ("ENTRYPOINT", '["factory"]') in instructions
    assert {name for name, _ in instructions}.isdisjoint({"HEALTHCHECK", "VOLUME", "EXPOSE", "ADD"})


@pytest.mark.parametrize("version", locked_versions())
def test_the_image_has_each_toolchain_where_the_builder_looks(version: str) -> None:
    assert f'"{TOOLCHAINS}/$(basename "$lock" .txt)-$digest"' in DOCKERFILE
    assert 'digest=$(sha256sum "$lock" | cut -c -16)' in DOCKERFILE
    lock = lock_for(version)
    assert (ROOT / f"factory/build/locks/hatchling-{version}.txt").read_bytes() == lock.content
    place = f"{TOOLCHAINS}/hatchling-{version}-{str(lock.sha256)[:16]}"
    assert str(toolchain_python(lock)) == f"{place}/bin/python"


def test_only_listed_files_are_in_the_build_context() -> None:
    lines = (ROOT / ".dockerignore").read_text().splitlines()
    patterns = [line for line in lines if not line.startswith("#")]
    assert patterns[0] == "*"
    copied = re.findall(r"^COPY (?!--from)(\S+) ", DOCKERFILE, re.MULTILINE)
    assert sorted(f"!{source}" for source in copied) == sorted(patterns[1:])


@pytest.mark.parametrize("script", SCRIPTS)
def test_scripts_stop_at_the_first_failure(script: str) -> None:
    path = ROOT / script
    assert path.stat().st_mode & stat.S_IXUSR or script == ".ci/run"
    assert "set -euo pipefail" in path.read_text(encoding="utf-8")
