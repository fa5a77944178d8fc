"""Wheels with a wrong file name, ``.dist-info`` or RECORD."""

from collections.abc import Callable
from dataclasses import replace

from tests.wheels import INFO, PACKAGE, Wheel, file_name
from tests.zip_writer import ZipMember
from tests.zoo.breakage import Breakage

_NOTICE = f"{PACKAGE}/codex-resources/NOTICE.md"
_METADATA = f"{INFO}/METADATA"
_WHEEL = f"{INFO}/WHEEL"


def _named(name: str) -> Callable[[Wheel], Wheel]:
    return lambda wheel: replace(wheel, name=name)


def _in(file: str, old: str, new: str) -> Callable[[Wheel], Wheel]:
    return lambda wheel: wheel.edited_text(file, old, new)


def _record(edit: Callable[[str], str]) -> Callable[[Wheel], Wheel]:
    return lambda wheel: replace(wheel, edit_record=edit)


def _notice_line(new: Callable[[str], str]) -> Callable[[Wheel], Wheel]:
    """Change the line of the notice in RECORD."""

    def edit(text: str) -> str:
        lines = text.splitlines(keepends=True)
        assert any(line.startswith(_NOTICE) for line in lines)
        return "".join(new(line) if line.startswith(_NOTICE) else line for line in lines)

    return _record(edit)


def _both_tags(wheel: Wheel) -> Wheel:
    both = "manylinux_2_17_x86_64.musllinux_1_1_x86_64"
    renamed = replace(wheel, name=file_name(both))
    return renamed.edited_text(_WHEEL, "none-manylinux_2_17_x86_64", f"none-{both}")


def _for_cpython(wheel: Wheel) -> Wheel:
    renamed = replace(wheel, name=wheel.name.replace("py3-none", "cp311-cp311"))
    return renamed.edited_text(_WHEEL, "py3-none", "cp311-cp311")


def _changed_content(wheel: Wheel) -> Wheel:
    """Replace a member by one of the same size after RECORD was written; the zip itself is consistent."""
    real = ZipMember(name=_NOTICE.encode(), content=b"# Noticed\n")
    return replace(wheel.edited(_NOTICE, lambda _: real), edit_record=lambda _: wheel.record_text())


def _with_info_directory(wheel: Wheel, spelled: str) -> Wheel:
    """Rename .dist-info, also in RECORD."""

    def rename(member: ZipMember) -> ZipMember:
        return replace(member, name=member.name.replace(INFO.encode(), spelled.encode()))

    renamed = wheel.in_archive(
        lambda archive: replace(archive, members=tuple(rename(member) for member in archive.members))
    )
    return replace(
        renamed,
        edit_record=lambda text: text.replace(INFO, spelled),
        edit_record_member=rename,
    )


def _long_version(wheel: Wheel) -> Wheel:
    """Write the version as 0.163.00 in all names."""
    renamed = _with_info_directory(wheel, INFO.replace("0.163.0", "0.163.00"))
    return replace(renamed, name=wheel.name.replace("0.163.0", "0.163.00"))


def _with_other_info(wheel: Wheel) -> Wheel:
    return _with_info_directory(wheel, INFO.replace("openai_codex_cli_bin", "codex_bin"))


