"""Find the messages of a release that an SDK cannot parse, by parsing instances of each with its models."""

import json
from pathlib import Path, PurePosixPath
from typing import Final

from factory.build.toolchain import Toolchain
from factory.core.json_reader import JsonObject
from factory.core.tags import CodexTag
from factory.sdk.parsing.messages import ParsedMessage, messages_of, parsed_messages, questions_about
from factory.sdk.regenerate.sdk_package import SdkPackage
from factory.sdk.sdk_files import UnusableSdk, read_sdk
from factory.sdk.types.maker import TypesMaker
from factory.sdk.types.runtime import TypesWorkspace
from factory.sdk.types.schema import SchemaBundle
from factory.system.files import writing
from factory.system.process import Command

_SCRIPT: Final = Path(__file__).with_name("parse_script.py")
_TIMEOUT_S = 300.0
_TAIL_CHARACTERS = 300


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

    Raises:
        UnusableSdk: It is not an SDK with generated types, or its modules cannot be imported.
        UnusableSchema: The schema does not list its methods in a known form.
    """
    messages = tuple(messages_of(bundle))
    package = _write_modules(sdk, workspace.scratch / "sdk")
    request, answer = workspace.scratch / "instances.json", workspace.scratch / "results.json"
    with writing(request):
        request.write_text(
            json.dumps({"package": package, "messages": questions_about(messages, bundle)}), encoding="utf-8"
        )
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
    return tuple(parsed_messages(messages, [result.members for result in results]))


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
