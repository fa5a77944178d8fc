"""A baseline for wheels of the template, ours and as if upstream had built them."""

from dataclasses import replace
from functools import cache
from pathlib import PurePosixPath

from factory.build.template import bundled_template
from factory.core.digests import Sha256
from factory.core.model import Payload
from factory.core.tags import CodexTag
from factory.core.targets import OperatingSystem, Target
from factory.verify.baseline.baseline import Baseline, KnownText, Shape
from factory.verify.baseline.baseline_file import bundled_baseline
from factory.verify.baseline.executables import KnownExecutable

INIT = "codex_cli_bin/__init__.py"


@cache
def template_baseline() -> Baseline:
    """Return a baseline with wheels of the template, with and without a bill of materials.

    The Windows wheels without one have an ``__init__.py`` with CRLF, as if built on Windows.
    """
    own = bundled_baseline().own
    return Baseline(published=_as_upstream(own), own=own)


def _as_upstream(own: Shape) -> Shape:
    content = bundled_template().content("src/codex_cli_bin/__init__.py")
    crlf = Sha256.of([content.replace(b"\n", b"\r\n")])
    first = own.texts[0].first
    text = KnownText(path=INIT, family=OperatingSystem.WINDOWS, sha256=crlf, first=first, last=None)
    kept = (one for one in own.texts if (one.path, one.family) != (INIT, OperatingSystem.WINDOWS))
    return replace(own, texts=(*kept, text), has_sbom=False)


class KnownPayloads:
    """An index of executables with the files of some payloads, each of a release."""

    def __init__(self, *payloads: tuple[CodexTag, Payload]) -> None:
        self._found: dict[Sha256, list[KnownExecutable]] = {}
        for tag, payload in payloads:
            for file in payload.files:
                self._add(file.sha256, tag, payload.target, file.path)

    def _add(self, sha256: Sha256, tag: CodexTag, target: Target, path: PurePosixPath) -> None:
        known = KnownExecutable(release=tag, target=target, path=path)
        self._found.setdefault(sha256, []).append(known)

    def package(self, release: CodexTag, target: Target) -> None:
        """Return no package: the tests look executables up one by one."""

    def expected(self, release: CodexTag, target: Target) -> None:
        """Return no package: the tests give the payload."""

    def lookup(self, sha256: Sha256) -> tuple[KnownExecutable, ...]:
        """Return where a file was released."""
        return tuple(self._found.get(sha256, ()))

    def is_of_one_release(self, executable: KnownExecutable) -> bool:  # noqa: ARG002 - the protocol has it
        """Return that this is not known."""
        return False
