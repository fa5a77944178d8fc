"""Pairs of wheels for one stage: from the backend, and from the assembler with an empty stage."""

import struct
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from hatchling.builders.wheel import WheelBuilder

from factory.build.assembler.assemble import assemble
from factory.build.assembler.skeleton import read_skeleton
from factory.build.builder import WheelFile
from factory.build.deflate import deflate
from factory.build.template import PACKAGE, SOURCE_DIRECTORY, bundled_template
from factory.core.progress import SilentProgress

NAME = "openai_codex_cli_bin-0.163.0-py3-none-win_arm64.whl"
_CENTRAL_HEADER_BYTES = 46
_END_RECORD_BYTES = 22


@dataclass(frozen=True, slots=True, kw_only=True)
class Part:
    """One payload file of a stage."""

    content: bytes
    mode: int


def write_stage(directory: Path, payload: Mapping[str, Part]) -> Path:
    """Write the stamped template and a payload."""
    for file in bundled_template().files:
        path = directory / file.path
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(file.content.replace(b'"0.0.0.dev0"', b'"0.163.0"'))
    with (directory / "pyproject.toml").open("a", encoding="utf-8") as project:
        project.write('platform-tag = "win_arm64"\n')
    for name, part in payload.items():
        path = directory / SOURCE_DIRECTORY / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(part.content)
        path.chmod(part.mode)
    return directory


def build_in_process(stage: Path, out: Path) -> Path:
    """Build a stage with hatchling in this process; a process for each example would take minutes."""
    (made,) = WheelBuilder(str(stage)).build(directory=str(out), versions=["standard"])
    return Path(made)


def build_reference(directory: Path, payload: Mapping[str, Part]) -> Path:
    """Return the backend's wheel of a stage with its payload."""
    return build_in_process(write_stage(directory / "stage", payload), directory / "reference")


def build_assembled(directory: Path, payload: Mapping[str, Part], *, create_system: int = 3) -> WheelFile:
    """Return the assembler's wheel of the same payload."""
    empty = {name: Part(content=b"", mode=part.mode) for name, part in payload.items()}
    skeleton = read_skeleton(
        build_in_process(write_stage(directory / "empty", empty), directory / "skeleton")
    )
    kept = directory / "deflated"
    kept.mkdir()
    contents = {
        f"{PACKAGE}/{name}": deflate([part.content], kept / str(index))
        for index, (name, part) in enumerate(payload.items())
    }
    into = directory / skeleton.name
    with SilentProgress().task("assemble") as task:
        return assemble(skeleton, contents, create_system=create_system, into=into, task=task)


def as_made_on_windows(wheel: bytes) -> bytes:
    """Return a wheel with zip host 0 in its central directory (APPNOTE 4.4.2) and no other change."""
    raw = bytearray(wheel)
    count, size_bytes, position = struct.unpack_from("<HLL", raw, len(raw) - _END_RECORD_BYTES + 10)
    assert position + size_bytes + _END_RECORD_BYTES == len(raw)
    for _ in range(count):
        assert raw[position : position + 4] == b"PK\x01\x02"
        raw[position + 5] = 0
        position += _CENTRAL_HEADER_BYTES + sum(struct.unpack_from("<3H", raw, position + 28))
    return bytes(raw)
