from dataclasses import replace
from pathlib import Path, PurePosixPath

import pytest
from hypothesis import given
from hypothesis import strategies as st

from factory.build.payload_rules import LeaveOutRule, MoveRule
from factory.build.recipe import (
    Recipe,
    lay_out,
    our_recipe,
)
from factory.build.template import TEMPLATE_PATHS, Template, TemplateFile, bundled_template
from factory.core.digests import Sha256
from factory.core.errors import HostError, IntegrityError
from factory.core.model import FileKind, Payload, PayloadFile
from factory.core.targets import PLATFORMS, Platform, Target

NOTHING = Sha256("e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855")
TEMPLATE = Template(
    files=(
        TemplateFile(path=PurePosixPath("pyproject.toml"), content=b"[project]\n"),
        TemplateFile(path=PurePosixPath("src/codex_cli_bin/__init__.py"), content=b"\n"),
    )
)


def recipe(tag: str = "manylinux_2_17_x86_64") -> Recipe:
    return our_recipe(Platform.parse(tag), template=TEMPLATE)


def file(path: str, kind: FileKind = FileKind.ELF, mode: int = 0o600) -> PayloadFile:
    return PayloadFile(path=PurePosixPath(path), mode=mode, size_bytes=0, sha256=NOTHING, kind=kind)


def payload(*files: PayloadFile, target: Target = Target.LINUX_X86_64) -> Payload:
    return Payload(target=target, files=files)


PACKAGE = (
    file("bin/codex"),
    file("codex-package.json", FileKind.DATA, 0o755),
    file("codex-path/rg"),
    file("codex-resources/bwrap"),
    file("codex-resources/voice/bin/codex-voice-host"),
    file("codex-resources/voice/manifest.json", FileKind.DATA),
)


def test_the_package_layout_is_kept_and_modes_come_from_the_content() -> None:
    layout = lay_out(recipe(), payload(*PACKAGE))

    assert [(str(member.path), oct(member.mode)) for member in layout.members] == [
        ("bin/codex", "0o755"),
        ("codex-package.json", "0o644"),
        ("codex-path/rg", "0o755"),
        ("codex-resources/bwrap", "0o755"),
    ]


@pytest.mark.parametrize("platform", PLATFORMS, ids=str)
def test_only_the_musl_wheel_leaves_out_a_ripgrep_that_needs_glibc(platform: Platform) -> None:
    suffix = platform.target.executable_suffix
    files = (
        file(f"bin/codex{suffix}"),
        file("codex-package.json", FileKind.DATA),
        file(f"codex-path/rg{suffix}"),
    )

    layout = lay_out(our_recipe(platform, template=TEMPLATE), payload(*files, target=platform.target))

    left_out = [(str(item.file.path), "glibc" in item.reason) for item in layout.left_out]
    assert left_out == ([("codex-path/rg", True)] if platform.tag == "musllinux_1_1_aarch64" else [])


@pytest.mark.parametrize("platform", PLATFORMS, ids=str)
def test_a_zsh_that_needs_a_newer_system_is_left_out(platform: Platform) -> None:
    suffix = platform.target.executable_suffix
    files = (
        file(f"bin/codex{suffix}"),
        file("codex-package.json", FileKind.DATA),
        file(f"codex-path/rg{suffix}"),
        file("codex-resources/zsh/bin/zsh"),
    )

    layout = lay_out(our_recipe(platform, template=TEMPLATE), payload(*files, target=platform.target))

    reasons = [item.reason for item in layout.left_out if "zsh" in item.file.path.parts]
    words = {"manylinux": "glibc 2.38", "musllinux": "musl", "macosx": "macOS 15"}
    word = words.get(platform.tag.partition("_")[0])
    assert [word in reason for reason in reasons if word] == ([True] if word else [])


@pytest.mark.parametrize("platform", PLATFORMS, ids=str)
def test_the_voice_components_are_left_out_everywhere_with_a_reason(platform: Platform) -> None:
    suffix = platform.target.executable_suffix
    files = (
        file(f"bin/codex{suffix}"),
        file("codex-package.json", FileKind.DATA),
        file(f"codex-path/rg{suffix}"),
        file("codex-resources/voice/lib/deep/libopus.so.0"),
    )

    layout = lay_out(our_recipe(platform, template=TEMPLATE), payload(*files, target=platform.target))

    left_out = next(item for item in layout.left_out if "voice" in item.file.path.parts)
    assert str(left_out.file.path) == "codex-resources/voice/lib/deep/libopus.so.0"
    words = {"manylinux": "glibc", "musllinux": "musl", "macosx": "macOS 14", "win": "Visual C++"}
    assert words[platform.tag.partition("_")[0]] in left_out.reason


def test_the_legacy_layout_moves_and_helpers_stay_beside_the_executable() -> None:
    layout = lay_out(
        recipe("win_amd64"),
        payload(
            file("codex/codex-command-runner.exe", FileKind.PE),
            file("codex/codex.exe", FileKind.PE),
            file("path/rg.exe", FileKind.PE),
            target=Target.WINDOWS_X86_64,
        ),
    )

    assert {str(member.file.path): str(member.path) for member in layout.members} == {
        "codex/codex-command-runner.exe": "bin/codex-command-runner.exe",
        "codex/codex.exe": "bin/codex.exe",
        "path/rg.exe": "codex-path/rg.exe",
    }


def test_the_resources_of_a_legacy_package_do_not_move() -> None:
    layout = lay_out(recipe(), payload(file("codex-resources/bwrap"), file("codex/codex"), file("path/rg")))

    assert [str(member.path) for member in layout.members] == [
        "bin/codex",
        "codex-path/rg",
        "codex-resources/bwrap",
    ]


