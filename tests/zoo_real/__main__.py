"""Verify published wheels, and compare the findings with a list: ``python -m tests.zoo_real [NAME...]``.

One wheel after the other is downloaded by pip, with the index of pip's own configuration, into a temporary
directory that is deleted afterwards. A line says how long verify took and how much memory it used. The exit
status is 1 if findings differ, or if a wheel needs more than 30 s of CPU time or 150 MB.
"""

import json
import os
import resource
import sys
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import redirect_stdout
from dataclasses import dataclass
from io import StringIO
from pathlib import Path

from factory.cli import main as factory_main
from factory.core.digests import Sha256
from factory.system.process import Command, SubprocessRunner
from tests.zoo_real.reviewed import ReviewedWheel, reviewed_wheels

_MOST_SECONDS = 30.0
_MOST_MEGABYTES = 150
_CHILD = "--child"


@dataclass(frozen=True, slots=True, kw_only=True)
class Verified:
    """What verify reported about one wheel.

    Attributes:
        seconds: CPU time.
        megabytes: The most memory of the process, or of a stock tool.
    """

    findings: tuple[Mapping[str, str], ...]
    seconds: float
    megabytes: int


def verified(wheel: ReviewedWheel) -> Verified:
    """Download a wheel, verify it in a process of its own, and delete it."""
    with tempfile.TemporaryDirectory() as temporary:
        path = _download(wheel, Path(temporary))
        command = (sys.executable, "-m", "tests.zoo_real", _CHILD, str(path))
        done = SubprocessRunner().run(Command(argv=command, env=dict(os.environ), cwd=Path.cwd()))
    assert done.returncode == 0, done.output
    answer = json.loads(done.output.strip().rpartition("\n")[2])
    return Verified(
        findings=tuple(answer["findings"]), seconds=answer["seconds"], megabytes=answer["megabytes"]
    )


def _download(wheel: ReviewedWheel, directory: Path) -> Path:
    requirements = directory / "requirements.txt"
    requirements.write_text(wheel.requirement + "\n", encoding="utf-8")
    options = ("--no-deps", "--only-binary", ":all:", "--no-cache-dir", "--require-hashes", "--quiet")
    words = (sys.executable, "-m", "pip", "download", *options, *wheel.pip_options)
    command = (*words, "--dest", str(directory), "--requirement", str(requirements))
    done = SubprocessRunner().run(Command(argv=command, env=dict(os.environ)))
    assert done.returncode == 0, done.output
    path = directory / wheel.file
    assert Sha256.of_file(path) == wheel.sha256
    return path


def child(path: str) -> None:
    """Verify a wheel in this process, and print the findings and what it cost as one line of JSON."""
    with redirect_stdout(StringIO()) as out:
        factory_main(["verify", "--json", path])
    (wheel,) = json.loads(out.getvalue())["wheels"]
    used = [resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)]
    answer = {
        "findings": [
            {key: finding[key] for key in ("severity", "check", "place")} for finding in wheel["findings"]
        ],
        "seconds": sum(one.ru_utime + one.ru_stime for one in used),
        "megabytes": max(one.ru_maxrss for one in used) // 1024,
    }
    sys.stdout.write(json.dumps(answer) + "\n")


def _problems(wheel: ReviewedWheel) -> Iterator[str]:
    result = verified(wheel)
    sys.stdout.write(f"{result.seconds:5.1f} s {result.megabytes:4} MB  {wheel.file}\n")
    sys.stdout.flush()
    yield from wheel.differences(result.findings)
    if result.seconds > _MOST_SECONDS or result.megabytes > _MOST_MEGABYTES:
        yield f"it needed {result.seconds:.1f} s and {result.megabytes} MB"


def main(names: list[str]) -> int:
    """Verify all wheels, or those of which the file name contains a name; return the exit status."""
    wheels = [wheel for wheel in reviewed_wheels() if not names or any(name in wheel.file for name in names)]
    count = 0
    for wheel in wheels:
        for problem in _problems(wheel):
            sys.stdout.write(f"  {problem}\n")
            count += 1
    errors = sum(len(wheel.errors) for wheel in wheels)
    sys.stdout.write(f"{len(wheels)} wheels, {errors} confirmed errors, {count} differences\n")
    return int(count > 0)


if __name__ == "__main__":
    if sys.argv[1:2] == [_CHILD]:
        child(sys.argv[2])
    else:
        sys.exit(main(sys.argv[1:]))
