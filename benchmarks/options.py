"""The command line of ``python -m benchmarks``."""

import argparse
import os
from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path

from factory.cli.settings import Settings
from factory.core.tags import CodexTag
from factory.core.targets import PLATFORMS, Platform

ROOT = Path(__file__).resolve().parent.parent


class Case(StrEnum):
    """The things that can be measured."""

    UPSTREAM = "upstream"
    COLD = "cold"
    WARM = "warm"
    ZLIB = "zlib"
    FLOOR = "floor"
    VERIFY = "verify"
    TRUST = "trust"
    STOCK = "stock"
    AUDIT = "audit"
    ONE = "one platform"
    ONE_ZLIB = "one platform with zlib"
    COLD_AUDIT = "cold audit"
    COLD_AUDIT_ZLIB = "cold audit with zlib"
    GROWTH = "growth"


MEANINGS = {
    Case.UPSTREAM: "upstream's method: extract, copy, isolated `python -m build`, one wheel after the other",
    Case.COLD: "`factory wheels` up to the built wheels: the packages are here, nothing is compressed yet",
    Case.WARM: "the same again, with every content already compressed",
    Case.ZLIB: "only the distinct payload bytes, compressed by bare zlib on all cores",
    Case.FLOOR: "the same with the run's own encoder: exact_deflate where a C compiler is present",
    Case.VERIFY: "`factory verify` of the release",
    Case.TRUST: "`factory show signers` of the release: at most 15 s on two cores, and 150 MB",
    Case.STOCK: "other tools on the same wheels: auditwheel, delvewheel, twine, check-wheel-contents",
    Case.AUDIT: "`factory audit` of the release",
    Case.ONE: "`cold` for one platform, with one package to compress",
    Case.ONE_ZLIB: "the same with zlib as the encoder",
    Case.COLD_AUDIT: "`factory audit` of the release with nothing compressed yet",
    Case.COLD_AUDIT_ZLIB: "the same with zlib as the encoder",
    Case.GROWTH: "`cold` with 1, 2, 4 wheels, and with 1, 2, 4 workers",
}
"""A description of each case, for the help and the report."""
ON_COLD = frozenset({Case.WARM, Case.VERIFY, Case.TRUST, Case.STOCK, Case.AUDIT})
"""Cases that use the output of `cold`, so they include it."""
WITH_ZLIB = frozenset({Case.ONE_ZLIB, Case.COLD_AUDIT_ZLIB})
"""Cases that compress with zlib: what they would take without exact_deflate."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Options:
    """What to measure, and how.

    Attributes:
        repeat: How many times to measure; the median counts.
        cache: The cache with the downloads; nothing is removed from it.
        results: The directory for the JSON file.
        docs: The directory for the report.
    """

    tag: CodexTag
    platforms: tuple[Platform, ...]
    repeat: int
    cases: frozenset[Case]
    cache: Path
    scratch: Path
    results: Path
    docs: Path


def parse_options(argv: Sequence[str] | None) -> Options:
    """Parse the command line; only a complete measurement replaces the checked-in report."""
    given = _parser().parse_args(argv)
    named = frozenset(given.only or Case)
    cases = named | {Case.COLD} if named & ON_COLD else named
    platforms = tuple(given.platform or PLATFORMS)
    is_whole = cases == frozenset(Case) and platforms == PLATFORMS
    results = ROOT / "benchmarks" / "results"
    return Options(
        tag=given.release,
        platforms=platforms,
        repeat=given.repeat,
        cases=cases,
        cache=Settings.from_environ().cache_dir,
        scratch=given.scratch.absolute(),
        results=results,
        docs=given.docs or (ROOT / "docs" if is_whole else results),
    )


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks",
        description="Measure the factory, upstream's method and bare zlib on this machine in one run.",
        formatter_class=argparse.RawDescriptionHelpFormatter,
        epilog="cases:\n" + "\n".join(f"  {case:<22} {MEANINGS[case]}" for case in Case),
    )
    parser.add_argument(
        "--release",
        type=CodexTag.parse,
        default=CodexTag.parse("0.163.0"),
        metavar="TAG",
        help="the release to build (default: 0.163.0)",
    )
    parser.add_argument(
        "--platform",
        type=Platform.parse,
        action="append",
        metavar="TAG",
        help="build this wheel only; may be repeated",
    )
    parser.add_argument(
        "--repeat", type=int, default=1, metavar="N", help="how many times to measure (default: 1)"
    )
    parser.add_argument(
        "--only", type=Case, action="append", metavar="CASE", help="measure this case only; may be repeated"
    )
    parser.add_argument(
        "--scratch",
        type=Path,
        default=Path(os.environ.get("TMPDIR", "/var/tmp")) / f"factory-bench-{os.getpid()}",  # noqa: S108
        metavar="DIR",
        help="on the disk to measure, with 8 GB free; removed afterwards (default: %(default)s)",
    )
    parser.add_argument(
        "--docs",
        type=Path,
        metavar="DIR",
        help="directory for performance.md (default: docs/ if everything is measured)",
    )
    return parser
