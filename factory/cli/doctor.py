"""``factory doctor``: check what this machine has and what is missing."""

import argparse
from functools import partial

from factory.cli.console import Column, print_json
from factory.cli.display import print_table
from factory.cli.host_report import Ability, Examination, examine_containers, examine_host, examine_index
from factory.cli.index import chosen_index
from factory.cli.options import containers_of
from factory.cli.settings import Settings
from factory.core.errors import EXIT_OK, HostError

EPILOG = """\
examples:
  factory doctor
  factory doctor --json
"""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the options."""
    parser.add_argument("--json", action="store_true", help="print JSON")


def run(arguments: argparse.Namespace) -> int:
    """Run the command."""
    settings = Settings.from_environ()
    examinations = (
        *examine_host(search_path=settings.search_path, cache_dir=settings.cache_dir),
        examine_index(partial(chosen_index, None, settings)),
        *examine_containers(containers_of(settings)),
    )
    if arguments.json:
        print_json([_to_json(examination) for examination in examinations])
    else:
        print_table(
            [Column(heading=heading) for heading in ("what", "state", "detail", "remedy")],
            [(e.subject, e.ability.value, e.detail, e.remedy) for e in examinations],
        )
    is_unable = any(e.is_required and e.ability is not Ability.OK for e in examinations)
    return HostError.exit_code if is_unable else EXIT_OK


def _to_json(examination: Examination) -> dict[str, object]:
    return {
        "what": examination.subject,
        "state": examination.ability.value,
        "seen": examination.detail,
        "remedy": examination.remedy,
        "required": examination.is_required,
    }
