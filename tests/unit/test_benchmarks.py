from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from xml.etree import ElementTree as ET

import pytest

from benchmarks.job import Job
from benchmarks.measure import Measured, MeasuredFile
from benchmarks.options import ROOT, Case, parse_options
from benchmarks.projects import RUNS, Run, rows_of
from benchmarks.release import ContentFile
from benchmarks.report import RATIOS, Ratio, write_report
from benchmarks.results import Results
from factory.audit.projects.bundled import bundled_projects
from factory.core.errors import VerificationError
from factory.core.tags import CodexTag
from factory.core.targets import PLATFORMS, Platform


def measured(
    case: str, wall_s: float, *, label: str = "", wheels: Mapping[str, str] | None = None
) -> Measured:
    return Measured(
        case=case,
        label=label or case,
        jobs=2,
        wheel_count=8,
        wall_s=wall_s,
        cpu_s=2 * wall_s,
        peak_bytes=45_000_000,
        read_bytes=3_000_000_000,
        written_bytes=1_000_000_000,
        disk_bytes=1_100_000_000,
        judged_disk_bytes=0,
        output_bytes=1_000_000_000,
        phases={"compress": wall_s - 1},
        wheels={} if wheels is None else wheels,
    )


@pytest.fixture
def results(tmp_path: Path) -> Results:
    return Results(path=tmp_path / "results.json", release="rust-v0.163.0", machine={"cores": "2"})


def test_a_job_survives_its_arguments(tmp_path: Path) -> None:
    job = Job(
        tag=CodexTag.parse("0.163.0"),
        platforms=(Platform.parse("win_amd64"), Platform.parse("win_arm64")),
        cache=tmp_path / "cache",
        out=tmp_path / "out",
        jobs=4,
        report=tmp_path / "report",
    )
    assert Job.parse(job.argv) == job


def test_only_a_complete_measurement_writes_the_checked_in_report() -> None:
    assert parse_options([]).docs == ROOT / "docs"
    assert parse_options([]).platforms == PLATFORMS
    assert parse_options(["--platform", "win_arm64"]).docs == ROOT / "benchmarks" / "results"
    assert parse_options(["--only", "warm"]).cases == {Case.COLD, Case.WARM}
    assert parse_options(["--only", "trust"]).cases == {Case.COLD, Case.TRUST}
    assert parse_options(["--only", "floor"]).cases == {Case.FLOOR}


def test_ratios_are_of_sums_of_medians(results: Results) -> None:
    for seconds in (100.0, 90.0, 500.0):
        results.add(measured("upstream", seconds, label="upstream win_arm64"))
    results.add(measured("upstream", 80.0, label="upstream win_amd64"))
    results.add(measured("cold", 60.0))
    results.add(measured("floor", 50.0))
    results.add(measured("zlib", 120.0))
    assert results.ratios() == {
        "upstream / cold": 3.0,
        "cold / zlib": 0.5,
        "cold / floor": 1.2,
        "CPU: upstream / cold": 3.0,
        "CPU: cold / floor": 1.2,
        "CPU: zlib / floor": 2.4,
        "disk: cold / its wheels": 1.1,
    }


def test_an_audit_is_compared_with_four_runs_of_the_front_end(results: Results) -> None:
    results.add(replace(measured("upstream", 25.0), phases={"python -m build": 20.0}))
    results.add(replace(measured("upstream", 20.0, label="other"), phases={"python -m build": 10.0}))
    results.add(measured("audit", 45.0))
    assert results.ratios()["audit / four python -m build"] == 0.75


def test_methods_that_build_different_bytes_are_an_error(results: Results) -> None:
    results.add(measured("upstream", 9.0, wheels={"a.whl": "11", "b.whl": "22"}))
    results.add(measured("cold", 3.0, wheels={"a.whl": "11"}))
    assert results.equal_wheels() == 1
    with pytest.raises(VerificationError, match=r"b\.whl was built with 2 different digests: 22, 33"):
        results.add(measured("warm", 1.0, wheels={"b.whl": "33"}))


@pytest.mark.parametrize(
    ("name", "measured", "cores", "result"),
    [
        ("upstream / cold", 4.49, "2", "**missed**"),
        ("upstream / cold", 4.5, "2", "kept"),
        ("cold / zlib", 0.73, "2", "**missed**"),
        ("cold / zlib", 0.72, "2", "kept"),
        ("cold / zlib", 0.7249, "2", "kept"),
        ("4 workers / 2 workers", 1.06, "2", "**missed**"),
        ("4 workers / 2 workers", 1.06, "4", ""),
        ("upstream / warm", 0.5, "2", ""),
    ],
)
def test_a_missed_promise_is_marked(name: str, measured: float, cores: str, result: str) -> None:
    assert RATIOS[name].result(measured, cores) == result


