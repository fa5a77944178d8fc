"""The pin of a manifest. Each refusal changes one thing in a real manifest or its directory."""

import json
import re
import shlex
import shutil
import tomllib
from collections.abc import Callable
from pathlib import Path

import pytest
from packaging.pylock import Pylock

from factory.core.errors import IntegrityError, UsageError
from factory.core.json_reader import MalformedJson
from factory.core.targets import Platform
from factory.sdk.pin import PinFormat, render_pin
from factory.verify.baseline.rules import ACCEPTANCE_ROOMS, rules_digest
from factory.verify.proof import NotProven, ProvenManifest, Terms, prove
from tests.packages import release_directory
from tests.runs import run_factory
from tests.unit.cli.conftest import Factory, cache, cache_with_toolchain, factory

__all__ = ["cache", "cache_with_toolchain", "factory"]

WINDOWS = "openai_codex_cli_bin-0.163.0-py3-none-win_amd64.whl"
Document = dict[str, object]
RULES = str(rules_digest(ACCEPTANCE_ROOMS))


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> Path:
    root = tmp_path_factory.mktemp("whole")
    run_factory(release_directory(root / "packages"), root, cache=root / "cache")
    return root / "0.163.0"


@pytest.fixture(scope="module")
def proved(whole: Path) -> ProvenManifest:
    return proven(whole)


@pytest.fixture
def dist(whole: Path, tmp_path: Path) -> Path:
    return Path(shutil.copytree(whole, tmp_path / "dist"))


def wheels_of(document: Document) -> list[Document]:
    wheels = document["wheels"]
    assert isinstance(wheels, list)
    return wheels


def edit(dist: Path, change: Callable[[Document, Document], None]) -> None:
    """Change a manifest: the whole document, or its record of the Windows wheel."""
    path = dist / "manifest.json"
    document = json.loads(path.read_text())
    (record,) = (wheel for wheel in wheels_of(document) if wheel["name"] == WINDOWS)
    change(document, record)
    path.write_text(json.dumps(document))


def refusals(dist: Path, terms: Terms | None = None) -> tuple[str, ...]:
    with pytest.raises(NotProven) as caught:
        prove(dist, terms or Terms())
    assert caught.value.exit_code == 24
    return caught.value.refusals


def proven(dist: Path) -> ProvenManifest:
    return prove(dist / "manifest.json", Terms())


def test_a_complete_manifest_can_be_pinned(whole: Path, proved: ProvenManifest) -> None:
    assert len(proved.wheels) == 8
    assert prove(whole, Terms()) == proved


def test_a_check_that_was_not_run_is_a_refusal(dist: Path) -> None:
    def change(_: Document, record: Document) -> None:
        checks = record["checks"]
        assert isinstance(checks, list)
        checks.remove("elf-musl")

    edit(dist, change)
    assert refusals(dist) == (f"{WINDOWS} was not checked by elf-musl",)


def accepted(outcome: str, *, rules: str = RULES) -> Callable[[Document, Document], None]:
    case = {"case": "tool-calls", "outcome": outcome, "detail": "no command was run"}
    others = {"case": "closing-twice", "outcome": "passed", "detail": ""}
    sdk = {"name": "openai-codex", "version": "0.163.0", "sha256": "3" * 64}
    evidence = {"sdk": sdk, "how": "natively", "cases": [case, others], "rules": rules}
    return lambda _, record: record.update(acceptance=evidence)


def test_a_failed_case_is_a_refusal(dist: Path) -> None:
    edit(dist, accepted("failed"))
    assert refusals(dist) == (f"{WINDOWS} failed tool-calls with openai-codex 0.163.0: no command was run",)


@pytest.mark.parametrize("outcome", ["passed", "not-applicable"])
def test_one_accepted_wheel_satisfies_require_acceptance(dist: Path, outcome: str) -> None:
    edit(dist, accepted(outcome))
    assert len(prove(dist, Terms(needs_acceptance=True)).wheels) == 8


NOT_ACCEPTED = ("no wheel passed all cases of this factory with an SDK ('factory sdk accept')",)


def test_missing_acceptance_is_a_refusal_only_if_required(whole: Path, proved: ProvenManifest) -> None:
    assert refusals(whole, Terms(needs_acceptance=True)) == NOT_ACCEPTED
    assert len(proved.wheels) == 8


def test_an_acceptance_run_of_other_cases_is_not_a_pass(dist: Path) -> None:
    edit(dist, accepted("passed", rules="0" * 64))
    assert refusals(dist, Terms(needs_acceptance=True)) == NOT_ACCEPTED


def test_a_case_that_could_not_run_is_not_a_pass(dist: Path) -> None:
    edit(dist, accepted("could-not-run"))
    assert refusals(dist, Terms(needs_acceptance=True)) == NOT_ACCEPTED
    assert len(proven(dist).wheels) == 8


