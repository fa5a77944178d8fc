"""Measured: any command of the factory."""

import os
import sys

from benchmarks.job import Job, Used
from factory.system.process import Command, SubprocessRunner


def main() -> None:
    """Run ``python -m factory`` with the arguments after ``--`` and write the report."""
    split = sys.argv.index("--")
    job = Job.parse(sys.argv[1:split])
    argv = (sys.executable, "-m", "factory", *sys.argv[split + 1 :])
    completed = SubprocessRunner().run(Command(argv=argv, env=os.environ))
    if completed.returncode != 0:
        raise SystemExit(f"{' '.join(argv)}: {completed.reason}\n{completed.output}")
    job.write_report({"used": Used.now().to_json(), "phases": {}, "wheels": {}, "output_bytes": 0})


if __name__ == "__main__":
    main()