DIST_INFO: tuple[Breakage, ...] = (
    Breakage(name="a version that is not normalised", check="name-normalised", make=_long_version),
    Breakage(
        name="a .dist-info with another name",
        check="dist-info-directory",
        make=_with_other_info,
    ),
    Breakage(name="no WHEEL", check="wheel-present", make=lambda wheel: wheel.without(_WHEEL)),
    Breakage(
        name="a WHEEL that is not text",
        check="wheel-present",
        make=lambda wheel: wheel.edited(_WHEEL, lambda member: replace(member, content=b"\xff\xfe")),
    ),
    Breakage(
        name="a wheel of format 2.0",
        check="wheel-version",
        make=_in(_WHEEL, "Wheel-Version: 1.0", "Wheel-Version: 2.0"),
    ),
    Breakage(
        name="an unknown field in WHEEL",
        check="wheel-fields",
        make=_in(_WHEEL, "Generator", "Colour: blue\nGenerator"),
    ),
    Breakage(
        name="a pure wheel",
        check="wheel-purelib",
        make=_in(_WHEEL, "Root-Is-Purelib: false", "Root-Is-Purelib: true"),
    ),
    Breakage(
        name="no Root-Is-Purelib",
        check="wheel-purelib",
        make=_in(_WHEEL, "Root-Is-Purelib: false\n", ""),
    ),
    Breakage(
        name="an unknown generator",
        check="wheel-generator",
        make=_in(_WHEEL, "hatchling 1.33.0", "bdist_wheel 0.38.4"),
    ),
    Breakage(
        name="a build tag that the file name lacks",
        check="wheel-build",
        make=_in(_WHEEL, "Generator", "Build: 2\nGenerator"),
    ),
    Breakage(
        name="a renamed wheel",
        check="wheel-tags",
        make=_named(file_name("musllinux_1_1_x86_64")),
    ),
    Breakage(
        name="no Tag",
        check="wheel-tags",
        make=_in(_WHEEL, "Tag: py3-none-manylinux_2_17_x86_64\n", ""),
    ),
    Breakage(name="a compressed tag set in WHEEL", check="wheel-tag-compressed", make=_both_tags),
    Breakage(name="a tag for one Python version", check="wheel-tag-form", make=_for_cpython),
    Breakage(name="no METADATA", check="metadata-present", make=lambda wheel: wheel.without(_METADATA)),
    Breakage(
        name="an invalid Requires-Python",
        check="metadata-valid",
        make=_in(_METADATA, ">=3.10", "three"),
    ),
    Breakage(
        name="an unknown field in METADATA",
        check="metadata-valid",
        make=_in(_METADATA, "Requires-Python", "Colour: blue\nRequires-Python"),
    ),
    Breakage(
        name="METADATA of another project",
        check="metadata-name",
        make=_in(_METADATA, "Name: openai-codex-cli-bin", "Name: codex-bin"),
    ),
    Breakage(
        name="METADATA of another version",
        check="metadata-version",
        make=_in(_METADATA, "Version: 0.163.0", "Version: 0.162.0"),
    ),
    Breakage(
        name="no Requires-Python",
        check="metadata-requires-python",
        make=_in(_METADATA, "Requires-Python: >=3.10\n", ""),
    ),
    Breakage(
        name="a dependency",
        check="metadata-requirement",
        make=_in(_METADATA, "Requires-Python", "Requires-Dist: requests\nRequires-Python"),
    ),
    Breakage(
        name="a licence in free text",
        check="metadata-licence",
        make=_in(_METADATA, "License-Expression: Apache-2.0", "License: Apache-2.0"),
    ),
    Breakage(
        name="no licence text",
        check="metadata-licence-text",
        make=_in(_METADATA, "License-File: LICENSE\n", ""),
    ),
    Breakage(
        name="a missing licence file",
        check="metadata-licence-file",
        make=lambda wheel: wheel.without(f"{INFO}/licenses/LICENSE"),
    ),
    Breakage(
        name="no content type of the description",
        check="metadata-description",
        make=_in(_METADATA, "Description-Content-Type: text/markdown\n", ""),
    ),
    Breakage(
        name="no RECORD",
        check="record-present",
        make=lambda wheel: replace(wheel, is_recorded=False),
    ),
    Breakage(
        name="a RECORD line of two columns",
        check="record-format",
        make=_notice_line(lambda line: line.rpartition(",")[0] + "\n"),
    ),
    Breakage(name="a member that RECORD omits", check="record-complete", make=_notice_line(lambda _: "")),
    Breakage(
        name="a RECORD line without a member",
        check="record-ghost",
        make=_record(lambda text: f"{PACKAGE}/gone.py,sha256=47DEQpj8HBSa,0\n{text}"),
    ),
    Breakage(
        name="a repeated RECORD line", check="record-duplicate", make=_notice_line(lambda line: line * 2)
    ),
    Breakage(name="a member changed after RECORD was written", check="record-hash", make=_changed_content),
    Breakage(
        name="a RECORD line without a hash",
        check="record-algorithm",
        make=_notice_line(lambda line: f"{_NOTICE},,{line.rpartition(',')[2]}"),
    ),
    Breakage(
        name="an MD5 hash in RECORD",
        check="record-algorithm",
        make=_notice_line(lambda line: f"{_NOTICE},md5=rL0Y20zC-Fzt72VPzMSk2A,{line.rpartition(',')[2]}"),
    ),
    Breakage(
        name="a wrong size in RECORD",
        check="record-size",
        make=_notice_line(lambda line: f"{line.rpartition(',')[0]},1\n"),
    ),
    Breakage(
        name="a hash of RECORD in itself",
        check="record-self",
        make=_record(lambda text: text.replace("RECORD,,", "RECORD,sha256=47DEQpj8HBSa,12")),
    ),
    Breakage(
        name="an entry point that does not exist",
        check="entry-points",
        make=lambda wheel: wheel.with_info(
            "entry_points.txt", "[console_scripts]\ncodex = codex_cli_bin:main\n"
        ),
    ),
    Breakage(
        name="an entry_points.txt that cannot be parsed",
        check="entry-points",
        make=lambda wheel: wheel.with_info("entry_points.txt", "codex = codex_cli_bin:main\n"),
    ),
)
