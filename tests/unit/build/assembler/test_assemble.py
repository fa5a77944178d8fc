import hashlib
import random
import zipfile
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from factory.build.assembler.assemble import assemble
from factory.build.assembler.skeleton import Skeleton, UnusableSkeleton, read_skeleton
from factory.build.builder import WheelFile
from factory.build.deflate import DamagedDeflated, Deflated, deflate
from factory.core.progress import SilentProgress
from tests.unit.build.assembler.wheel_pairs import (
    NAME,
    Part,
    as_made_on_windows,
    build_assembled,
    build_in_process,
    build_reference,
    write_stage,
)

# Sizes around the limits of zlib: 16 kB of input at once, a window of 32 kB, deflate blocks of 16k symbols
# (level 6); and around the 256 kB in which files are read.
SIZES = (0, 1, 2, 257, 16_383, 16_384, 16_385, 32_768, 33_030, 65_536, 100_000, 262_145, 600_001)


def incompressible(size_bytes: int, seed: int) -> bytes:
    return random.Random(seed).randbytes(size_bytes)  # noqa: S311 - bytes to compress, no secret


def sparse(size_bytes: int, seed: int) -> bytes:
    content = bytearray(size_bytes)
    content[:: 4096 + seed] = bytes(seed % 255 + 1 for _ in content[:: 4096 + seed])
    return bytes(content)


def like_code(size_bytes: int, seed: int) -> bytes:
    words = [incompressible(5, seed + number) for number in range(97)]
    order = random.Random(seed)  # noqa: S311 - as above
    return b"".join(order.choices(words, k=size_bytes // 5 + 1))[:size_bytes]


CONTENTS = st.binary(max_size=400) | st.builds(
    lambda make, size_bytes, seed: make(size_bytes, seed),
    st.sampled_from([incompressible, sparse, like_code]),
    st.sampled_from(SIZES),
    st.integers(0, 1000),
)
PARTS = st.builds(
    lambda content, mode: Part(content=content, mode=mode), CONTENTS, st.sampled_from([0o755, 0o644])
)
# Characters that the payload's guard accepts, more than in any release: commas and quotes, which RECORD
# quotes; non-ASCII letters, which set a flag in the zip; and line ends of Python that csv does not have.
LETTERS = st.sampled_from("abcXYZ019-_+,;'\" .é漢\x85\u2028")
NAMES = st.text(LETTERS, min_size=1, max_size=12).map(lambda text: f"f{text}e")
PATHS = st.lists(NAMES, min_size=1, max_size=3).map("/".join)
PAYLOADS = st.dictionaries(PATHS, PARTS, min_size=1, max_size=3).filter(
    lambda payload: (
        not any(
            other.casefold().startswith(f"{name.casefold()}/")
            or (other != name and other.casefold() == name.casefold())
            for name in payload
            for other in payload
        )
    )
)


@settings(max_examples=30, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(payload=PAYLOADS)
def test_the_assembler_writes_the_backend_s_bytes(payload: Mapping[str, Part]) -> None:
    with TemporaryDirectory() as scratch:
        reference = build_reference(Path(scratch), payload).read_bytes()
        assembled = build_assembled(Path(scratch), payload)
        assert assembled.path.read_bytes() == reference
        assert assembled.size_bytes == len(reference)
        assert assembled.sha256.hex == hashlib.sha256(reference).hexdigest()


@settings(max_examples=10, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(payload=PAYLOADS)
def test_the_zip_host_is_one_byte_of_each_member(payload: Mapping[str, Part]) -> None:
    with TemporaryDirectory() as scratch:
        reference = build_reference(Path(scratch), payload).read_bytes()
        path = build_assembled(Path(scratch), payload, create_system=0).path
        assert path.read_bytes() == as_made_on_windows(reference)
        with zipfile.ZipFile(path) as wheel:
            assert {info.create_system for info in wheel.infolist()} == {0}
            assert wheel.testzip() is None


PAYLOAD = {
    "bin/codex.exe": Part(content=like_code(200_000, 1), mode=0o755),
    "bin/helper.exe": Part(content=incompressible(40_000, 2), mode=0o755),
    "codex-package.json": Part(content=b"{}\n", mode=0o644),
}


def empty_skeleton(directory: Path) -> Skeleton:
    empty = {name: replace(part, content=b"") for name, part in PAYLOAD.items()}
    return read_skeleton(build_in_process(write_stage(directory / "empty", empty), directory / "skeleton"))


def attempt(skeleton: Skeleton, contents: Mapping[str, Deflated], into: Path) -> WheelFile:
    with SilentProgress().task("assemble") as task:
        return assemble(skeleton, contents, create_system=3, into=into, task=task)


def test_an_installer_finds_the_payload(tmp_path: Path) -> None:
    path = build_assembled(tmp_path, PAYLOAD).path
    assert path.name == NAME
    with zipfile.ZipFile(path) as wheel:
        assert wheel.testzip() is None
        got = {
            info.filename: (wheel.read(info), oct(info.external_attr >> 16))
            for info in wheel.infolist()
            if info.filename.endswith((".exe", ".json"))
        }
        record = wheel.read("openai_codex_cli_bin-0.163.0.dist-info/RECORD").decode().splitlines()
    assert got == {
        "codex_cli_bin/bin/codex.exe": (PAYLOAD["bin/codex.exe"].content, "0o100755"),
        "codex_cli_bin/bin/helper.exe": (PAYLOAD["bin/helper.exe"].content, "0o100755"),
        "codex_cli_bin/codex-package.json": (b"{}\n", "0o100644"),
    }
    assert "codex_cli_bin/codex-package.json,sha256=yj0WO6sFU4GCciYUBWjzvvfqrBh869doeOC2Pp5EI1Y,3" in record


def test_payload_that_the_backend_left_out_is_an_error(tmp_path: Path) -> None:
    kept = deflate([b"x"], tmp_path / "content")
    with pytest.raises(UnusableSkeleton, match="the backend left out codex_cli_bin/bin/other"):
        attempt(empty_skeleton(tmp_path), {"codex_cli_bin/bin/other": kept}, tmp_path / "wheel")
    assert not (tmp_path / "wheel").exists()


def test_a_member_that_needs_zip64_is_refused(tmp_path: Path) -> None:
    kept = replace(deflate([b"x"], tmp_path / "content"), size_bytes=2_045_222_521)
    with pytest.raises(UnusableSkeleton, match=r"bin/codex\.exe needs zip64"):
        attempt(empty_skeleton(tmp_path), {"codex_cli_bin/bin/codex.exe": kept}, tmp_path / "wheel")


def test_a_damaged_file_is_detected_while_a_wheel_is_written(tmp_path: Path) -> None:
    kept = deflate([PAYLOAD["bin/codex.exe"].content], tmp_path / "content")
    raw = bytearray(kept.path.read_bytes())
    raw[1000] ^= 1
    kept.path.write_bytes(raw)
    with pytest.raises(DamagedDeflated, match=str(kept.sha256)):
        attempt(empty_skeleton(tmp_path), {"codex_cli_bin/bin/codex.exe": kept}, tmp_path / "wheel")
    assert not kept.path.exists()


def test_an_existing_file_is_never_overwritten(tmp_path: Path) -> None:
    (tmp_path / "wheel").write_bytes(b"precious")
    with pytest.raises(FileExistsError):
        attempt(empty_skeleton(tmp_path), {}, tmp_path / "wheel")
    assert (tmp_path / "wheel").read_bytes() == b"precious"
