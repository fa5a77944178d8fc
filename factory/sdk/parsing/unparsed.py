"""Find the messages of a release that an SDK cannot parse, by parsing instances of each with its models."""

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path, PurePosixPath
from typing import Final

from factory.build.toolchain import Toolchain
from factory.core.json_reader import JsonObject
from factory.core.tags import CodexTag
from factory.sdk.parsing.instances import InstanceMaker
from factory.sdk.regenerate.sdk_package import SdkPackage
from factory.sdk.sdk_files import UnusableSdk, read_sdk
from factory.sdk.types.directions import directions_of
from factory.sdk.types.maker import TypesMaker
from factory.sdk.types.methods import MessageKind, methods_of
from factory.sdk.types.runtime import TypesWorkspace
from factory.sdk.types.schema import SchemaBundle
from factory.system.files import writing
from factory.system.process import Command

_SCRIPT: Final = Path(__file__).with_name("parse_script.py")
_TIMEOUT_S = 300.0
_TAIL_CHARACTERS = 300
_RESPONSE = "response"


class Parsed(StrEnum):
    """What an SDK does with a message."""

    PARSED = "parsed"
    UNKNOWN = "unknown"
    REFUSED = "refused"


@dataclass(frozen=True, slots=True, kw_only=True)
class Message:
    """A message that a server sends.

    Attributes:
        kind: ``server notification``, ``server request`` or ``response``.
        name: Its method, or the type of a response.
        model: The type of its parameters, or of the response.
    """

    kind: str
    name: str
    model: str

    @property
    def is_notification(self) -> bool:
        """Whether an SDK finds the model by the method, in its registry."""
        return self.kind == MessageKind.SERVER_NOTIFICATION.words


@dataclass(frozen=True, slots=True, kw_only=True)
class ParsedMessage:
    """A message, and what an SDK does with it.

    Attributes:
        example: The first form that the SDK refuses, such as ``ThreadItem (type "plan")``.
        problem: The SDK's error.
    """

    message: Message
    outcome: Parsed
    example: str = ""
    problem: str = ""

    @property
    def words(self) -> str:
        """The result as a sentence."""
        where = f"{self.message.kind} {self.message.name}"
        match self.outcome:
            case Parsed.REFUSED:
                return f"{where} cannot be parsed with {self.example}: {self.problem}"
            case Parsed.UNKNOWN:
                return f"{where} is unknown to the SDK"
            case Parsed.PARSED:
                return f"{where} can be parsed"


def messages_of(bundle: SchemaBundle) -> Iterator[Message]:
    """Return the messages that a server sends.

    Raises:
        UnusableSchema: The schema does not list its methods in a known form.
    """
    for kind in (MessageKind.SERVER_NOTIFICATION, MessageKind.SERVER_REQUEST):
        for method in methods_of(bundle, kind):
            if method.parameters is not None:
                yield Message(kind=kind.words, name=method.name, model=method.parameters)
    for name in sorted(directions_of(bundle).server):
        if name.endswith("Response"):
            yield Message(kind=_RESPONSE, name=name, model=name)


def parse_release(maker: TypesMaker, release: CodexTag, sdk: Path) -> tuple[ParsedMessage, ...]:
    """Parse instances of each message of a release with an SDK's models; see `parse_messages`.

    Raises:
        FactoryError: The runtime cannot be fetched, or writes no schema; or as for `parse_messages`.
    """
    return parse_messages(maker.schema_of(release), sdk, maker.toolchain(), maker.workspace("parser"))


def parse_messages(
    bundle: SchemaBundle, sdk: Path, toolchain: Toolchain, workspace: TypesWorkspace
) -> tuple[ParsedMessage, ...]:
    """Parse instances of each message with an SDK's models. The SDK's modules are imported for this.

    A notification without a model is delivered to the program as it is. A server request or a response
    that the SDK has no model for is left out: the SDK cannot ask for such a response.

    Raises:
        UnusableSdk: It is not an SDK with generated types, or its modules cannot be imported.
        UnusableSchema: The schema does not list its methods in a known form.
    """
    messages = tuple(messages_of(bundle))
    package = _write_modules(sdk, workspace.scratch / "sdk")
    request, answer = workspace.scratch / "instances.json", workspace.scratch / "results.json"
    with writing(request):
        request.write_text(json.dumps(_request(messages, package, bundle)), encoding="utf-8")
    completed = workspace.runner.run(
        Command(
            argv=(str(toolchain.python), "-P", str(_SCRIPT), str(request), str(answer)),
            env={
                **workspace.env,
                "HOME": str(workspace.scratch),
                "PYTHONPATH": str(workspace.scratch / "sdk"),
                "PYTHONDONTWRITEBYTECODE": "1",
            },
            cwd=workspace.scratch,
            timeout_s=_TIMEOUT_S,
        )
    )
    if completed.returncode != 0 or not answer.is_file():
        tail = " ".join(completed.output[-_TAIL_CHARACTERS:].split())
        raise UnusableSdk(sdk, f"its types cannot be imported ({completed.reason}): {tail}")
    results = JsonObject.parse(answer.read_bytes(), where=str(answer)).objects("results")
    return tuple(_results(messages, results))


def _write_modules(sdk: Path, place: Path) -> str:
    """Write an SDK's package to a directory for the interpreter, and return its package of types."""
    files = read_sdk(sdk)
    package = SdkPackage.find(files, sdk)
    base = PurePosixPath(*[part for part in package.generated.parts[:1] if part == "src"])
    with writing(place):
        for file in files:
            if file.path.is_relative_to(package.generated.parent):
                target = place / file.path.relative_to(base)
                target.parent.mkdir(parents=True, exist_ok=True)
                target.write_bytes(file.content)
    return ".".join(package.generated.relative_to(base).parts)


def _request(messages: Sequence[Message], package: str, bundle: SchemaBundle) -> Mapping[str, object]:
    maker = InstanceMaker(bundle)
    return {
        "package": package,
        "messages": [
            {
                "name": message.name,
                "model": message.model,
                "is_notification": message.is_notification,
                "instances": [(one.example, one.value) for one in maker.of_message(message.model)],
            }
            for message in messages
        ],
    }


def _results(messages: Sequence[Message], results: Sequence[JsonObject]) -> Iterator[ParsedMessage]:
    for message, result in zip(messages, results, strict=True):
        example, problem = result.text("example"), result.text("problem")
        if problem:
            outcome = Parsed.REFUSED
        elif result.members["has_model"]:
            outcome = Parsed.PARSED
        elif message.is_notification:
            outcome = Parsed.UNKNOWN
        else:
            continue
        yield ParsedMessage(message=message, outcome=outcome, example=example, problem=problem)
