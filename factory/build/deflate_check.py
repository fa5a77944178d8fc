"""Which deflate encoder an interpreter has: an input of every wheel's bytes.

The format leaves the encoder free, and zlib-ng (CPython for Windows since 3.14,
some distributions) finds other matches than zlib at the same level. Version
numbers do not tell them apart everywhere, so a known-answer test does.
"""

import zlib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from factory.build import deflate_probe
from factory.core.digests import MalformedDigest, Sha256
from factory.core.errors import HostError
from factory.core.json_reader import JsonObject, MalformedJson
from factory.system.process import Command, Runner

REFERENCE_ANSWER = Sha256("61459afb16515381ed4f664ecaaa059563d45f93a2ffe85d9fa5f21d720adc28")
"""What stock zlib gives; 1.2.13 here, under CPython 3.9 to 3.13."""


class OtherDeflate(HostError):
    """The interpreter's encoder gives other bytes than the reference one."""

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
    """An interpreter could not be asked."""

    hint = "Check that the interpreter starts, and that its zlib module is built in."

    def __init__(self, interpreter: Path, reason: str) -> None:
        super().__init__(f"{interpreter} did not say what it is: {reason}")


@dataclass(frozen=True, slots=True, kw_only=True)
class DeflateIdentity:
    """An encoder: what it calls itself, and what it does.

    Attributes:
        name: ``zlib`` or ``zlib-ng``, as far as the interpreter tells.
        version: The version of the library in use.
        answer: The digest of the deflated test corpus; the only thing that decides.
    """

    name: str
    version: str
    answer: Sha256

    @property
    def is_reference(self) -> bool:
        """Whether it gives the bytes of stock zlib."""
        return self.answer == REFERENCE_ANSWER


@dataclass(frozen=True, slots=True, kw_only=True)
class Interpreter:
    """A Python, as it describes itself.

    Attributes:
        executable: Its path.
        implementation: ``CPython`` or another.
        version: The language version, three numbers.
        deflate: Its encoder.
    """

    executable: Path
    implementation: str
    version: str
    deflate: DeflateIdentity


def deflate_identity() -> DeflateIdentity:
    """Identify the encoder of the running interpreter; takes a fraction of a second."""
    ng = str(getattr(zlib, "ZLIBNG_VERSION", ""))
    return DeflateIdentity(
        name="zlib-ng" if ng else "zlib",
        version=ng or zlib.ZLIB_RUNTIME_VERSION,
        answer=Sha256(deflate_probe.answer()),
    )


def require_reference_deflate(identity: DeflateIdentity, *, whose: str = "this Python") -> None:
    """Stop the run where wheels would silently differ.

    Args:
        identity: An encoder.
        whose: How to name its interpreter in the error.

    Raises:
        OtherDeflate: The encoder is not the reference one.
    """
    if not identity.is_reference:
        raise OtherDeflate(identity, whose)


def probe_interpreter(python: Path, *, env: Mapping[str, str], runner: Runner) -> Interpreter:
    """Ask another interpreter what it is: the one that runs the backend decides the bytes, not ours.

    Isolated mode keeps this package's directory off its import path, where our
    module names would hide the standard library's.

    Raises:
        ProbeFailed: It did not answer.
    """
    argv = (str(python), "-I", str(Path(deflate_probe.__file__)))
    completed = runner.run(Command(argv=argv, env=env, timeout_s=120.0))
    if completed.returncode != 0:
        raise ProbeFailed(python, f"{completed.reason}\n{completed.output}".strip())
    return parse_probe(python, completed.output)


def parse_probe(python: Path, output: str) -> Interpreter:
    """Read what an interpreter said of itself, wherever it ran.

    Raises:
        ProbeFailed: It said something else.
    """
    try:
        return _parse(output)
    except (MalformedJson, MalformedDigest) as error:
        raise ProbeFailed(python, f"it printed {output[:200]!r}") from error


def _parse(output: str) -> Interpreter:
    """Read the last line: the interpreter may warn about something above it."""
    said = JsonObject.parse(output.rpartition("\n")[2], where="the probe's answer")
    return Interpreter(
        executable=Path(said.text("executable")),
        implementation=said.text("implementation"),
        version=said.text("python"),
        deflate=DeflateIdentity(
            name=said.text("name"), version=said.text("version"), answer=Sha256(said.text("answer"))
        ),
    )
