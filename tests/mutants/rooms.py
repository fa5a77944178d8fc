"""Choose the modules to mutate, and the tests to run on their mutants."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]


@dataclass(frozen=True, slots=True, kw_only=True)
class Room:
    """Modules that are mutated together, because the same tests guard them."""

    name: str
    modules: tuple[str, ...]
    tests: tuple[str, ...]

    def files(self, prefixes: Sequence[str] = ()) -> Iterator[str]:
        """Yield the modules that begin with one of the prefixes, or all of them without a prefix."""
        paths = {path.relative_to(ROOT).as_posix() for pattern in self.modules for path in ROOT.glob(pattern)}
        for path in sorted(paths):
            if not prefixes or path.startswith(tuple(prefixes)):
                yield path


def _room(name: str, modules: str, tests: str) -> Room:
    """Return a room from the names of its modules and tests, both relative to the directory of the room."""
    directory = name.partition(" ")[0]
    return Room(
        name=name.replace("/", "-").replace(" ", "-"),
        modules=tuple(f"factory/{directory}/{module}.py" for module in modules.split()),
        tests=tuple(f"tests/unit/{directory}/{test}" for test in tests.split()),
    )


ROOMS = (
    _room("audit compare", "compare", "codex/test_comparer.py codex/test_tampered.py"),
    _room("audit container", "container_differences", "test_container_differences.py codex/test_tampered.py"),
    _room(
        "audit decide",
        "decide decision_table evidence_of",
        "test_decide.py test_decision_table.py codex/test_tampered.py codex/test_run.py test_known.py",
    ),
    _room("audit review", "review_causes", "test_review_causes.py codex/test_tampered.py"),
    _room("audit known", "known known_file", "test_known.py"),
    _room("audit toml", "strict_toml", "test_known.py projects/test_mapping_file.py"),
    _room("audit locked", "locked_backend", "codex/test_infer.py codex/test_run.py"),
    _room("audit index", "index", "test_index.py test_served_index.py"),
    _room("audit member", "member_differences", "test_member_differences.py codex/test_tampered.py"),
    _room("audit remote", "remote_zip", "test_remote_zip.py"),
    _room("audit results", "results origin", "test_results.py test_origin.py"),
    _room("audit replay", "replay", "test_replay.py codex/test_run.py codex/test_tampered.py"),
    _room("audit local", "local", "test_local.py codex/test_run.py"),
    _room("audit selection", "selection", "test_selection.py"),
    _room("audit verdict", "answer evidence verdict", "test_verdict.py test_known.py"),
    _room("audit project", "project_file", "test_project_file.py"),
    _room("audit provenance", "provenance", "test_provenance.py"),
    _room("audit published", "published", "test_published.py codex/test_infer.py"),
    _room("audit/codex compare", "comparer matching", "test_comparer.py test_matching.py test_tampered.py"),
    _room("audit/codex infer", "infer", "test_infer.py"),
    _room("audit/codex packages", "packages releases", "test_packages.py test_releases.py"),
    _room("audit/codex review", "review", "test_review.py test_tampered.py"),
    _room("audit/codex run", "auditor recipes rebuild", "test_recipes.py test_run.py test_tampered.py"),
    _room(
        "audit/projects auditor",
        "auditor container members npm_release read_texts",
        "test_auditor.py test_hatchling.py",
    ),
    _room("audit/projects draft", "draft stated_version", "test_command.py"),
    _room("audit/projects hatchling", "hatchling", "test_hatchling.py"),
    _room(
        "audit/projects mapping",
        "bundled mapping mapping_file version_rule",
        "test_mapping_file.py test_version_rule.py",
    ),
    _room("manifest", "*", "."),
    _room("statements", "*", "."),
    _room("release/channels", "*", "."),
    _room("system", "cache cache_entries partial_blob", "test_cache.py test_lease.py"),
    _room("wheels build", "build", "test_build.py test_damaged_cache.py"),
    _room("wheels environment", "build_environment", "test_build_environment.py"),
    _room("wheels fetch", "fetch", "test_fetch.py test_damaged_cache.py"),
    _room("wheels own", "own_records", "test_own_records.py"),
    _room("wheels plan", "plan reuse", "test_plan.py test_reuse.py"),
    _room("wheels record", "record", "test_record.py test_run.py"),
    _room("wheels run", "run verify", "test_fetch.py test_run.py test_verify.py"),
)
