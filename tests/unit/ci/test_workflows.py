"""Check that the commands in the workflows, the action and docs/ci.md are accepted by the program."""

import re
import sys
from pathlib import Path

import pytest

from factory import __version__
from factory.audit.known_file import read_known
from factory.cli.parser import make_parser
from tests.children import Child
from tests.workflow_files import (
    ACTION,
    FILES,
    PAGE,
    ROOT,
    WORKFLOWS,
    command_names,
    factory_commands,
    fenced,
    script_of,
    scripts,
    used_actions,
)

VALUES = {
    "versions": "1.2.3",
    "TAG": "rust-v0.163.0",
    "PLATFORM": "win_amd64",
    "SINCE": "0.160.0",
    "COMMAND": "verify",
    "words": "dist/0.163.0",
}
FAKE_FACTORY = """#!/bin/bash
if [[ "$2" == *job_report.py ]]; then
  printf '<%s>' "$@" > "$PLACE/reported"
  exit 0
fi
printf '<%s>' "$@" > "$PLACE/called"
echo '{}'
exit "$STATUS"
"""


def named(path: Path) -> str:
    return path.relative_to(ROOT).as_posix()


every_file = pytest.mark.parametrize("path", FILES, ids=named)
every_workflow = pytest.mark.parametrize("path", WORKFLOWS, ids=named)


@every_file
def test_actions_are_pinned_to_a_commit_with_a_version_comment(path: Path) -> None:
    for used in used_actions(path):
        assert re.fullmatch(r"[0-9a-f]{40}", used.ref), used
        assert re.fullmatch(r"v\d+\.\d+\.\d+", used.version or ""), used


def test_all_uses_of_an_action_have_the_same_commit() -> None:
    commits: dict[str, set[tuple[str, str | None]]] = {}
    for path in FILES:
        for used in used_actions(path):
            commits.setdefault(used.action, set()).add((used.ref, used.version))
    assert len(commits) == 8
    assert {action: said for action, said in commits.items() if len(said) != 1} == {}


@every_workflow
def test_permissions_are_empty_for_workflows_and_explicit_for_jobs(path: Path) -> None:
    text = path.read_text(encoding="utf-8")
    assert "\npermissions: {}\n" in text
    assert "\nconcurrency:\n" in text
    jobs = re.split(r"^  (?=[a-z]+:$)", text.partition("\njobs:\n")[2], flags=re.MULTILINE)[1:]
    assert jobs
    for job in jobs:
        assert "\n    timeout-minutes: " in job
        assert "\n    permissions:" in job
        assert "write-all" not in job
        assert job.count("persist-credentials: false") == job.count("actions/checkout@")


@every_file
def test_scripts_contain_no_template_expressions(path: Path) -> None:
    assert [script for script in scripts(path) if "${{" in script] == []


@every_file
def test_commands_in_scripts_are_accepted_by_the_parser(path: Path) -> None:
    commands = [words for script in scripts(path) for words in factory_commands(script, VALUES)]
    for words in commands:
        assert callable(make_parser().parse_args(words).command)
    expected = {
        "ci.yml": [],
        "release.yml": [],
        "wheels.yml": ["ci matrix", "wheels", "ci merge", "sdk pin", "statement create"],
        "audit.yml": ["ci matrix", "audit", "ci baseline", "statement create", "audit", "audit"],
        "audit-project.yml": ["audit", "statement create"],
        "action.yml": ["verify"],
    }
    assert command_names(commands) == expected[path.name]


def test_an_unknown_option_in_a_script_would_be_detected() -> None:
    (words,) = factory_commands('x=$(.venv/bin/factory ci matrix "$TAG" \\\n  --shape github)\n', VALUES)
    assert words == ("ci", "matrix", "rust-v0.163.0", "--shape", "github")
    with pytest.raises(SystemExit):
        make_parser().parse_args(words)


def test_commands_in_the_documentation_are_accepted_by_the_parser() -> None:
    commands = [words for example in fenced(PAGE) for words in factory_commands(example, VALUES)]
    for words in commands:
        assert callable(make_parser().parse_args(words).command)
    assert set(command_names(commands)) == {"ci matrix", "wheels", "ci merge", "sdk pin"}


def test_make_targets_in_scripts_exist() -> None:
    targets = set(re.findall(r"^([a-z-]+):", (ROOT / "Makefile").read_text(), re.MULTILINE))
    called = {
        word
        for path in FILES
        for script in scripts(path)
        for words in re.findall(r"^make (.*)$", script, re.MULTILINE)
        for word in words.split()
        if "=" not in word
    }
    assert called == {"setup", "test", "lint", "types"}
    assert called <= targets


