"""``factory doctor``: what this host can do, and how to get the rest."""

import argparse

from factory.cli.command import Commands, add_command
from factory.cli.console import Column, print_json, print_table
from factory.cli.containers import containers_of
from factory.cli.host_report import Ability, Examination, examine_containers, examine_host
from factory.cli.settings import Settings
from factory.core.errors import EXIT_OK, HostError


def register(commands: Commands) -> None:
    """Add the command."""
    parser = add_command(
        commands,
        "doctor",
        summary="say what this host can do and how to get the rest",
        examples=("factory doctor", "factory doctor --json"),
        run=_run,
    )
    parser.add_argument("--json", action="store_true", help="print JSON")


def _run(arguments: argparse.Namespace) -> int:
    settings = Settings.from_environ()
    examinations = (
        *examine_host(search_path=settings.environ.get("PATH", ""), cache_dir=settings.cache_dir),
        *examine_containers(containers_of(settings)),
    )
    if arguments.json:
        print_json([_to_json(examination) for examination in examinations])
    else:
        print_table(
            tuple(Column(heading=heading) for heading in ("what", "state", "seen", "how to get it")),
            [(e.subject, e.ability.value, e.detail, e.remedy) for e in examinations],
        )
    unable = any(e.is_required and e.ability is not Ability.OK for e in examinations)
    return HostError.exit_code if unable else EXIT_OK


def _to_json(examination: Examination) -> dict[str, object]:
    return {
        "what": examination.subject,
        "state": examination.ability.value,
        "seen": examination.detail,
        "remedy": examination.remedy,
        "required": examination.is_required,
    }
