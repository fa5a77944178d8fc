"""Read lists of digests as coreutils' sha256sum and sha512sum write them."""

import re
from collections.abc import Mapping

from factory.core.digests import Digest, DigestAlgorithm
from factory.core.errors import IntegrityError

_LINE = re.compile(r"(?P<hex>[0-9A-Fa-f]+)[ \t]+\*?(?P<name>[^ \t*].*)")
_ALGORITHMS = {algorithm.hex_length: algorithm for algorithm in DigestAlgorithm}


class MalformedChecksums(IntegrityError):
    """A list of digests that cannot be understood in whole is not believed in part."""

    hint = "Write it with 'sha256sum FILE... > SHA256SUMS' beside the files; names hold no directory."

    def __init__(self, where: str, line: int, problem: str) -> None:
        super().__init__(f"{where}, line {line}: {problem}")


def parse_checksums(text: str, *, where: str) -> Mapping[str, Digest]:
    """Parse a list: a digest, white space, an optional ``*``, a plain file name; one a line.

    Raises:
        MalformedChecksums: A line is something else, names a file elsewhere, or contradicts another.
    """
    digests: dict[str, Digest] = {}
    for number, line in enumerate(text.splitlines(), start=1):
        if not line.strip():
            continue
        match = _LINE.fullmatch(line.rstrip())
        if match is None or len(match["hex"]) not in _ALGORITHMS:
            raise MalformedChecksums(where, number, "no digest and file name")
        name = match["name"].removeprefix("./")
        if not _is_plain(name):
            raise MalformedChecksums(where, number, f"{name!r} is not the name of a file beside the list")
        digest = Digest(_ALGORITHMS[len(match["hex"])], match["hex"].lower())
        if digests.setdefault(name, digest) != digest:
            raise MalformedChecksums(where, number, f"a second, different digest of {name}")
    return digests


def _is_plain(name: str) -> bool:
    return name not in {"", ".", ".."} and name.isprintable() and not re.search(r"[/\\:]", name)
