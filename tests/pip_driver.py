"""One version of pip that installs many wheels without starting Python for each."""

import json
import subprocess  # noqa: TID251 - a process that answers line by line, which a Runner does not offer
import threading
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Self

_CHILD = Path(__file__).with_name("pip_child.py")


@dataclass(frozen=True, slots=True, kw_only=True)
class PipDriver:
    """A process of tests/pip_child.py.

    Attributes:
        process: The process, which has pip loaded.
        lock: Held while pip runs, so that each caller reads its own answer.
    """

    process: "subprocess.Popen[str]"
    lock: threading.Lock = field(default_factory=threading.Lock)

    @classmethod
    @contextmanager
    def started(cls, python: Path, environment: Mapping[str, str]) -> Iterator[Self]:
        """Start the interpreter of an environment with pip."""
        with subprocess.Popen(  # noqa: S603 - an argument vector, no shell
            (str(python), str(_CHILD)),
            env=dict(environment),
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        ) as process:
            yield cls(process=process)

    def run(self, arguments: Sequence[str]) -> int:
        """Run pip with arguments, and return its exit status."""
        requests, answers = self.process.stdin, self.process.stdout
        assert requests is not None
        assert answers is not None
        with self.lock:
            requests.write(json.dumps(arguments) + "\n")
            requests.flush()
            return int(answers.readline())
