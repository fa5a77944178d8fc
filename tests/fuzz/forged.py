"""Forge documents at random: ``python -m tests.fuzz.forged [--count 20000] [--seed 0]``.

Unlike bytes from a fuzzer, most of them are valid JSON with something wrong in it: another type, a
number without end, half a character, a member twice, a deep or long value, an address of no server.
"""

import argparse
import copy
import json
import random
import sys
import traceback
from collections import Counter
from collections.abc import Iterator

from factory.core.errors import FactoryError
from factory.core.targets import Target
from tests.fuzz.documents import BASE, KINDS, TAG
from tests.unit.manifest.test_manifest import MANIFEST

_DIGITS = "9" * 5000
NASTY: tuple[object, ...] = (
    *(None, True, False, 0, -1, 1, 2**70, 1.5, float("inf"), float("nan"), 10**4200),
    *("", "x", "\ud800", "\udfff", "\0", "\u202e", "a" * 5000, "x" * 300 + ".whl", "con", "a*?", "\u0663"),
    *("../..", "/etc/passwd", "a\\b", "win_amd64", "macosx_99999999999999999999_0_arm64", "bogus", "npm"),
    *(f"manylinux_{_DIGITS}_1_x86_64", f"rust-v{_DIGITS}.0.0", "rust-v1.2.3", "0755", "-1", "0o7", _DIGITS),
    *("sha256:" + "1" * 64, "1" * 64, "sha512-", "sha512-" + "A" * 86 + "=="),
    *("2026-01-01T00:00:00Z", "9999-99-99", "0001-01-01T00:00:00+23:59"),
    *("http://[::1", "http://user:word@h:99999999/", "file:///etc/passwd", "https://" + _DIGITS, "//", "?"),
    *([], {}, [[]], [{}], {"a": 1}, [None] * 3, {"": ""}),
)
NASTY_HEADERS = (
    *("bytes 0-1/2", f"bytes {_DIGITS}-5/6", "bytes 5-1/0", "bytes */*", "", "\xb2", "bytes -", "bytes 0-"),
    *(
        f"bytes 0-{_DIGITS}/{_DIGITS}",
        "bytes 0-32767/40000",
        "5",
        _DIGITS,
        "-1",
        "bytes 0-0/0",
        "bytes 0-0/1",
    ),
)
Path = tuple[str | int, ...]


def good_documents() -> dict[str, object]:
    """Return a good document of each kind, to be changed."""
    npm = {
        f"{TAG.semver}-{target.npm_suffix}": {
            "dist": {"integrity": "sha512-" + "A" * 86 + "==", "tarball": f"{BASE}/codex.tgz"}
        }
        for target in Target
    }
    assets = [
        {
            "name": f"codex-package-{target}.tar.gz",
            "size": 5,
            "digest": "sha256:" + "1" * 64,
            "browser_download_url": f"{BASE}/a",
        }
        for target in Target
    ]
    checksums = {"name": "codex-package_SHA256SUMS", "browser_download_url": f"{BASE}/SHA256SUMS"}
    record = {
        "assets": [
            {
                "target": target.value,
                "name": "codex.tgz",
                "purl": "pkg:npm/x",
                "digest": "sha256:" + "1" * 64,
                "size_bytes": None,
                "format": "tar.gz",
                "url": f"{BASE}/codex.tgz",
            }
            for target in Target
        ],
        "bundles": [{"target": "x86_64-unknown-linux-musl", "program": "codex", "content": "AAAA"}],
        "files": [{"path": "bin/codex", "mode": 493, "size_bytes": 5, "sha256": "1" * 64, "kind": "elf"}],
    }
    file = {
        "filename": "openai_codex_cli_bin-0.163.0-py3-none-win_amd64.whl",
        "url": f"{BASE}/a.whl",
        "hashes": {"sha256": "1" * 64},
        "size": 5,
        "yanked": False,
        "provenance": f"{BASE}/p",
        "upload-time": "2026-01-01T00:00:00Z",
    }
    return {
        "manifests": MANIFEST.to_json(),
        "records": record,
        "registry documents": {"versions": {TAG.semver: {"optionalDependencies": {}}, **npm}},
        "GitHub documents": {"assets": [*assets, checksums], "tag_name": str(TAG)},
        "index documents": {"meta": {"api-version": "1.3"}, "name": "openai-codex-cli-bin", "files": [file]},
    }


def paths(value: object, path: Path = ()) -> Iterator[Path]:
    """Yield the path of every value in a document."""
    if path:
        yield path
    items = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for key, item in items:
        yield from paths(item, (*path, key))


def forge(document: object, choice: random.Random) -> bytes:
    """Return a document with one to three changes."""
    forged = copy.deepcopy(document)
    for _ in range(choice.choice((1, 1, 1, 2, 3))):
        found = list(paths(forged))
        if found:
            _change(forged, choice.choice(found), choice)
    text = json.dumps(forged)
    match choice.randrange(12):
        case 0:
            place = choice.randrange(len(text))
            text = text[:place] + choice.choice('{}[],:"\\0\ud800') + text[place + 1 :]
        case 1:
            text = text[: choice.randrange(len(text))]
        case 2:
            text = choice.choice(("[", '{"a":')) * 50_000 + text
        case 3 if text.startswith("{"):
            text = '{"versions": 1, "wheels": 1, "files": 1, "key": 1, "assets": 1,' + text[1:]
        case _:
            pass
    return text.encode("utf-8", "surrogatepass")


def _change(document: object, path: Path, choice: random.Random) -> None:
    holder = document
    for key in path[:-1]:
        holder = holder[key]  # type: ignore[index]  # the path is one of this document
    new = copy.deepcopy(choice.choice(NASTY))
    if isinstance(holder, dict):
        match choice.randrange(8):
            case 0:
                del holder[path[-1]]
            case 1:
                holder[choice.choice(("extra", "\ud800", "a" * 400))] = new
            case _:
                holder[path[-1]] = new
    elif isinstance(holder, list) and isinstance(path[-1], int):
        if choice.randrange(4):
            holder[path[-1]] = new
        else:
            holder.append(copy.deepcopy(holder[path[-1]]))


def main(argv: list[str]) -> int:
    """Forge documents and read them; return 1 if a reader raised anything but an error for the user."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--count", type=int, default=20_000)
    parser.add_argument("--seed", type=int, default=0)
    arguments = parser.parse_args(argv)
    choice = random.Random(arguments.seed)  # noqa: S311 - a test
    good = good_documents()
    tried: Counter[str] = Counter()
    refused: Counter[str] = Counter()
    crashed: Counter[str] = Counter()
    for number in range(arguments.count):
        kind = list(KINDS)[number % len(KINDS)]
        if kind == "ranges":
            data = "\n".join(choice.choice(NASTY_HEADERS) for _ in range(2)).encode("latin-1", "replace")
        else:
            data = forge(good[kind], choice)
        tried[kind] += 1
        try:
            KINDS[kind](data)
        except FactoryError as error:
            refused[kind] += 1
            str(error).encode("utf-8", "backslashreplace")
        except Exception as error:  # noqa: BLE001 - this is what is searched for
            frame = traceback.extract_tb(error.__traceback__)[-1]
            crashed[
                f"{kind}: {type(error).__name__} at {frame.filename}:{frame.lineno}: {str(error)[:80]}"
            ] += 1
    for kind, count in tried.items():
        print(f"{kind}: {count} forged, {refused[kind]} refused with a sentence")
    for text, count in crashed.most_common():
        print(f"{count} x {text}")
    print(f"tracebacks: {crashed.total()} of {tried.total()}")
    return 1 if crashed else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
