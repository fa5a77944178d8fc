import json
import sys
from pathlib import Path

import pytest

from factory.system.process import Command, SubprocessRunner

ROOT = Path(__file__).parents[3]


@pytest.fixture(scope="module")
def loaded() -> frozenset[str]:
    """What the whole command line has imported before it knows which command is asked for."""
    script = "import json, sys, factory.cli.parser; print(json.dumps(sorted(sys.modules)))"
    done = SubprocessRunner().run(
        Command(argv=(sys.executable, "-c", script), env={"PYTHONPATH": str(ROOT)}, cwd=ROOT)
    )
    return frozenset(json.loads(done.output))


@pytest.mark.parametrize(
    "module",
    [
        "asn1crypto",
        "cryptography",
        "docker",
        "factory.audit.run",
        "factory.wheels.run",
        "factory.verify.checks.registry",
        "jinja2",
        "lief",
        "rich",
        "sigstore",
    ],
)
def test_no_command_pays_for_what_another_one_needs(loaded: frozenset[str], module: str) -> None:
    assert module not in loaded
