"""No command imports the slow modules that only another command needs."""

import json
import sys
from pathlib import Path

from factory.system.process import Command, SubprocessRunner

ROOT = Path(__file__).parents[3]
SLOW = frozenset(
    {
        "asn1crypto",
        "cryptography",
        "docker",
        "factory.audit.run",
        "factory.verify.checks.registry",
        "factory.wheels.run",
        "jinja2",
        "lief",
        "requests",
        "rich",
        "sigstore",
    }
)


def modules_after(statement: str) -> frozenset[str]:
    """Return the modules that a new interpreter has after a statement."""
    script = f"import json, sys; {statement}; print(json.dumps(sorted(sys.modules)))"
    done = SubprocessRunner().run(
        Command(argv=(sys.executable, "-c", script), env={"PYTHONPATH": str(ROOT)}, cwd=ROOT)
    )
    return frozenset(json.loads(done.output))


def test_the_list_of_commands_imports_no_command() -> None:
    modules = modules_after("from factory.cli.parser import make_parser; make_parser().format_help()")
    assert {name for name in modules if name.startswith("factory.")} == {
        "factory.cli",
        "factory.cli.command",
        "factory.cli.log",
        "factory.cli.parser",
        "factory.cli.settings",
        "factory.cli.streams",
        "factory.core",
        "factory.core.errors",
    }


def slow_modules_after_importing(*commands: str) -> frozenset[str]:
    return modules_after("; ".join(f"import factory.cli.{command}" for command in commands)) & SLOW


def test_a_command_imports_no_slow_module_of_another_one() -> None:
    commands = ("cache", "doctor", "generate_types", "reproduce", "stage_runtime", "targets", "wheels")
    assert slow_modules_after_importing(*commands) == set(), "import each alone to see which one it is"


def test_every_command_starts_without_the_extras() -> None:
    packages = ("docker", "jinja2", "pypi_attestations", "sigstore", "sigstore_models")
    without = f"sys.modules.update(dict.fromkeys({packages!r}))"
    modules = modules_after(
        f"{without}; from factory.cli.parser import make_parser; make_parser().filled_deeply()"
    )
    assert {"factory.cli.attest", "factory.cli.audit", "factory.cli.wheels"} <= modules


def test_the_verifier_is_imported_without_builders_and_audits() -> None:
    commands = ("trust", "verify", "checks", "explain", "pin", "stage_sdk")
    assert slow_modules_after_importing(*commands) <= {
        "asn1crypto",
        "cryptography",
        "factory.verify.checks.registry",
    }
