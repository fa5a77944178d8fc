"""``factory verify``, ``checks`` and ``explain``: what is true of a wheel, and why it matters."""

import argparse
from dataclasses import asdict
from pathlib import Path

from factory.cli.authorship_option import add_authorship_option
from factory.cli.command import Commands, add_command, positive
from factory.cli.console import Column, print_json, print_table
from factory.cli.waiver_options import add_waiver_options
from factory.core.errors import EXIT_OK


def register(commands: Commands) -> None:
    """Add the three commands."""
    _register_verify(commands)
    checks = add_command(
        commands,
        "checks",
        summary="list everything that 'factory verify' looks for",
        examples=("factory checks", "factory checks --json"),
        run=_list,
    )
    checks.add_argument("--json", action="store_true", help="print JSON")
    explain = add_command(
        commands,
        "explain",
        summary="say why a check exists, and what to do about what it finds",
        examples=("factory explain elf-glibc-floor", "factory explain macho-minimum-macos --json"),
        run=_explain,
    )
    explain.add_argument("check", metavar="ID", help="the check's id, as findings have it")
    explain.add_argument("--json", action="store_true", help="print JSON")


def _register_verify(commands: Commands) -> None:
    parser = add_command(
        commands,
        "verify",
        summary="say what is wrong with wheels, from their own bytes",
        examples=(
            "factory verify dist/0.163.0",
            "factory verify dist/0.163.0/manifest.json --json",
            "factory verify some.whl --allow 'package-typed:*=this era had no marker'",
            "factory verify some.whl --smoke",
            "factory verify dist/0.163.0 --sarif findings.sarif",
        ),
        run=_verify,
    )
    parser.add_argument(
        "paths",
        nargs="+",
        type=Path,
        metavar="PATH",
        help="a wheel; or a directory of wheels or a manifest.json, which are judged as one release, too",
    )
    parser.add_argument("--json", action="store_true", help="print JSON (docs/findings.schema.json)")
    parser.add_argument("--sarif", metavar="FILE", help="write SARIF 2.1.0 as well; '-' prints it instead")
    parser.add_argument(
        "--smoke", action="store_true", help="install each wheel and run codex --version, where this host can"
    )
    parser.add_argument(
        "--musl-root",
        type=Path,
        metavar="DIR",
        help="for --smoke: a musl system to start musllinux wheels in",
    )
    parser.add_argument(
        "--no-stock-tools", action="store_true", help="do not ask auditwheel, delocate and delvewheel"
    )
    parser.add_argument(
        "--jobs", type=positive, metavar="N", help="how many wheels at once (default: all cores)"
    )
    add_waiver_options(parser)
    add_authorship_option(parser)


def _verify(arguments: argparse.Namespace) -> int:
    from factory.cli.verify_run import run_verify  # noqa: PLC0415 - all checks; other commands need none

    return run_verify(arguments)


def _list(arguments: argparse.Namespace) -> int:
    from factory.verify.checks.catalogue import catalogue  # noqa: PLC0415 - as above

    entries = catalogue()
    if arguments.json:
        print_json([asdict(entry) for entry in entries])
        return EXIT_OK
    print_table(
        tuple(Column(heading=heading) for heading in ("check", "severity", "looks at", "what is right")),
        [(entry.id, entry.severity.value, entry.scope.value, entry.title) for entry in entries],
    )
    return EXIT_OK


def _explain(arguments: argparse.Namespace) -> int:
    from factory.verify.checks.catalogue import entry  # noqa: PLC0415 - as above

    found = entry(arguments.check)
    if arguments.json:
        print_json(asdict(found))
        return EXIT_OK
    waiver = (
        f"--allow '{found.id}:PATTERN=REASON'" if found.is_waivable else "never: it says that nobody looked"
    )
    for heading, text in (
        (found.id, f"{found.title}."),
        ("severity", found.severity.value),
        ("looks at", found.scope.value),
        ("protects", found.protects),
        ("standard", found.standard),
        ("to do", found.remedy),
        ("waiver", waiver),
    ):
        print(f"{heading}: {text}")
    return EXIT_OK
