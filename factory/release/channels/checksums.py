"""Read checksum files in the format of coreutils' sha256sum and sha512sum."""

import re
from collections.abc import Mapping

from factory.core.digests import Digest, DigestAlgorithm
from factory.core.errors import IntegrityError

_LINE = re.compile(r"(?P<hex>[0-9A-Fa-f]+)[ \t]+\*?(?P<name>[^ \t*].*)")
_ALGORITHMS = {algorithm.hex_length: algorithm for algorithm in DigestAlgorithm}


def parse_checksums(text: str, *, where: str) -> Mapping[str, Digest]:
    """Return the digests by file name.

    Each line has a digest, white space, an optional ``*``, and a file name without a directory.
    One malformed line makes the whole file unusable.

    Raises:
        IntegrityError: A line is malformed, names a file elsewhere, or contradicts another line.
    """
    digests: dict[str, Digest] = {}
    for number, line in enumerate(text.splitlines(), start=1):
        if not line.strip():
            continue
        match = _LINE.fullmatch(line.rstrip())
        if match is None or len(match["hex"]) not in _ALGORITHMS:
            raise _malformed(where, number, "expected a digest and a file name")
        name = match["name"].removeprefix("./")
        if not _is_plain(name):
            raise _malformed(where, number, f"{name!r} is not the name of a file in the same directory")
        digest = Digest(_ALGORITHMS[len(match["hex"])], match["hex"].lower())
        if digests.setdefault(name, digest) != digest:
            raise _malformed(where, number, f"{name} has another digest in an earlier line")
    return digests


def _malformed(where: str, line: int, problem: str) -> IntegrityError:
    return IntegrityError(
        f"{where}, line {line}: {problem}",
        hint="Write it with 'sha256sum FILE... > SHA256SUMS' in the directory of the files.",
    )


def _is_plain(name: str) -> bool:
    return name not in {"", ".", ".."} and name.isprintable() and not re.search(r"[/\\:]", name)
