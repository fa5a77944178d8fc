"""``factory statement check``: verify a statement and show what it says about a wheel."""

import argparse
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

from factory.cli.console import print_json, say
from factory.cli.formats import Format, add_format_options
from factory.core.errors import (
    EXIT_AUDIT_DIFFERS,
    EXIT_FAITHFUL_WITH_ERRORS,
    EXIT_INCONCLUSIVE,
    EXIT_OK,
    UsageError,
)
from factory.core.printable import escaped
from factory.statements.check_statement import CheckedStatement, Trust, TrustedIdentity, check_statement
from factory.statements.claims import StatementAnswer
from factory.statements.keys import PublicKey

EPILOG = """\
examples:
  factory statement check X.whl.audit.dsse.json --wheel X.whl \\
      --public-key codex.key.pub
  factory statement check X.whl.build.sigstore.json --wheel X.whl \\
      --identity URI --issuer URL

exit status:
  0   the statement is genuine and speaks for the wheel
  10  the statement is genuine and speaks against the wheel
  11  undecided: the statement is unsigned or of an unknown type
"""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the options."""
    parser.add_argument(
        "file", type=Path, metavar="FILE", help="a DSSE envelope, a sigstore bundle or an unsigned statement"
    )
    parser.add_argument(
        "--wheel", type=Path, required=True, metavar="WHEEL", help="the wheel that the statement is about"
    )
    trust = parser.add_argument_group("trusted signers")
    trust.add_argument("--public-key", type=Path, metavar="FILE", help="an Ed25519 key (PEM)")
    trust.add_argument(
        "--identity", metavar="ID", help="an e-mail address, or the URI of a workflow with its ref"
    )
    trust.add_argument("--issuer", metavar="URL", help="the OIDC issuer of the identity")
    add_format_options(parser)


def run(arguments: argparse.Namespace) -> int:
    """Run the command."""
    checked = check_statement(
        arguments.file, arguments.wheel, trust=_trust(arguments), now=datetime.now(tz=UTC)
    )
    if arguments.format == Format.JSON:
        print_json(_document(checked))
    else:
        print("\n".join(_lines(checked)))
    if not checked.signer:
        say("the statement is not signed and proves nothing")
    return _exit_status(checked.answer)


def _trust(arguments: argparse.Namespace) -> Trust:
    if (arguments.identity is None) != (arguments.issuer is None):
        raise UsageError(
            "--identity and --issuer must be given together",
            hint="Give both: an identity is only as trustworthy as its issuer.",
        )
    if arguments.public_key is not None and arguments.identity is not None:
        raise UsageError(
            "--public-key and --identity exclude each other",
            hint="A statement is signed by one of them: give the one that you trust.",
        )
    if arguments.public_key is not None:
        return PublicKey.load(arguments.public_key)
    if arguments.identity is not None:
        return TrustedIdentity(identity=arguments.identity, issuer=arguments.issuer)
    return None


def _lines(checked: CheckedStatement) -> Iterator[str]:
    """Yield the lines to print; text from the statement is escaped for the terminal."""
    yield f"{checked.wheel.name}: {checked.answer}"
    yield f"  sha256:{checked.wheel.sha256}"
    yield f"  signed by {escaped(checked.signer)}" if checked.signer else "  not signed"
    for sentence in checked.claims.sentences:
        yield f"  {escaped(sentence)}"


def _document(checked: CheckedStatement) -> dict[str, object]:
    return {
        "schema_version": 1,
        "answer": checked.answer.value,
        "signer": checked.signer or None,
        "wheel": {"name": checked.wheel.name, "sha256": str(checked.wheel.sha256)},
        "predicate_type": checked.statement.predicate_type,
        "sentences": list(checked.claims.sentences),
        "predicate": checked.statement.predicate,
    }


def _exit_status(answer: StatementAnswer) -> int:
    match answer:
        case StatementAnswer.YES:
            return EXIT_OK
        case StatementAnswer.WITH_ERRORS:
            return EXIT_FAITHFUL_WITH_ERRORS
        case StatementAnswer.NO:
            return EXIT_AUDIT_DIFFERS
        case StatementAnswer.UNDECIDED:
            return EXIT_INCONCLUSIVE