def test_a_promise_is_shown_with_its_limit_and_cores() -> None:
    assert Ratio(meaning="").promise == ""
    assert RATIOS["upstream / cold"].promise == "at least 4.50"
    assert RATIOS["4 workers / 2 workers"].promise == "at most 1.05 on 2 cores"


def test_the_report_marks_a_missed_promise(results: Results, tmp_path: Path) -> None:
    results.add(measured("upstream", 138.7))
    results.add(measured("cold", 48.7))
    lines = write_report(results, tmp_path).read_text().splitlines()
    assert any(line.startswith("| upstream / cold | 2.85 | at least 4.50 | **missed** |") for line in lines)


def test_the_report_has_the_table_and_a_plot_that_is_xml(results: Results, tmp_path: Path) -> None:
    results.add(measured("upstream", 180.0, wheels={"a.whl": "11"}))
    results.add(measured("cold", 40.0, wheels={"a.whl": "11"}))
    results.add(measured("workers 4", 61.0))
    lines = write_report(results, tmp_path).read_text().splitlines()
    assert "| cold | 40.0 | 80.0 | 45 | 3.0 | 1.0 | 1100 |" in lines
    assert any(line.startswith("| upstream / cold | 4.50 | at least 4.50 | kept |") for line in lines)
    assert "1 wheel was built by more than one method, each with the same SHA-256 every time." in lines
    plot = (tmp_path / "performance.svg").read_text()
    texts = [element.text for element in ET.fromstring(plot).iter("{http://www.w3.org/2000/svg}text")]  # noqa: S314
    assert texts == [
        "All wheels of rust-v0.163.0: seconds",
        "upstream",
        "180.0",
        "cold",
        "40.0",
        "Growth: seconds",
        "workers 4",
        "61.0",
    ]


def with_files(results: Results, stream: str) -> None:
    results.files["aa"] = ContentFile(name="codex of a target", size_bytes=100_000_000)
    results.files["bb"] = ContentFile(name="small", size_bytes=999_999)
    for case, cpu_s, sha256 in (("zlib", 4.0, "11"), ("floor", 2.0, stream)):
        files = {name: MeasuredFile(cpu_s=cpu_s, stream_sha256=sha256) for name in ("aa", "bb")}
        results.add(replace(measured(case, 9.0), files=files))


def test_the_report_compares_the_encoders_by_file(results: Results, tmp_path: Path) -> None:
    with_files(results, "11")
    lines = write_report(results, tmp_path).read_text().splitlines()
    assert "2 files compressed by both encoders, each to the same stream; MB/s of CPU time." in lines
    assert "| codex of a target | 100.0 | 25 | 50 | 2.00 |" in lines
    assert not any(line.startswith("| small") for line in lines)


def test_encoders_that_give_different_streams_are_an_error(results: Results) -> None:
    with pytest.raises(VerificationError, match="different streams for the file with SHA-256 aa"):
        with_files(results, "22")


def test_the_page_of_projects_has_a_row_for_each_audited_wheel() -> None:
    wheel = {
        "platform": "manylinux2014_x86_64.musllinux_1_1_x86_64",
        "inferred": None,
        "chain": [{"asset": "pkg:npm/a@1"}, {"asset": None}],
        "outcome": "DIFFERENT",
        "fetched_bytes": 5_400_000,
        "reason": "npm has no version 1. If the project numbers",
        "findings": [
            {"check": "elf-musl", "severity": "error"},
            {"check": "elf-musl", "severity": "error"},
            {"check": "elf-soname", "severity": "warning"},
        ],
    }
    run = Run(project="lefthook", version="2.2.2", report={"wheels": [wheel]}, status=10, seconds=4.25)
    (row,) = rows_of(run)
    assert row == (
        "| lefthook | 2.2.2 | manylinux2014_x86_64, musllinux_1_1_x86_64 | hatchling 1.32.4 | 1 of 2"
        " | DIFFERENT | 10 | 5.4 MB | 4.2 s | npm has no version 1; 2 errors: elf-musl |"
    )


def test_the_page_of_projects_is_about_all_mappings() -> None:
    assert sorted({project for project, _, _ in RUNS}) == list(bundled_projects())
    assert all(platforms for _, _, platforms in RUNS)
