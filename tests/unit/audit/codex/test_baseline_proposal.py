"""The baseline that results of audits give, and what it would have said of each release."""

import json
from collections.abc import Mapping
from pathlib import Path

import pytest

from factory.audit.codex.baseline_proposal import extend, observed, proposal, published_shape, reviewed
from factory.audit.codex.leave_one_out import leave_one_out, render_page
from factory.audit.codex.rebuilt_facts import RebuiltFacts, read_results
from factory.core.digests import Sha256
from factory.core.errors import IntegrityError, UsageError
from factory.core.json_reader import MalformedJson
from factory.core.targets import OperatingSystem
from factory.verify.baseline.baseline import Baseline, Shape
from factory.verify.baseline.baseline_file import bundled_baseline, render_baseline

LINUX, WINDOWS = "manylinux_2_17_x86_64", "win_amd64"
INIT = "codex_cli_bin/__init__.py"
METADATA = "Metadata-Version: 2.4\nName: openai-codex-cli-bin\nVersion: {}\nSummary: {}\n\n"


def verdict(
    version: str,
    platform: str = LINUX,
    *,
    init: str = "a",
    summary: str = "s",
    executables: Mapping[str, str] | None = None,
    **members: object,
) -> dict[str, object]:
    """Return a verdict as the results of an audit have it, with the members that matter here."""
    info = f"openai_codex_cli_bin-{version}.dist-info"
    name = f"openai_codex_cli_bin-{version}-py3-none-{platform}.whl"
    texts = {f"{info}/METADATA": METADATA.format(version, summary), INIT: init}
    places = {"bin/codex": "bin/codex"} if executables is None else executables
    return {
        "name": name,
        "tag": f"rust-v{version}",
        "platform": platform,
        "sha256": "1" * 64,
        "rebuilt": "1" * 64,
        "outcome": "IDENTICAL",
        "causes": [],
        "trust_base": [
            {"place": place, "sha256": str(Sha256.of([text.encode()])), "text": text}
            for place, text in texts.items()
        ],
        "inferred": {"generator": "hatchling 1", "left_out": []},
        "chain": [
            {"path": path, "member": f"codex_cli_bin/{place}", "asset": "pkg:npm/x"}
            for path, place in places.items()
        ],
    } | members


def inferred(generator: str = "hatchling 1", *left_out: str) -> dict[str, object]:
    return {"generator": generator, "left_out": list(left_out)}


def write(directory: Path, *verdicts: dict[str, object]) -> Path:
    """Write verdicts as ``factory audit --out`` keeps them."""
    wheels = directory / "wheels"
    wheels.mkdir(parents=True)
    for one in verdicts:
        (wheels / f"{one['name']}.json").write_text(json.dumps({"identity": {}, "verdict": one}))
    return directory


def facts(directory: Path, *verdicts: dict[str, object]) -> tuple[RebuiltFacts, ...]:
    return read_results([write(directory / "results", *verdicts)]).wheels


def ranges(entries: object) -> list[tuple[str, str]]:
    assert isinstance(entries, tuple)
    return [(entry.first.pep440, entry.last.pep440) for entry in entries]


def test_the_facts_of_a_rebuilt_wheel(tmp_path: Path) -> None:
    (found,) = facts(
        tmp_path,
        verdict(
            "0.163.0", inferred=inferred("hatchling 1", "path/rg"), executables={"codex/codex": "bin/codex"}
        ),
    )
    assert (str(found.tag), found.platform, found.family) == (
        "rust-v0.163.0",
        LINUX,
        OperatingSystem.LINUX,
    )
    assert found.texts == {INIT: Sha256.of([b"a"])}
    normal = METADATA.format("{version}", "s").encode()
    assert (found.metadata.sha256, found.metadata.requires) == (Sha256.of([normal]), ())
    assert (found.left_out, found.executables) == (("path/rg",), {"codex/codex": "bin/codex"})


