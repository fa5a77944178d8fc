"""Identify the deflate encoder of an interpreter, which is an input of the bytes of every wheel.

The format does not prescribe the encoder, and zlib-ng (in CPython for Windows since 3.14, and in
some distributions) finds other matches than zlib at the same level. Version numbers do not
distinguish the two everywhere, so a known-answer test does.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from factory.build import deflate_probe
from factory.core.digests import MalformedDigest, Sha256
from factory.core.errors import HostError
from factory.core.json_reader import JsonObject, MalformedJson
from factory.system.process import Command, Runner

REFERENCE_ANSWER = Sha256("61459afb16515381ed4f664ecaaa059563d45f93a2ffe85d9fa5f21d720adc28")
"""The answer of stock zlib, measured with 1.2.13 under CPython 3.9 to 3.13."""


class OtherDeflate(HostError):
    """The encoder of an interpreter writes other bytes than the reference encoder."""

    hint = (
        "Use the container builder (--builder docker), or an interpreter that links stock zlib: "
        "python.org's and pyenv's for Linux and macOS do."
    )

    def __init__(self, identity: "DeflateIdentity", whose: str) -> None:
        super().__init__(
            f"the deflate encoder of {whose} ({identity.name} {identity.version}) gives other bytes "
            "than stock zlib"
        )


class ProbeFailed(HostError):
    """An interpreter could not be identified."""

    hint = "Check that the interpreter starts, and that its zlib module is built in."

    def __init__(self, interpreter: Path, reason: str) -> None:
        super().__init__(f"cannot identify the interpreter {interpreter}: {reason}")


@dataclass(frozen=True, slots=True, kw_only=True)
class DeflateIdentity:
    """A deflate encoder.

    Attributes:
        name: ``zlib`` or ``zlib-ng``; not every interpreter reports zlib-ng.
        version: The version of the library.
        answer: The digest of the compressed test corpus, which alone identifies the encoder.
    """

    name: str
    version: str
    answer: Sha256

    @property
    def is_reference(self) -> bool:
        """Whether it writes the same bytes as stock zlib."""
        return self.answer == REFERENCE_ANSWER


@dataclass(frozen=True, slots=True, kw_only=True)
class Interpreter:
    """A Python interpreter, as it describes itself.

    Attributes:
        implementation: ``CPython``, for example.
        version: Three numbers, ``3.11.2``.
    """

    executable: Path
    implementation: str
    version: str
    deflate: DeflateIdentity


@cache
def deflate_identity() -> DeflateIdentity:
    """Identify the encoder of this interpreter; takes a fraction of a second the first time."""
    described = deflate_probe.describe()
    return DeflateIdentity(
        name=described["name"], version=described["version"], answer=Sha256(described["answer"])
    )


def require_reference_deflate(identity: DeflateIdentity, *, whose: str = "this Python") -> None:
    """Refuse an encoder that would change the bytes of the wheels.

    Args:
        identity: The encoder.
        whose: The name of its interpreter in the error.

    Raises:
        OtherDeflate: It is not the reference encoder.
    """
    if not identity.is_reference:
        raise OtherDeflate(identity, whose)


def probe_interpreter(python: Path, *, env: Mapping[str, str], runner: Runner) -> Interpreter:
    """Identify another interpreter: the one that runs the backend decides the bytes.

    Isolated mode keeps this package's directory off its import path, where our modules
    would hide modules of the standard library.

    Raises:
        ProbeFailed: The interpreter does not work.
    """
    argv = (str(python), "-I", str(Path(deflate_probe.__file__)))
    completed = runner.run(Command(argv=argv, env=env, timeout_s=120.0))
    if completed.returncode != 0:
        raise ProbeFailed(python, f"{completed.reason}\n{completed.output}".strip())
    return parse_probe(python, completed.output)


def parse_probe(python: Path, output: str) -> Interpreter:
    """Parse the output of `deflate_probe`.

    Raises:
        ProbeFailed: The output is not valid.
    """
    try:
        return _parse(output)
    except (MalformedJson, MalformedDigest) as error:
        raise ProbeFailed(python, f"it printed {output[:200]!r}") from error


def _parse(output: str) -> Interpreter:
    """Parse the last line; the interpreter may print warnings above it."""
    answer = JsonObject.parse(output.rpartition("\n")[2], where="the output of the probe")
    return Interpreter(
        executable=Path(answer.text("executable")),
        implementation=answer.text("implementation"),
        version=answer.text("python"),
        deflate=DeflateIdentity(
            name=answer.text("name"), version=answer.text("version"), answer=Sha256(answer.text("answer"))
        ),
    )