FINDING = {
    "check": "pe-machine",
    "severity": "error",
    "place": "codex_cli_bin/bin/codex.exe",
    "evidence": "it is for arm64",
    "remedy": "take the other package",
}


def test_an_error_finding_is_a_refusal(dist: Path) -> None:
    edit(dist, lambda _, record: record.update(findings=[FINDING]))
    assert refusals(dist) == (f"{WINDOWS} is not verified: pe-machine at codex_cli_bin/bin/codex.exe",)


def test_a_note_is_not_a_refusal(dist: Path) -> None:
    edit(dist, lambda _, record: record.update(findings=[FINDING | {"severity": "note"}]))
    assert len(proven(dist).wheels) == 8


def test_a_waived_error_is_a_refusal_unless_waivers_are_accepted(dist: Path) -> None:
    waived = {**FINDING, "pattern": "*", "reason": "known"}
    edit(dist, lambda _, record: record.update(waived=[waived]))
    assert refusals(dist) == (f"{WINDOWS} has a waived error: pe-machine at codex_cli_bin/bin/codex.exe",)
    assert prove(dist, Terms(accepts_waivers=True)).manifest.tag.pep440 == "0.163.0"


def without_windows(dist: Path) -> None:
    (dist / WINDOWS).unlink()

    def change(document: Document, record: Document) -> None:
        wheels_of(document).remove(record)

    edit(dist, change)
    sums = (dist / "SHA256SUMS").read_text().splitlines(keepends=True)
    (dist / "SHA256SUMS").write_text("".join(line for line in sums if WINDOWS not in line))


def test_a_missing_platform_is_a_refusal_unless_it_is_excluded(dist: Path) -> None:
    without_windows(dist)
    assert refusals(dist) == ("there is no wheel for win_amd64",)
    assert len(prove(dist, Terms(without=(Platform.parse("win_amd64"),))).wheels) == 7


def test_two_wheels_for_one_platform_are_a_refusal(dist: Path) -> None:
    def change(document: Document, record: Document) -> None:
        wheels_of(document).append(record)

    edit(dist, change)
    assert "2 wheels are for win_amd64" in refusals(dist)


def test_a_missing_wheel_is_a_refusal(dist: Path) -> None:
    (dist / WINDOWS).unlink()
    assert refusals(dist) == (f"{WINDOWS} is missing",)


def test_a_wheel_with_one_changed_byte_is_a_refusal(dist: Path) -> None:
    content = bytearray((dist / WINDOWS).read_bytes())
    content[100] ^= 1
    (dist / WINDOWS).write_bytes(content)
    assert refusals(dist) == (f"{WINDOWS} is not the verified file",)


def test_an_unlisted_wheel_is_a_refusal(dist: Path) -> None:
    (dist / "stray-1-py3-none-any.whl").touch()
    assert refusals(dist) == ("stray-1-py3-none-any.whl is not in the manifest",)


def test_different_checksums_are_a_refusal(dist: Path) -> None:
    (dist / "SHA256SUMS").write_text("")
    assert refusals(dist) == ("SHA256SUMS does not match the manifest",)


def test_a_wheel_of_another_release_is_a_refusal(dist: Path) -> None:
    edit(dist, lambda document, _: document.update(tag="rust-v0.162.0", version="0.162.0"))
    assert f"{WINDOWS} is not a wheel of openai-codex-cli-bin 0.162.0 for win_amd64" in refusals(dist)


def test_an_invalid_wheel_name_is_a_refusal(dist: Path) -> None:
    edit(dist, lambda _, record: record.update(name="codex.zip"))
    assert "codex.zip is not a wheel of openai-codex-cli-bin 0.163.0 for win_amd64" in refusals(dist)


def test_another_version_of_the_format_is_refused(dist: Path) -> None:
    edit(dist, lambda document, _: document.update(schema_version=99))
    with pytest.raises(IntegrityError, match="schema version 99"):
        prove(dist, Terms())


def test_a_damaged_manifest_is_refused(dist: Path) -> None:
    (dist / "manifest.json").write_text("{")
    with pytest.raises(MalformedJson):
        prove(dist, Terms())


def test_a_missing_manifest_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="No such file"):
        prove(tmp_path, Terms())


def test_all_refusals_are_reported_at_once(dist: Path) -> None:
    (dist / WINDOWS).unlink()
    (dist / "SHA256SUMS").unlink()
    assert len(refusals(dist)) == 2


