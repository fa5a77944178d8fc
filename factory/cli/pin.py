"""``factory sdk pin``: print the exact requirement for a release."""

import argparse
from pathlib import Path

from factory.cli.console import print_json, say
from factory.cli.formats import Format, add_old_option, add_output_option
from factory.cli.options import add_terms_options, terms_of
from factory.core.codec import to_plain
from factory.core.counted import counted
from factory.core.errors import EXIT_OK, UsageError, VerificationError
from factory.sdk.pin import PinFormat, render_pin, requirement
from factory.verify.proof import ProvenManifest, prove

EPILOG = """\
examples:
  factory sdk pin dist/0.163.0
  factory sdk pin dist/0.163.0 --format requirements --output pins.txt
  factory sdk pin dist/0.163.0 --format requirements --check pins.txt
  factory sdk pin dist/0.163.0 --format pylock --output dist/0.163.0/pylock.toml
  factory sdk pin dist/0.144.4 --without win_arm64
"""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the options."""
    parser.add_argument("manifest", type=Path, metavar="MANIFEST", help="a manifest.json, or its directory")
    parser.add_argument(
        "--format",
        choices=[*(form.value for form in PinFormat), Format.JSON.value],
        metavar="FORMAT",
        help=f"print only this format: {', '.join(PinFormat)} or json (default: all but json)",
    )
    add_output_option(parser)
    add_old_option(parser, "--json", dest="format", const=Format.JSON.value)
    parser.add_argument(
        "--check",
        type=Path,
        metavar="FILE",
        help="print nothing, and fail with 24 if this file differs from the pin; with --format",
    )
    add_terms_options(parser)


def run(arguments: argparse.Namespace) -> int:
    """Run the command."""
    if arguments.output is not None and arguments.format is None:
        raise UsageError("--output needs --format", hint="Give the --format of the file.")
    if arguments.check is not None:
        return _check(arguments)
    proven = prove(arguments.manifest, terms_of(arguments))
    _report_acceptance(proven)
    if arguments.format == Format.JSON:
        print_json(_document(proven))
    elif arguments.format is not None:
        place = None if arguments.output is None else arguments.output.absolute()
        print(render_pin(proven, PinFormat(arguments.format), output=place), end="")
    else:
        print("\n".join(f"# {form}\n{render_pin(proven, form)}" for form in PinFormat), end="")
    return EXIT_OK


def _check(arguments: argparse.Namespace) -> int:
    """Compare a file with the pin that would be written there."""
    path: Path = arguments.check
    if arguments.format in {None, Format.JSON} or arguments.output is not None:
        raise UsageError(
            "--check needs --format", hint="Give the --format of the file, not json, and without --output."
        )
    try:
        content = path.read_bytes()
    except OSError as error:
        raise UsageError(
            f"cannot read {path}: {error.strerror or error}", hint="Name the file that has the pin."
        ) from error
    proven = prove(arguments.manifest, terms_of(arguments))
    pin = render_pin(proven, PinFormat(arguments.format), output=path.absolute())
    if content.replace(b"\r\n", b"\n") != pin.encode():
        raise VerificationError(
            f"{path} is not the pin of {proven.directory}",
            hint=f"Write it again with --output {path} instead of --check.",
        )
    say(f"{path} is the pin of {requirement(proven)}")
    return EXIT_OK


def _document(proven: ProvenManifest) -> dict[str, object]:
    return {
        "requirement": requirement(proven),
        "tag": str(proven.manifest.tag),
        "wheels": [
            {
                "name": wheel.name,
                "sha256": str(wheel.sha256),
                "size_bytes": wheel.size_bytes,
                "acceptance": to_plain(wheel.acceptance),
            }
            for wheel in proven.wheels
        ],
    }


def _report_acceptance(proven: ProvenManifest) -> None:
    """Print which wheels were tested with an SDK, and how many were not."""
    tested = [(wheel.platform, wheel.acceptance) for wheel in proven.wheels if wheel.acceptance is not None]
    for platform, acceptance in tested:
        say(f"{platform} with {acceptance.summary}")
    untested = len(proven.wheels) - len(tested)
    if untested:
        wheels = counted(len(proven.wheels), "wheel was", "wheels were")
        say(f"{untested} of {wheels} not tested with an SDK ('factory sdk accept')")