def test_a_report_is_read_as_kept_verdicts_are(tmp_path: Path) -> None:
    report = tmp_path / "report.json"
    report.write_text(json.dumps({"wheels": [verdict("0.163.0"), verdict("0.131.0")]}))
    assert [str(found.tag) for found in read_results([report]).wheels] == ["rust-v0.131.0", "rust-v0.163.0"]


@pytest.mark.parametrize(
    ("members", "is_taken"),
    [
        ({}, True),
        ({"outcome": "DIFFERENT", "causes": [{"id": "payload-moved"}]}, True),  # a person reviews it
        ({"outcome": "IDENTICAL-REPLAYED", "rebuilt": None}, True),
        ({"outcome": "DIFFERENT", "rebuilt": "2" * 64}, False),
        ({"outcome": "NOT-REBUILT", "rebuilt": None}, False),
        ({"inferred": None}, False),
        ({"causes": [{"id": "importable-file"}]}, False),
    ],
)
def test_only_wheels_that_were_rebuilt_count(
    members: dict[str, object], *, is_taken: bool, tmp_path: Path
) -> None:
    assert bool(facts(tmp_path, verdict("0.163.0", **members))) is is_taken  # type: ignore[arg-type]


def test_a_wheel_with_another_module_is_named_and_not_proposed(tmp_path: Path) -> None:
    one = verdict("0.163.0", causes=[{"id": "importable-file"}, {"id": "text-not-seen-before"}])
    results = read_results([write(tmp_path, one)])
    assert results.foreign == {str(one["name"]): ("importable-file",)}


def test_results_that_cannot_be_read_are_refused(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="No such file"):
        read_results([tmp_path / "absent.json"])
    (tmp_path / "x.json").write_text("{}")
    with pytest.raises(MalformedJson, match="'wheels' should be a list"):
        read_results([tmp_path / "x.json"])
    with pytest.raises(IntegrityError, match=r"METADATA does not have the version 0\.163\.0"):
        facts(tmp_path, verdict("0.163.0") | {"tag": "rust-v0.163.0", "trust_base": _metadata_of("0.162.0")})


def _metadata_of(version: str) -> object:
    return verdict(version)["trust_base"]


def test_each_entry_has_the_releases_of_its_range(tmp_path: Path) -> None:
    shape = published_shape(
        observed(
            facts(
                tmp_path,
                verdict("0.131.0", init="old", inferred=inferred()),
                verdict("0.132.0", init="old", inferred=inferred()),
                verdict("0.133.0", init="new", inferred=inferred("hatchling 2")),
                verdict("0.134.0", init="old", inferred=inferred("hatchling 2")),
                verdict("0.134.0", WINDOWS, init="windows", inferred=inferred("hatchling 2")),
            )
        )
    )
    assert ranges(shape.platforms) == [("0.131.0", "0.134.0"), ("0.134.0", "0.134.0")]
    assert ranges(shape.generators) == [("0.131.0", "0.132.0"), ("0.133.0", "0.134.0")]
    assert ranges(shape.metadata) == [("0.131.0", "0.134.0")]
    old = [text for text in shape.texts if text.sha256 == Sha256.of([b"old"])]
    assert ranges(tuple(old)) == [("0.131.0", "0.132.0"), ("0.134.0", "0.134.0")]
    assert [text.family for text in shape.texts if text.sha256 == Sha256.of([b"windows"])] == [
        OperatingSystem.WINDOWS
    ]


def test_files_that_are_left_out_become_patterns(tmp_path: Path) -> None:
    lean = verdict(
        "0.163.0",
        inferred=inferred(
            "hatchling 1",
            "path/rg",
            "codex-resources/voice/bin/host",
            "codex-resources/voice/a.md",
            "codex-resources/zsh/b",
        ),
        executables={
            "codex/codex": "bin/codex",
            "codex-resources/zsh/bin/zsh": "codex-resources/zsh/bin/zsh",
        },
    )
    shape = published_shape(observed(facts(tmp_path, lean)))
    assert sorted(entry.pattern for entry in shape.left_out) == [
        "codex-resources/voice/*",
        "codex-resources/zsh/b",
        "path/rg",
    ]
    (placement,) = shape.placements
    assert (str(placement.source), str(placement.becomes)) == ("codex/codex", "bin/codex")