def test_the_requirement_and_its_hashes(whole: Path, proved: ProvenManifest) -> None:
    assert render_pin(proved, PinFormat.REQUIREMENT) == "openai-codex-cli-bin==0.163.0\n"
    lines = render_pin(proved, PinFormat.REQUIREMENTS).splitlines()
    assert lines[0] == "openai-codex-cli-bin==0.163.0 \\"
    sums = (whole / "SHA256SUMS").read_text().split()[::2]
    assert [line.strip(" \\") for line in lines[1:]] == [f"--hash=sha256:{digest}" for digest in sums]
    assert not lines[-1].endswith("\\")


def test_the_lock_is_valid_and_lists_every_wheel(whole: Path, proved: ProvenManifest) -> None:
    document = tomllib.loads(render_pin(proved, PinFormat.PYLOCK))
    lock = Pylock.from_dict(document)
    (package,) = lock.packages
    assert (package.name, str(package.version)) == ("openai-codex-cli-bin", "0.163.0")
    listed = {wheel.name: wheel.hashes["sha256"] for wheel in package.wheels or ()}
    words = (whole / "SHA256SUMS").read_text().split()
    assert listed == dict(zip(words[1::2], words[::2], strict=True))


def test_the_command_prints_one_format_or_all(dist: Path, factory: Factory) -> None:
    one = factory("pin", dist, "--format", "requirement")
    assert (one.status, one.out) == (0, "openai-codex-cli-bin==0.163.0\n")
    assert one.err == "8 of 8 wheels were not tested with an SDK ('factory sdk accept')\n"
    out = factory("pin", dist).out
    assert [line for line in out.splitlines() if line.startswith("# ")] == [
        "# requirement",
        "# requirements",
        "# pylock",
        "# index",
        "# commands",
        "# write the hashes",
        "# make the directory an index",
        "# install with pip",
        "# or with uv",
        "# or add to a uv project",
    ]
    assert factory("pin", dist, "--json").document["requirement"] == "openai-codex-cli-bin==0.163.0"


def test_the_commands_name_the_directory_and_the_terms(dist: Path, factory: Factory) -> None:
    spaced = dist.rename(dist.with_name("my dist"))
    without_windows(spaced)
    terms = ("--accept-waivers", "--without", "win_amd64")
    out = factory("pin", spaced, *terms, "--format", "commands").out
    page = spaced / "openai-codex-cli-bin" / "index.html"
    pin = ["factory", "sdk", "pin", str(spaced), *terms, "--format"]
    install = ["--require-hashes", "-r", "requirements-codex.txt"]
    assert [shlex.split(line) for line in out.splitlines() if not line.startswith("#")] == [
        [*pin, "requirements", "--output", "requirements-codex.txt"],
        [*pin, "index", "--output", str(page)],
        ["python", "-m", "pip", "install", "--no-index", "--find-links", str(page), *install],
        ["uv", "pip", "install", "--no-index", "--find-links", str(spaced), *install],
        ["uv", "add", "openai-codex-cli-bin==0.163.0", "--index", f"codex={spaced.as_uri()}"],
    ]
    assert spaced.as_uri().endswith("/my%20dist")