def test_a_lone_executable_is_a_complete_package() -> None:
    layout = lay_out(recipe(), payload(file("bin/codex")))

    assert [str(member.path) for member in layout.members] == ["bin/codex"]


def test_scripts_and_shared_libraries_are_executable() -> None:
    layout = lay_out(recipe(), payload(*PACKAGE, file("codex-resources/run", FileKind.SCRIPT)))

    assert {str(member.path): member.mode for member in layout.members}["codex-resources/run"] == 0o755


@pytest.mark.parametrize(
    ("missing", "files"),
    [
        ("bin/codex", [file("codex-path/rg"), file("codex-package.json")]),
        ("bin/codex", []),
        ("codex-path/rg", [file("bin/codex"), file("codex-package.json")]),
        ("codex-package.json", [file("bin/codex"), file("codex-path/rg")]),
        ("codex-path/rg", [file("codex/codex"), file("codex-resources/bwrap")]),
    ],
)
def test_an_incomplete_package_is_refused(missing: str, files: list[PayloadFile]) -> None:
    with pytest.raises(IntegrityError) as caught:
        lay_out(recipe(), payload(*files))

    assert str(caught.value) == f"the release package of x86_64-unknown-linux-musl has no {missing}"
    assert caught.value.exit_code == 22


def test_a_windows_package_needs_names_with_exe() -> None:
    with pytest.raises(IntegrityError, match=r"has no bin/codex\.exe"):
        lay_out(recipe("win_arm64"), payload(file("bin/codex"), target=Target.WINDOWS_AARCH64))


@pytest.mark.parametrize(
    ("path", "reason"),
    [
        ("__init__.py", "the wheel has another"),
        ("codex/codex", "the wheel has another bin/codex"),
        ("BIN/codex", "the wheel has another"),
        ("codex-resources/.DS_Store", "the build backend excludes"),
        ("__pycache__/x", "the build backend excludes"),
        ("codex-resources/x.pyc", "the build backend excludes"),
    ],
)
def test_a_file_that_the_backend_would_leave_out_is_refused(path: str, reason: str) -> None:
    with pytest.raises(IntegrityError, match=reason):
        lay_out(recipe(), payload(*PACKAGE, file(path)))


def test_the_identity_depends_on_every_part_of_the_recipe() -> None:
    ours = recipe()
    others = [
        recipe("musllinux_1_1_x86_64"),
        replace(ours, template=Template(files=TEMPLATE.files[:1])),
        replace(ours, backend=replace(ours.backend, version="1.32.4")),
        replace(ours, backend=replace(ours.backend, lock=NOTHING)),
        replace(ours, container=replace(ours.container, time=(2023, 12, 1, 0, 0, 0))),
        replace(ours, container=replace(ours.container, create_system=0)),
        replace(ours, container=replace(ours.container, deflate_level=9)),
        replace(ours, container=replace(ours.container, deflate_answer=NOTHING)),
        replace(ours, moves=()),
        replace(ours, leave_out=()),
    ]

    identities = {other.identity for other in others}

    assert recipe().identity == ours.identity
    assert len(identities | {ours.identity}) == len(others) + 1


def test_the_identity_does_not_depend_on_the_reason_of_a_rule() -> None:
    ours = recipe()
    reworded = tuple(replace(rule, reason="because") for rule in ours.leave_out)

    assert replace(ours, leave_out=reworded).identity == ours.identity


names = st.text("az09.-", max_size=8).map("x".__add__)


@given(parts=st.lists(names, min_size=1, max_size=4))
def test_a_moved_directory_keeps_its_files(parts: list[str]) -> None:
    rule = MoveRule(source=PurePosixPath("codex"), becomes=PurePosixPath("bin"))

    assert rule.move(PurePosixPath("codex", *parts)) == PurePosixPath("bin", *parts)
    assert rule.move(PurePosixPath("codex-x", *parts)) is None


def test_a_single_file_can_be_moved() -> None:
    rule = MoveRule(source=PurePosixPath("codex-resources/bwrap"), becomes=PurePosixPath("bin/bwrap"))

    assert rule.move(PurePosixPath("codex-resources/bwrap")) == PurePosixPath("bin/bwrap")
    assert rule.move(PurePosixPath("codex-resources/bwrap2")) is None


def test_a_rule_is_case_sensitive_and_matches_subdirectories() -> None:
    rule = LeaveOutRule(pattern="codex-resources/voice/*", reason="because")

    assert rule.is_for(PurePosixPath("codex-resources/voice/a/b"))
    assert not rule.is_for(PurePosixPath("codex-resources/Voice/a"))
    assert not rule.is_for(PurePosixPath("codex-resources/voice"))


def test_the_template_of_the_checkout_is_complete() -> None:
    template = bundled_template()

    assert [str(file.path) for file in template.files] == sorted(TEMPLATE_PATHS)
    assert b'requires = ["hatchling==1.33.0"]' in template.content("pyproject.toml")
    assert template.content("LICENSE").lstrip().startswith(b"Apache License")


def test_line_ends_and_stray_files_of_a_checkout_do_not_matter(tmp_path: Path) -> None:
    for path in TEMPLATE_PATHS:
        (tmp_path / path).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / path).write_bytes(b"one\r\ntwo\r\n")
    (tmp_path / "stray.txt").touch()

    template = Template.load(tmp_path)

    assert {file.content for file in template.files} == {b"one\ntwo\n"}
    assert {file.mode for file in template.files} == {0o644}
    assert len(template.files) == 8


def test_a_template_that_lacks_a_file_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(HostError, match="LICENSE"):
        Template.load(tmp_path)
