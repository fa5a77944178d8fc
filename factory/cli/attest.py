"""``factory attest``: say in signed statements what was built, or what an audit said."""

import argparse
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING

from factory.cli.command import Commands, add_command
from factory.cli.console import print_json, say
from factory.cli.settings import Settings
from factory.core.errors import EXIT_OK, UsageError
from factory.statements.statement import OUR_TYPES
from factory.system.files import atomic_write

if TYPE_CHECKING:
    from factory.statements.signing import StatementSigner

LOCAL = f"{OUR_TYPES}#local"
"""Somebody at a machine of their own, whom only the key tells apart."""


class NoInput(UsageError):
    """Nothing says what to make statements of."""

    hint = "Name a manifest.json, or what 'factory audit --json' printed."

    def __init__(self) -> None:
        super().__init__("nothing says what to make statements of")


def register(commands: Commands) -> None:
    """Add the command."""
    parser = add_command(
        commands,
        "attest",
        summary="state what was built, or what an audit said, and sign it",
        examples=(
            "factory attest dist/0.163.0 --new-key codex.key",
            "factory attest dist/0.163.0 --key codex.key --out statements",
            "factory audit 0.163.0 --json > audit.json; factory attest audit.json --key codex.key",
            "factory attest dist/0.163.0 --sigstore   # in a CI job with an OIDC identity",
        ),
        run=_run,
    )
    parser.add_argument(
        "path",
        type=Path,
        nargs="?",
        metavar="MANIFEST|AUDIT_REPORT",
        help="a manifest.json or the directory that has it, or what 'factory audit --json' printed",
    )
    sealed = parser.add_mutually_exclusive_group(required=True)
    sealed.add_argument("--key", type=Path, metavar="FILE", help="sign with this Ed25519 key (PEM)")
    sealed.add_argument(
        "--sigstore", action="store_true", help="sign as the CI job that this is, with sigstore's services"
    )
    sealed.add_argument("--unsigned", action="store_true", help="sign nothing, and let the name say so")
    sealed.add_argument(
        "--new-key",
        type=Path,
        metavar="FILE",
        help="write a new key to FILE and its public half to FILE.pub; sign with it if there is something to",
    )
    parser.add_argument(
        "--by",
        metavar="URI",
        help="who says so, as a URI (default: the workflow, in GitHub Actions; else an unnamed local user)",
    )
    parser.add_argument(
        "--out", type=Path, default=Path("statements"), metavar="DIR", help="default: %(default)s"
    )
    parser.add_argument("--json", action="store_true", help="print what was written as JSON")


def _run(arguments: argparse.Namespace) -> int:
    if arguments.new_key is not None:
        _make_key(arguments.new_key)
        if arguments.path is None:
            return EXIT_OK
    if arguments.path is None:
        raise NoInput
    from factory.statements.attest import statements_of  # noqa: PLC0415 - slow, and only this command's

    signer = _signer(arguments)
    written = []
    by = arguments.by or author_of(Settings.from_environ().environ)
    for named in statements_of(arguments.path, by=by):
        place = arguments.out / f"{named.name}.{signer.suffix}"
        atomic_write(place, signer.sign(named.statement.render()))
        written.append({"path": str(place), "predicate_type": named.statement.predicate_type})
    if arguments.json:
        print_json({"schema_version": 1, "statements": written})
    else:
        print("\n".join(item["path"] for item in written))
    if arguments.unsigned:
        say("nobody signed them: they show what would be said, and prove nothing")
    return EXIT_OK


def author_of(environ: Mapping[str, str]) -> str:
    """Name the workflow that this is a job of as its certificate will: server, repository, file and ref."""
    server, workflow = environ.get("GITHUB_SERVER_URL"), environ.get("GITHUB_WORKFLOW_REF")
    return f"{server}/{workflow}" if server and workflow else LOCAL


def _make_key(path: Path) -> None:
    from factory.statements.keys import make_key  # noqa: PLC0415 - slow, and only this command's

    public = make_key(path)
    say(f"wrote {path}, which is yours alone, and {path}.pub, which anybody may have: {public.key_id}")


def _signer(arguments: argparse.Namespace) -> "StatementSigner":
    from factory.statements.keyless import KeylessSigner  # noqa: PLC0415 - slow, and only this command's
    from factory.statements.keys import PrivateKey  # noqa: PLC0415 - as above
    from factory.statements.signing import KeySigner, Unsigned  # noqa: PLC0415 - as above

    key = arguments.key or arguments.new_key
    if key is not None:
        return KeySigner(key=PrivateKey.load(key))
    return KeylessSigner() if arguments.sigstore else Unsigned()