def test_the_commands_are_absolute(dist: Path, factory: Factory, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(dist)
    assert f"pin {dist} --format" in factory("pin", "manifest.json", "--format", "commands").out


def test_all_terms_are_options() -> None:
    terms = Terms(
        accepts_waivers=True,
        needs_acceptance=True,
        without=(Platform.parse("win_amd64"), Platform.parse("win_arm64")),
    )
    assert " ".join(terms.options) == (
        "--accept-waivers --require-acceptance --without win_amd64 --without win_arm64"
    )
    assert Terms().options == ()


def test_the_index_page_lists_each_wheel_with_its_hash(dist: Path, factory: Factory) -> None:
    page = dist / "openai-codex-cli-bin" / "index.html"
    assert factory("pin", dist, "--format", "index", "--output", page).status == 0
    content = page.read_text()
    assert content == factory("pin", dist, "--format", "index").out
    listed = parse_links_page(content)
    words = (dist / "SHA256SUMS").read_text().split()
    assert listed == {
        f"../{name}": f"sha256={digest}" for digest, name in zip(words[::2], words[1::2], strict=True)
    }


def parse_links_page(content: str) -> dict[str, str]:
    links = re.findall(r'<a href="([^"#]+)#([^"]+)">([^<]+)</a>', content)
    assert [target.rpartition("/")[2] for target, _, _ in links] == [name for _, _, name in links]
    return {target: fragment for target, fragment, _ in links}


def test_links_are_relative_to_the_output(dist: Path, factory: Factory, tmp_path: Path) -> None:
    page = tmp_path / "pages" / "here.html"
    assert factory("pin", dist, "--format", "index", "--output", page).out == ""
    assert f"../dist/{WINDOWS}" in parse_links_page(page.read_text())
    lock = tmp_path / "pages" / "pylock.toml"
    factory("pin", dist, "--format", "pylock", "--output", lock)
    assert f"../dist/{WINDOWS}" in lock.read_text()
    factory("pin", dist, "--format", "pylock", "--output", dist / "pylock.toml")
    assert f'path = "{WINDOWS}"' in (dist / "pylock.toml").read_text()


def test_an_output_needs_one_format(dist: Path, factory: Factory) -> None:
    ended = factory("sdk", "pin", dist, "--output", dist / "pin")
    assert (ended.status, (dist / "pin").exists()) == (20, False)
    assert ended.err == "factory: --output needs --format\nhint: Give the --format of the file.\n"


@pytest.mark.parametrize("options", [("--json",), ("--format", "json")])
def test_json_can_be_written(dist: Path, factory: Factory, options: tuple[str, ...]) -> None:
    assert factory("sdk", "pin", dist, "--output", dist / "pin.json", *options).status == 0
    assert json.loads((dist / "pin.json").read_text())["requirement"] == "openai-codex-cli-bin==0.163.0"


@pytest.mark.parametrize("form", ["requirement", "requirements", "pylock", "index"])
def test_a_pin_is_checked(dist: Path, factory: Factory, tmp_path: Path, form: str) -> None:
    place = tmp_path / "pins" / "pin"
    factory("pin", dist, "--format", form, "--output", place)
    check = ("pin", dist, "--format", form, "--check", place)
    passed = factory(*check)
    assert (passed.status, passed.out) == (0, "")
    assert passed.err == f"{place} is the pin of openai-codex-cli-bin==0.163.0\n"
    place.write_bytes(place.read_bytes().replace(b"\n", b"\r\n"))
    assert factory(*check).status == 0
    place.write_bytes(place.read_bytes() + b"x")
    failed = factory(*check)
    assert failed.status == 24
    assert failed.err == (
        f"factory: {place} is not the pin of {dist}\n"
        f"hint: Write it again with --output {place} instead of --check.\n"
    )


@pytest.mark.parametrize("options", [(), ("--json",), ("--format", "pylock", "--output", "x")])
def test_a_check_needs_one_format(dist: Path, factory: Factory, options: tuple[str, ...]) -> None:
    ended = factory("pin", dist, "--check", dist / "manifest.json", *options)
    assert (ended.status, "--check needs --format" in ended.err) == (20, True)


def test_a_missing_file_cannot_be_checked(dist: Path, factory: Factory) -> None:
    ended = factory("pin", dist, "--check", dist / "no", "--format", "pylock")
    assert (ended.status, f"cannot read {dist / 'no'}: No such file" in ended.err) == (20, True)


def test_a_refused_manifest_writes_no_output(dist: Path, factory: Factory) -> None:
    (dist / WINDOWS).unlink()
    ended = factory("pin", dist, "--format", "requirements", "--output", dist / "new" / "pin")
    assert (ended.status, (dist / "new").exists()) == (24, False)


def test_the_command_shows_the_acceptance(dist: Path, factory: Factory) -> None:
    edit(dist, accepted("passed"))
    ended = factory("pin", dist, "--require-acceptance", "--json")
    assert ended.status == 0
    assert ended.err == (
        "win_amd64 with openai-codex 0.163.0, natively: 2 passed\n"
        "7 of 8 wheels were not tested with an SDK ('factory sdk accept')\n"
    )
    wheels = ended.document["wheels"]
    assert isinstance(wheels, list)
    tried = {wheel["name"]: wheel["acceptance"]["how"] for wheel in wheels if wheel["acceptance"]}
    assert tried == {WINDOWS: "natively"}


def test_the_command_prints_the_refusals(dist: Path, factory: Factory) -> None:
    (dist / WINDOWS).unlink()
    ended = factory("pin", dist)
    assert (ended.status, ended.out) == (24, "")
    assert ended.err == (
        f"factory: {dist}/manifest.json cannot be pinned:\n"
        f"  {WINDOWS} is missing\n"
        "hint: Run 'factory wheels' for the release again, and pin its manifest.\n"
    )


def test_the_hint_has_the_options_if_only_platforms_are_missing(dist: Path, factory: Factory) -> None:
    without_windows(dist)
    ended = factory("sdk", "pin", dist, "--accept-waivers")
    assert ended.status == 24
    assert ended.err == (
        f"factory: {dist}/manifest.json cannot be pinned:\n"
        "  there is no wheel for win_amd64\n"
        "hint: Build them with 'factory wheels'. To pin the release without them, add: --without win_amd64\n"
    )
    assert factory("sdk", "pin", dist, "--accept-waivers", "--without", "win_amd64").status == 0
    (dist / WINDOWS.replace("win_amd64", "win_arm64")).unlink()
    assert "To pin the release without" not in factory("sdk", "pin", dist, "--accept-waivers").err
