"""Measured: other projects' tools on the same wheels, with as many processes as the factory has workers.

delocate is missing: it needs programs that Linux does not have (docs/checks.md).
"""

import os
import sys
import threading

from benchmarks.job import Job, Used
from factory.system.parallel import in_parallel
from factory.system.process import Command, SubprocessRunner

EVERY_WHEEL = (("twine", "check"), ("check_wheel_contents", "--no-config"))
LINUX = (("auditwheel", "show"),)
WINDOWS = (("delvewheel", "show", "--analyze-existing-exes", "--analyze-existing", "--ignore-existing"),)


def tools_for(wheel: str) -> tuple[tuple[str, ...], ...]:
    """Return the tools that can read a wheel with this name."""
    if "linux" in wheel:
        return (*EVERY_WHEEL, *LINUX)
    return (*EVERY_WHEEL, *WINDOWS) if "-win_" in wheel else EVERY_WHEEL


def main() -> None:
    """Run every tool on every wheel after ``--``, ignore the findings, and write the report."""
    split = sys.argv.index("--")
    job = Job.parse(sys.argv[1:split])
    runner = SubprocessRunner()
    commands = [
        Command(argv=(sys.executable, "-m", *tool, wheel), env=os.environ)
        for wheel in sys.argv[split + 1 :]
        for tool in tools_for(wheel)
    ]
    in_parallel(runner.run, commands, jobs=job.jobs, weight=lambda _: 1, stop=threading.Event())
    job.write_report({"used": Used.now().to_json(), "phases": {}, "wheels": {}, "output_bytes": 0})


if __name__ == "__main__":
    main()
