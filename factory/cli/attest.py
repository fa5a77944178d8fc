"""``factory statement create``: write signed statements about a build or an audit."""

import argparse
from collections.abc import Mapping
from pathlib import Path

from factory.cli.console import print_json, say
from factory.cli.formats import Format, add_format_options
from factory.cli.settings import Settings
from factory.core.errors import EXIT_OK, UsageError
from factory.statements.attest import make_statements
from factory.statements.keyless import KeylessSigner
from factory.statements.keys import PrivateKey, make_key
from factory.statements.signing import KeySigner, StatementSigner, Unsigned
from factory.statements.statement import OUR_TYPES
from factory.system.files import atomic_write

EPILOG = """\
examples:
  factory statement create dist/0.163.0 --new-key codex.key
  factory statement create dist/0.163.0 --key codex.key --out statements
  factory audit 0.163.0 --format json > audit.json
  factory statement create audit.json --key codex.key
  factory statement create dist/0.163.0 --sigstore   # in a CI job
"""
LOCAL = f"{OUR_TYPES}#local"
"""A user outside CI, whom only the key identifies."""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the options."""
    parser.usage = (  # argparse breaks no group, and this one is too long for a line
        "%(prog)s [-h] [OPTION]...\n"
        "    (--key FILE | --sigstore | --unsigned | --new-key FILE)\n    [MANIFEST|AUDIT_REPORT]"
    )
    parser.add_argument(
        "path",
        type=Path,
        nargs="?",
        metavar="MANIFEST|AUDIT_REPORT",
        help="a manifest.json, its directory, or the output of 'factory audit --format json'",
    )
    signing = parser.add_mutually_exclusive_group(required=True)
    signing.add_argument("--key", type=Path, metavar="FILE", help="sign with this Ed25519 key (PEM)")
    signing.add_argument(
        "--sigstore", action="store_true", help="sign with sigstore, as the CI job that runs this command"
    )
    signing.add_argument(
        "--unsigned", action="store_true", help="do not sign; the names of the files end in .unsigned.json"
    )
    signing.add_argument(
        "--new-key",
        type=Path,
        metavar="FILE",
        help="create a key pair, FILE and FILE.pub, and sign with it if there is something to sign",
    )
    parser.add_argument(
        "--by",
        metavar="URI",
        help="author of the statements (default: the workflow in GitHub Actions, else a local user)",
    )
    parser.add_argument(
        "--out",
        type=Path,
        default=Path("statements"),
        metavar="DIR",
        help="write the statements to DIR (default: %(default)s)",
    )
    add_format_options(parser, json="the written files")


def run(arguments: argparse.Namespace) -> int:
    """Run the command."""
    if arguments.new_key is not None:
        _make_key(arguments.new_key)
        if arguments.path is None:
            return EXIT_OK
    if arguments.path is None:
        raise UsageError(
            "no manifest or audit report given",
            hint="Name a manifest.json, or the output of 'factory audit --format json'.",
        )
    signer = _signer(arguments)
    written = []
    by = arguments.by or author_of(Settings.from_environ().environ)
    for named in make_statements(arguments.path, by=by):
        place = arguments.out / f"{named.name}.{signer.suffix}"
        atomic_write(place, signer.sign(named.statement.render()))
        written.append({"path": str(place), "predicate_type": named.statement.predicate_type})
    if arguments.format == Format.JSON:
        print_json({"schema_version": 1, "statements": written})
    else:
        print("\n".join(item["path"] for item in written))
    if arguments.unsigned:
        say("the statements are not signed and prove nothing")
    return EXIT_OK


def author_of(environ: Mapping[str, str]) -> str:
    """Return the URI of the workflow that runs this job, as its certificate has it, or `LOCAL`."""
    server, workflow = environ.get("GITHUB_SERVER_URL"), environ.get("GITHUB_WORKFLOW_REF")
    return f"{server}/{workflow}" if server and workflow else LOCAL


def _make_key(path: Path) -> None:
    public = make_key(path)
    say(f"private key: {path} (keep it secret)\npublic key: {path}.pub\nkey ID: {public.key_id}")


def _signer(arguments: argparse.Namespace) -> StatementSigner:
    key = arguments.key or arguments.new_key
    if key is not None:
        return KeySigner(key=PrivateKey.load(key))
    return KeylessSigner() if arguments.sigstore else Unsigned()
