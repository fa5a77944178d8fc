"""Run the benchmark, print each result, and write the report."""

import shutil
import signal
import sys
from collections.abc import Sequence

from benchmarks.options import parse_options
from benchmarks.report import write_report
from benchmarks.results import Results
from benchmarks.run import Benchmark
from factory.core.errors import EXIT_OK, FactoryError


def main(argv: Sequence[str] | None = None) -> int:
    """Run the benchmark; the results so far are kept if a later part fails."""
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(128 + signal.SIGTERM))  # removes temporary files
    options = parse_options(argv)
    options.scratch.mkdir(parents=True)
    results = Results.begin(options)
    try:
        Benchmark(options=options, results=results).run()
    except FactoryError as error:
        print(f"benchmarks: {error}", f"hint: {error.hint}", sep="\n", file=sys.stderr)
        return error.exit_code
    finally:
        shutil.rmtree(options.scratch, ignore_errors=True)
        print(f"results: {results.path}", file=sys.stderr)
    print(f"report: {write_report(results, options.docs)}", file=sys.stderr)
    return EXIT_OK


if __name__ == "__main__":
    sys.exit(main())
