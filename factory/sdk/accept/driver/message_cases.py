"""The case about every message of the protocol."""

import importlib
from pathlib import Path

from factory.core.case_result import UnparsedMessage
from factory.sdk.accept.driver.case_context import CannotRun, CaseContext, CaseFailed
from factory.sdk.parsing.messages import Parsed, messages_of, parsed_messages, questions_about
from factory.sdk.parsing.parse_script import results_of
from factory.sdk.types.schema import SchemaBundle
from factory.system.process import Command, SubprocessRunner

_SHOWN = 5
_TAIL_CHARACTERS = 200


def every_message_is_parsed(context: CaseContext) -> str:
    """Make instances of each message from the runtime's own schema, and parse them with the SDK's models."""
    bundle = SchemaBundle.read(_written_schema(context))
    messages = tuple(messages_of(bundle))
    answers = results_of(f"{context.package}.generated", questions_about(messages, bundle))
    parsed = tuple(parsed_messages(messages, answers))
    refused = tuple(
        UnparsedMessage(
            kind=one.message.kind, name=one.message.name, example=one.example, problem=one.problem
        )
        for one in parsed
        if one.outcome is Parsed.REFUSED
    )
    if refused:
        names = ", ".join(one.name for one in refused[:_SHOWN]) + (", ..." if refused[_SHOWN:] else "")
        raise CaseFailed(f"{len(refused)} of {len(parsed)} messages cannot be parsed: {names}", refused)
    unknown = sum(one.outcome is Parsed.UNKNOWN for one in parsed)
    return f"{len(parsed)} messages" + (f", {unknown} of them without a type" if unknown else "")


def _written_schema(context: CaseContext) -> Path:
    """Let the runtime write its schema, and return the directory."""
    codex = context.codex or str(importlib.import_module("codex_cli_bin").bundled_codex_path())
    schema = context.home / "schema"
    schema.mkdir()
    ended = SubprocessRunner().run(
        Command(
            argv=(codex, "app-server", "generate-json-schema", "--out", str(schema)),
            env={**context.environ, "CODEX_HOME": str(context.codex_home)},
            cwd=context.home,
        )
    )
    if ended.returncode != 0:
        raise CannotRun(f"the runtime wrote no schema: {ended.output.strip()[-_TAIL_CHARACTERS:]}")
    return schema
