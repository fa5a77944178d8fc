"""``factory check-statement``: whether a statement is genuine, about this wheel, and what it says."""

import argparse
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, assert_never

from factory.cli.command import Commands, add_command
from factory.cli.console import print_json, say
from factory.core.errors import EXIT_AUDIT_DIFFERS, EXIT_INCONCLUSIVE, EXIT_OK, UsageError

if TYPE_CHECKING:
    from factory.statements.check_statement import CheckedStatement, Trust
    from factory.statements.claims import Answer


class HalfAnIdentity(UsageError):
    """An identity is named without who vouches for it, or the other way round."""

    hint = "Give both --identity and --issuer: an identity is worth what its issuer is."

    def __init__(self) -> None:
        super().__init__("--identity and --issuer belong together")


def register(commands: Commands) -> None:
    """Add the command."""
    parser = add_command(
        commands,
        "check-statement",
        summary="check who signed a statement, that it is about this wheel, and what it says",
        examples=(
            "factory check-statement X.whl.audit.dsse.json --wheel X.whl --public-key codex.key.pub",
            "factory check-statement X.whl.build.sigstore.json --wheel X.whl --identity URI --issuer URL",
        ),
        run=_run,
    )
    parser.epilog = (
        f"{parser.epilog}\n\nexit status: 0 the statement is genuine and speaks for the wheel,"
        "\n10 it is genuine and says no, 11 it decides nothing (an unknown type, or nobody signed it)"
    )
    parser.add_argument(
        "file", type=Path, metavar="FILE", help="a DSSE envelope, a sigstore bundle, or neither"
    )
    parser.add_argument("--wheel", type=Path, required=True, metavar="WHEEL", help="what it should be about")
    trust = parser.add_argument_group("whose signature counts")
    trust.add_argument("--public-key", type=Path, metavar="FILE", help="an Ed25519 key (PEM)")
    trust.add_argument("--identity", metavar="ID", help="an e-mail address, or a workflow's URI with its ref")
    trust.add_argument("--issuer", metavar="URL", help="who vouches for the identity")
    parser.add_argument("--json", action="store_true", help="print JSON")


def _run(arguments: argparse.Namespace) -> int:
    from factory.statements.check_statement import check_statement  # noqa: PLC0415 - slow, and only this command's

    checked = check_statement(
        arguments.file, arguments.wheel, trust=_trust(arguments), now=datetime.now(tz=UTC)
    )
    if arguments.json:
        print_json(_document(checked))
    else:
        print("\n".join(_told(checked)))
    if not checked.signer:
        say("nobody signed it, so it proves nothing")
    return _exit_status(checked.answer)


def _trust(arguments: argparse.Namespace) -> "Trust":
    from factory.statements.check_statement import TrustedIdentity  # noqa: PLC0415 - slow, and only this command's
    from factory.statements.keys import PublicKey  # noqa: PLC0415 - as above

    if (arguments.identity is None) != (arguments.issuer is None):
        raise HalfAnIdentity
    if arguments.public_key is not None:
        return PublicKey.load(arguments.public_key)
    if arguments.identity is not None:
        return TrustedIdentity(identity=arguments.identity, issuer=arguments.issuer)
    return None


def _told(checked: "CheckedStatement") -> tuple[str, ...]:
    """Tell it in lines; what somebody else wrote is made fit for a terminal first."""
    from factory.verify.checks.registry import escaped  # noqa: PLC0415 - slow, and only this command's

    return (
        f"{checked.wheel.name}: {checked.answer}",
        f"  sha256:{checked.wheel.sha256}",
        f"  signed by {escaped(checked.signer) or 'nobody'}",
        *(f"  {escaped(sentence)}" for sentence in checked.claims.sentences),
    )


def _document(checked: "CheckedStatement") -> dict[str, object]:
    return {
        "schema_version": 1,
        "answer": checked.answer.value,
        "signer": checked.signer or None,
        "wheel": {"name": checked.wheel.name, "sha256": str(checked.wheel.sha256)},
        "predicate_type": checked.statement.predicate_type,
        "sentences": list(checked.claims.sentences),
        "predicate": checked.statement.predicate,
    }


def _exit_status(answer: "Answer") -> int:
    from factory.statements.claims import Answer  # noqa: PLC0415 - slow, and only this command's

    match answer:
        case Answer.YES:
            return EXIT_OK
        case Answer.NO:
            return EXIT_AUDIT_DIFFERS
        case Answer.UNDECIDED:
            return EXIT_INCONCLUSIVE
        case _:
            assert_never(answer)