def act(tmp_path: Path, *, status: int = 0, **inputs: str) -> tuple[int, str, str]:
    """Run the action's step with a fake program that records its arguments."""
    place = tmp_path / "a place"
    (place / "bin").mkdir(parents=True)
    program = place / "bin" / "python"
    program.write_text(FAKE_FACTORY)
    program.chmod(0o755)
    output = tmp_path / "output"
    output.touch()
    env = {"PLACE": str(place), "GITHUB_OUTPUT": str(output), "STATUS": str(status)}
    env |= {
        "PATHS": "",
        "TAGS": "",
        "PROJECT": "",
        "MAPPING": "",
        "ARGS": "",
        "SOURCE": "/the action",
        **inputs,
    }
    script = script_of(ACTION, "-m factory")
    child = Child(
        argv=("bash", "--noprofile", "--norc", "-e", "-o", "pipefail", "-c", script), env=env, cwd=tmp_path
    )
    ended = child.run()
    called = place / "called"
    return ended.status, called.read_text() if called.exists() else "", output.read_text()


def test_the_action_passes_paths_without_expanding_them(tmp_path: Path) -> None:
    paths = "dist/a wheel.whl\n\ndist/$(touch seen)*\n"
    status, called, output = act(tmp_path, COMMAND="verify", PATHS=paths, ARGS="--no-stock-tools")
    assert status == 0
    place = tmp_path / "a place"
    assert called == (
        f"<-I><-m><factory><verify><--json><--sarif><{place}/verify.sarif><--no-stock-tools>"
        "<dist/a wheel.whl><dist/$(touch seen)*>"
    )
    report = place / "verify.json"
    assert output == f"status=0\nreport={report}\n"
    assert (place / "reported").read_text() == f"<-I></the action/.ci/job_report.py><{report}>"
    assert report.read_text() == "{}\n"
    assert not (tmp_path / "seen").exists()


def test_the_action_returns_the_exit_status_of_the_audit(tmp_path: Path) -> None:
    status, called, output = act(tmp_path, status=10, COMMAND="audit", TAGS="0.163.0\n0.162.0")
    place = tmp_path / "a place"
    assert status == 10
    report = f"<--out><{place}/audit><--sarif><{place}/audit.sarif>"
    assert called == f"<-I><-m><factory><audit><--json>{report}<0.163.0><0.162.0>"
    assert output == f"status=10\nreport={place}/audit.json\n"


def test_the_action_passes_a_project_and_a_mapping_to_an_audit_only(tmp_path: Path) -> None:
    mapping = "mappings/a gadget.toml"
    _, called, _ = act(tmp_path, COMMAND="audit", TAGS="1.2.3", PROJECT="gadget-cli", MAPPING=mapping)
    assert called.endswith(f"/audit.sarif><--project><gadget-cli><--mapping><{mapping}><1.2.3>")
    (tmp_path / "again").mkdir()
    _, called, _ = act(tmp_path / "again", COMMAND="verify", PATHS="dist", PROJECT="gadget-cli")
    assert "gadget" not in called


@pytest.mark.parametrize(("category", "used"), [("", "wheels/verify"), ("mine", "mine")])
def test_the_action_uploads_findings_in_a_step_of_its_own(category: str, used: str, tmp_path: Path) -> None:
    place = tmp_path / "a place"
    (place / "bin").mkdir(parents=True)
    program = place / "bin" / "python"
    program.write_text('#!/bin/bash\nprintf "<%s>" "$@"\nexit 21\n')
    program.chmod(0o755)
    env = {"PLACE": str(place), "SARIF": "a.sarif", "COMMAND": "verify", "CATEGORY": category}
    env |= {"SOURCE": "/the action", "GITHUB_JOB": "wheels"}
    argv = (
        "bash",
        "--noprofile",
        "--norc",
        "-e",
        "-o",
        "pipefail",
        "-c",
        script_of(ACTION, "upload_sarif.py"),
    )
    ended = Child(argv=argv, env=env, cwd=tmp_path).run()
    assert (ended.status, ended.out) == (21, f"<-I></the action/.ci/upload_sarif.py><a.sarif><{used}>")
    text = ACTION.read_text(encoding="utf-8")
    assert text.count("inputs.token") == 1
    assert "if: ${{ !cancelled() && inputs.upload-sarif == 'true' && steps.run.outputs.sarif }}" in text


def test_the_action_gives_the_directory_and_the_key_of_a_cache(tmp_path: Path) -> None:
    output = tmp_path / "output"
    env = {"PYTHON": sys.executable, "SOURCE": str(ROOT), "GITHUB_OUTPUT": str(output)}
    env |= {"CACHE_DIR": "/a directory/of $files", "RUNNER_OS": "Linux", "RUNNER_ARCH": "X64"}
    script = script_of(ACTION, "cache_key.py")
    argv = ("bash", "--noprofile", "--norc", "-e", "-o", "pipefail", "-c", script)
    assert Child(argv=argv, env=env, cwd=tmp_path).run().status == 0
    place, key = output.read_text().splitlines()
    assert place == "cache-dir=/a directory/of $files"
    assert re.fullmatch(r"cache-key=codex-wheel-factory-[0-9.]+-Linux-X64-py3[0-9.]+-[0-9a-f]{16}", key)
    text = ACTION.read_text(encoding="utf-8")
    assert text.count("if: ${{ inputs.command != 'cache-key' }}") == 2  # nothing is installed for it