def test_the_bundled_baseline_is_what_its_own_observations_give() -> None:
    shape = bundled_baseline().published
    assert render(published_shape(reviewed(shape))) == render(shape)


def render(shape: Shape) -> str:
    return render_baseline(Baseline(published=shape))


def test_a_new_release_extends_the_ranges_and_adds_what_is_new(tmp_path: Path) -> None:
    old = published_shape(observed(facts(tmp_path / "old", verdict("0.131.0"), verdict("0.132.0"))))
    same = extend(old, facts(tmp_path / "same", verdict("0.133.0")))
    assert ranges(same.texts) == ranges(same.generators) == [("0.131.0", "0.133.0")]
    other = extend(old, facts(tmp_path / "other", verdict("0.133.0", init="new")))
    assert ranges(other.texts) == [("0.131.0", "0.132.0"), ("0.133.0", "0.133.0")]
    diff = proposal(Baseline(published=old), Baseline(published=other))
    added = [line for line in diff.splitlines() if line.startswith("+{") and "__init__" in line]
    sha256 = Sha256.of([b"new"])
    expected = f'"sha256": "{sha256}", "first": "rust-v0.133.0", "last": "rust-v0.133.0"}},'
    assert added == [f'+{{"path": "{INIT}", "family": "linux", {expected}']
    assert proposal(Baseline(published=old), Baseline(published=old)) == ""


def test_each_release_is_judged_by_earlier_ones(tmp_path: Path) -> None:
    wheels = facts(
        tmp_path,
        verdict("0.131.0", executables={"codex/codex": "bin/codex"}),
        verdict("0.132.0", executables={"codex/codex": "bin/codex"}),
        verdict("0.133.0", init="new", inferred=inferred("hatchling 2", "codex-resources/voice/a/b")),
        verdict("0.133.0", WINDOWS, init="windows"),
        verdict(
            "0.134.0",
            init="new",
            summary="other",
            inferred=inferred("hatchling 2"),
            executables={"bin/x": "codex/x"},
        ),
    )
    found = {
        release.tag.pep440: [(str(alarm.kind), alarm.place, platforms) for alarm, platforms in release.alarms]
        for release in leave_one_out(wheels)
    }
    assert found == {
        "0.132.0": [],
        "0.133.0": [
            ("generator-not-seen-before", "{dist-info}/WHEEL", (LINUX,)),
            ("payload-missing", "codex-resources/voice", (LINUX,)),
            ("text-not-seen-before", INIT, (LINUX,)),
            ("text-not-seen-before", INIT, (WINDOWS,)),
        ],
        "0.134.0": [
            ("metadata-not-seen-before", "{dist-info}/METADATA", (LINUX,)),
            ("payload-moved", "bin/x", (LINUX,)),
        ],
    }


def test_the_page_counts_causes_and_lists_each_change(tmp_path: Path) -> None:
    wheels = facts(
        tmp_path,
        verdict("0.131.0"),
        verdict("0.132.0"),
        verdict("0.133.0", init="new", inferred=inferred("hatchling 1", "codex-resources/voice/a/b")),
        verdict("0.133.0", WINDOWS),
    )
    page = render_page(wheels)
    assert "4 wheels from 0.131.0 to 0.133.0" in page
    assert "Of 2 releases, 1 raise no alarm and 1 do." in page
    assert "| `payload-missing` | 1 | 10 |" in page
    assert "| `text-not-seen-before` | 2 | 11 |" in page
    row = (
        f"| 0.133.0 | `payload-missing` | `codex-resources/voice` | earlier wheels do not lack it | {LINUX} |"
    )
    assert row in page.splitlines()
