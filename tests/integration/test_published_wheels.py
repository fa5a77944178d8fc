"""docs/published-findings.md, held to a real published wheel: a small one, 85 MB."""

import os
import sys
from collections import Counter
from pathlib import Path

import pytest

from factory.core.digests import Sha256
from factory.system.process import Command, SubprocessRunner
from factory.verify.inspection import inspect
from tests.published import findings_by_wheel

pytestmark = [pytest.mark.network, pytest.mark.slow]

VERSION, PLATFORM = "0.131.0", "musllinux_1_1_x86_64"
EXPECTED = Counter({"metadata-licence": 1, "metadata-licence-text": 1, "package-typed": 1})


@pytest.fixture
def wheel(tmp_path: Path) -> Path:
    """Download it as a user would: where pip's own configuration says."""
    arguments = ("--no-cache-dir", "--no-deps", "--only-binary", ":all:", "--platform", PLATFORM)
    command = Command(
        argv=(
            *(sys.executable, "-m", "pip", "download", "--quiet", *arguments),
            *("--dest", str(tmp_path), f"openai-codex-cli-bin=={VERSION}"),
        ),
        env=dict(os.environ),
    )
    completed = SubprocessRunner().run(command)
    assert completed.returncode == 0, completed.output
    (path,) = tmp_path.glob("*.whl")
    return path


def test_a_published_wheel_has_just_the_findings_that_the_document_tells(wheel: Path, tmp_path: Path) -> None:
    scratch = tmp_path / "scratch"
    scratch.mkdir()
    findings = inspect(wheel, scratch=scratch).findings
    digest, told = findings_by_wheel()[VERSION, PLATFORM]
    assert Sha256.of_file(wheel).hex == digest
    assert Counter(finding.check for finding in findings) == told == EXPECTED