def test_the_action_refuses_other_commands(tmp_path: Path) -> None:
    assert act(tmp_path, COMMAND="cache") == (20, "", "")


def test_the_entries_of_the_scheduled_audit_can_be_read() -> None:
    known = read_known(ROOT / "docs/audits/known.toml")
    assert known.gaps
    assert known.findings
    assert {str(gap.release) for gap in known.gaps}.isdisjoint({"rust-v0.163.0"})


@pytest.mark.parametrize(
    ("status", "ends_with", "words"),
    [
        (0, 0, ""),
        (10, 10, "suspicious"),
        (11, 11, "review needed"),
        (12, 0, "nothing to compare"),
        (24, 24, "errors"),
    ],
)
def test_the_scheduled_audit_is_red_unless_every_wheel_is_good(
    status: int, ends_with: int, words: str, tmp_path: Path
) -> None:
    program = tmp_path / ".venv" / "bin" / "factory"
    program.parent.mkdir(parents=True)
    program.write_text(FAKE_FACTORY)
    program.chmod(0o755)
    script = script_of(ROOT / ".github/workflows/audit.yml", 'factory audit "$TAG"')
    output = tmp_path / "output"
    child = Child(
        argv=("bash", "--noprofile", "--norc", "-e", "-o", "pipefail", "-c", script),
        env={
            "PLACE": str(tmp_path),
            "STATUS": str(status),
            "TAG": "rust-v0.163.0",
            "GITHUB_OUTPUT": str(output),
        },
        cwd=tmp_path,
    )
    ended = child.run()
    assert ended.status == ends_with
    assert words in ended.out
    assert output.read_text() == f"status={status}\n"
    assert (tmp_path / "called").read_text() == (
        "<audit><rust-v0.163.0><--known><docs/audits/known.toml><--out><audit><--json>"
    )


def test_the_scheduled_audit_proposes_a_baseline_only_for_what_a_person_has_to_review(tmp_path: Path) -> None:
    workflow = (ROOT / ".github/workflows/audit.yml").read_text()
    only_for_review = "if: ${{ !cancelled() && steps.compare.outputs.status == '11' }}\n"
    assert f"- name: propose a change of the baseline\n        {only_for_review}" in workflow
    assert workflow.count(only_for_review) == 2
    program = tmp_path / ".venv" / "bin" / "factory"
    program.parent.mkdir(parents=True)
    program.write_text(FAKE_FACTORY)
    program.chmod(0o755)
    script = script_of(ROOT / ".github/workflows/audit.yml", "factory ci baseline propose")
    child = Child(
        argv=("bash", "--noprofile", "--norc", "-e", "-o", "pipefail", "-c", script),
        env={"PLACE": str(tmp_path), "STATUS": "0"},
        cwd=tmp_path,
    )
    assert child.run().status == 0
    assert (tmp_path / "called").read_text() == "<ci><baseline><propose><report.json>"
    assert (tmp_path / "baseline.diff").read_text() == "{}\n"


def test_the_hooks_for_pre_commit_are_commands_of_the_parser() -> None:
    text = (ROOT / ".pre-commit-hooks.yaml").read_text(encoding="utf-8")
    entries = re.findall(r"^  entry: factory (.+)$", text, re.MULTILINE)
    assert entries == ["verify", "sdk pin"]
    (arguments,) = re.findall(r'^  description: "args: \[(.+)\]"$', text, re.MULTILINE)
    assert callable(make_parser().parse_args(["sdk", "pin", *arguments.split(", ")]).command)
    (pattern,) = re.findall(r"^  files: (.+)$", text, re.MULTILINE)
    name = "openai_codex_cli_bin-0.163.0-py3-none-win_amd64.whl"
    assert all(re.search(pattern, path) for path in (name, f"dist/0.163.0/{name}"))
    assert not any(re.search(pattern, path) for path in ("other-1-py3-none-any.whl", f"{name}.cdx.json"))


def test_the_changelog_has_the_version_with_a_date_as_the_release_requires() -> None:
    text = (ROOT / "CHANGELOG.md").read_text(encoding="utf-8")
    headings = re.findall(r"^## (.+)$", text, re.MULTILINE)
    version, _, date = headings[0].partition(" - ")
    assert version == __version__
    assert re.fullmatch(r"\d{4}-\d{2}-\d{2}", date)
    script = script_of(ROOT / ".github/workflows/release.yml", "CHANGELOG.md")
    assert '"^## ${TAG#v} - [0-9]{4}-[0-9]{2}-[0-9]{2}$" CHANGELOG.md' in script
