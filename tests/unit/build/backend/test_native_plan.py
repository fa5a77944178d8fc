from pathlib import Path

import pytest

from factory.build.backend.native import BuildPlan, plan_native_build
from factory.build.backend.output import WheelOutput
from factory.build.deflate_check import DeflateIdentity, Interpreter
from factory.build.template import wheel_name
from factory.build.toolchain import Lock, Toolchain
from factory.core.digests import Sha256
from factory.core.tags import CodexTag
from factory.core.targets import Platform
from factory.system.process import Command
from tests.wheels import staged_runtime

TOOLCHAIN = Toolchain(
    python=Path("/cache/python"),
    interpreter=Interpreter(
        executable=Path("/opt/python"),
        implementation="CPython",
        version="3.12.1",
        deflate=DeflateIdentity(name="zlib", version="1.2.13", answer=Sha256("ab" * 32)),
    ),
    lock=Lock(name="hatchling-1.33.0", content=b""),
)
NAME = "openai_codex_cli_bin-0.116.0a1-py3-none-win_amd64.whl"
OUTPUT = WheelOutput(
    staged=staged_runtime(Path("/somewhere/stage"), "win_amd64", tag="rust-v0.116.0-alpha.1"),
    scratch=Path("/scratch/one"),
    dist=Path("/dist"),
    log=Path(f"/logs/{NAME}.log"),
)


def test_the_whole_plan() -> None:
    plan = plan_native_build(OUTPUT, toolchain=TOOLCHAIN, host_env={"SYSTEMROOT": "C:/Windows"})

    assert plan == BuildPlan(
        command=Command(
            argv=(
                "/cache/python",
                "-m",
                "build",
                "--wheel",
                "--no-isolation",
                "--outdir",
                "/scratch/one/out",
                "/somewhere/stage",
            ),
            env={
                "HOME": "/scratch/one/home",
                "LC_ALL": "C.UTF-8",
                "NO_COLOR": "1",
                "PYTHONDONTWRITEBYTECODE": "1",
                "PYTHONHASHSEED": "0",
                "PYTHONNOUSERSITE": "1",
                "SYSTEMROOT": "C:/Windows",
                "TEMP": "/scratch/one/tmp",
                "TMP": "/scratch/one/tmp",
                "TMPDIR": "/scratch/one/tmp",
                "TZ": "UTC",
            },
            cwd=Path("/scratch/one/work"),
            log=Path(f"/logs/{NAME}.log"),
        ),
        output=OUTPUT,
    )


def test_the_hosts_variables_do_not_override_those_of_the_plan() -> None:
    plan = plan_native_build(OUTPUT, toolchain=TOOLCHAIN, host_env={"TZ": "Asia/Tokyo"})

    assert plan.command.env["TZ"] == "UTC"


@pytest.mark.parametrize(
    ("tag", "platform", "name"),
    [
        (
            "rust-v0.163.0",
            "manylinux_2_17_x86_64",
            "openai_codex_cli_bin-0.163.0-py3-none-manylinux_2_17_x86_64.whl",
        ),
        (
            "rust-v0.154.0-alpha.1.2",
            "macosx_11_0_arm64",
            "openai_codex_cli_bin-0.154.0a1.post2-py3-none-macosx_11_0_arm64.whl",
        ),
    ],
)
def test_the_name_of_a_wheel(tag: str, platform: str, name: str) -> None:
    assert wheel_name(CodexTag.parse(tag), Platform.parse(platform)) == name
