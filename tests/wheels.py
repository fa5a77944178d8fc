"""Small good wheels for each platform, as values that a test changes and writes."""

import base64
import hashlib
import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from functools import cache
from pathlib import Path, PurePosixPath

from factory.build.builder import BuiltWheel, PlannedWheel, WheelFile
from factory.build.recipe import WheelLayout, WheelMember, lay_out, our_recipe
from factory.build.sbom import SBOM_PATH, render_sbom
from factory.build.stage import StagedRuntime
from factory.build.template import bundled_template
from factory.core.digests import Digest, Sha256
from factory.core.model import ArchiveFormat, Payload, PayloadFile, ReleaseAsset, Remote
from factory.core.tags import CodexTag
from factory.core.targets import Architecture, OperatingSystem, Platform, Target
from factory.release.payload import kind_of
from tests.images import Pe, PeMachine
from tests.images.authenticode import signed
from tests.packages import executable
from tests.zip_writer import ZipArchive, ZipMember

VERSION = "0.163.0"
INFO = f"openai_codex_cli_bin-{VERSION}.dist-info"
PACKAGE = "codex_cli_bin"

INIT = """\
from pathlib import Path

PACKAGE_NAME = "openai-codex-cli-bin"


def bundled_codex_path() -> Path:
    return bundled_package_dir() / "bin" / "codex"


def bundled_package_dir() -> Path:
    return Path(__file__).parent


def bundled_path_dir() -> Path | None:
    return bundled_package_dir() / "codex-path"
"""
METADATA = f"""\
Metadata-Version: 2.4
Name: openai-codex-cli-bin
Version: {VERSION}
Summary: The Codex CLI's release executables, as a Python package.
License-Expression: Apache-2.0
License-File: LICENSE
Requires-Python: >=3.10
Description-Content-Type: text/markdown

# Executables
"""
LICENCE = "Apache License\n"


@dataclass(frozen=True, slots=True, kw_only=True)
class Wheel:
    """A wheel to write, with a RECORD of its members.

    Attributes:
        archive: The archive without RECORD.
        edit_record: Changes the text of RECORD.
        edit_record_member: Changes the member with RECORD.
        is_recorded: Whether the wheel has a RECORD.
        described: The platform of the bill of materials that describes the members; None for no bill.
    """

    name: str
    archive: ZipArchive
    edit_record: Callable[[str], str] = lambda text: text
    edit_record_member: Callable[[ZipMember], ZipMember] = lambda member: member
    is_recorded: bool = True
    described: str | None = None

    def content(self) -> bytes:
        """Return the wheel's bytes."""
        if not self.is_recorded:
            return replace(self.archive, members=self.members).content()
        record = ZipMember(
            name=f"{INFO}/RECORD".encode(), content=self.edit_record(self.record_text()).encode(), mode=0o644
        )
        members = (*self.members, self.edit_record_member(record))
        order = self.archive.directory_order
        if order is not None:
            order = (*order, *range(len(self.archive.members), len(members)))
        return replace(self.archive, members=members, directory_order=order).content()

    @property
    def members(self) -> tuple[ZipMember, ...]:
        """All members but RECORD."""
        if self.described is None:
            return self.archive.members
        recipe = our_recipe(Platform.parse(self.described), template=bundled_template())
        files = sorted(self._payload_files(), key=lambda file: file.path)
        layout = WheelLayout(
            payload=Payload(target=recipe.platform.target, files=tuple(files)),
            members=tuple(WheelMember(path=file.path, file=file, mode=recipe.mode(file)) for file in files),
            left_out=(),
        )
        bill = render_sbom(recipe, layout, tag=CodexTag.parse(VERSION))
        member = ZipMember(name=f"{INFO}/{SBOM_PATH}".encode(), content=bill, mode=0o644)
        return (*self.archive.members, member)

    def _payload_files(self) -> Iterator[PayloadFile]:
        for member in self.archive.members:
            path = PurePosixPath(member.name.decode())
            if path.parts[0] == PACKAGE and path.suffix not in {".py", ".typed"}:
                yield payload_file(member)

    def write(self, directory: Path) -> Path:
        """Write the wheel with its name into a directory."""
        path = directory / self.name
        path.write_bytes(self.content())
        return path

    def member(self, name: str) -> ZipMember:
        """Return a member, which must exist."""
        return next(member for member in self.archive.members if member.name == name.encode())

    def edited(self, name: str, edit: Callable[[ZipMember], ZipMember]) -> "Wheel":
        """Change one member."""
        self.member(name)
        members = (
            edit(member) if member.name == name.encode() else member for member in self.archive.members
        )
        return replace(self, archive=replace(self.archive, members=tuple(members)))

    def edited_text(self, name: str, old: str, new: str) -> "Wheel":
        """Replace a part of a member's text; RECORD changes, too."""
        assert old.encode() in self.member(name).content
        return self.edited(
            name, lambda member: replace(member, content=member.content.replace(old.encode(), new.encode()))
        )

    def without(self, name: str) -> "Wheel":
        """Remove a member, also from RECORD."""
        self.member(name)
        members = tuple(member for member in self.archive.members if member.name != name.encode())
        return replace(self, archive=replace(self.archive, members=members))

    def with_first(self, *added: ZipMember) -> "Wheel":
        """Add members before all others, also to RECORD."""
        return replace(self, archive=replace(self.archive, members=(*added, *self.archive.members)))

    def with_info(self, name: str, text: str) -> "Wheel":
        """Add a file to .dist-info, also to RECORD."""
        member = ZipMember(name=f"{INFO}/{name}".encode(), content=text.encode(), mode=0o644)
        return replace(self, archive=replace(self.archive, members=(*self.archive.members, member)))

    def in_archive(self, edit: Callable[[ZipArchive], ZipArchive]) -> "Wheel":
        """Change the archive."""
        return replace(self, archive=edit(self.archive))

    def record_text(self) -> str:
        """Return the text of the correct RECORD."""
        lines = [
            f"{_as_zipfile_reads(member)},{_hash(member.content)},{len(member.content)}\n"
            for member in self.members
            if not member.name.endswith(b"/")
        ]
        return "".join([*lines, f"{INFO}/RECORD,,\n"])


def payload_file(member: ZipMember) -> PayloadFile:
    """Return the payload file that became a member."""
    return PayloadFile(
        path=PurePosixPath(member.name.decode()).relative_to(PACKAGE),
        mode=member.mode & 0o777,
        size_bytes=len(member.content),
        sha256=Sha256.of([member.content]),
        kind=kind_of(member.content),
    )


def _hash(content: bytes) -> str:
    return "sha256=" + base64.urlsafe_b64encode(hashlib.sha256(content).digest()).rstrip(b"=").decode()


def _as_zipfile_reads(member: ZipMember) -> str:
    name = member.name.decode("utf-8" if member.flags & 0x800 else "cp437", "backslashreplace")
    return f'"{name}"' if set(name) & {",", '"', "\n", "\r"} else name


def file_name(platform: str, *, version: str = VERSION) -> str:
    return f"openai_codex_cli_bin-{version}-py3-none-{platform}.whl"


def payload_members(platform: Platform) -> tuple[ZipMember, ...]:
    """Return the payload of a platform's wheel, with the layout of 0.163.0."""
    target = platform.target
    suffix = target.executable_suffix
    description = {
        "layoutVersion": 1,
        "version": VERSION,
        "target": target.value,
        "variant": "codex",
        "entrypoint": f"bin/codex{suffix}",
        "resourcesDir": "codex-resources",
        "pathDir": "codex-path",
    }
    programs = [f"bin/codex{suffix}", f"codex-path/rg{suffix}"]
    resource = ZipMember(name=f"{PACKAGE}/codex-resources/NOTICE.md".encode(), content=b"# Notices\n")
    if target.operating_system is OperatingSystem.LINUX:
        programs.append("codex-resources/bwrap")
    return (
        ZipMember(
            name=f"{PACKAGE}/codex-package.json".encode(), content=json.dumps(description, indent=2).encode()
        ),
        *(
            ZipMember(
                name=f"{PACKAGE}/{program}".encode(),
                content=_program(target, Path(program).stem),
                mode=0o100755,
            )
            for program in programs
        ),
        resource,
    )


@cache
def _program(target: Target, name: str) -> bytes:
    """Return an executable without findings, which is signed for Windows."""
    if target.operating_system is OperatingSystem.WINDOWS:
        is_x86 = target.architecture is Architecture.X86_64
        return signed(Pe(machine=PeMachine.AMD64 if is_x86 else PeMachine.ARM64))
    return executable(target, name=name, tag=CodexTag.parse(VERSION))


@cache
def good_wheel(platform: str = "manylinux_2_17_x86_64") -> Wheel:
    """Return a wheel without findings, with the member order and modes of hatchling."""
    wheel_text = (
        f"Wheel-Version: 1.0\nGenerator: hatchling 1.33.0\nRoot-Is-Purelib: false\nTag: py3-none-{platform}\n"
    )
    members = (
        ZipMember(name=f"{PACKAGE}/__init__.py".encode(), content=INIT.encode()),
        ZipMember(name=f"{PACKAGE}/py.typed".encode(), content=b""),
        *payload_members(Platform.parse(platform)),
        ZipMember(name=f"{INFO}/METADATA".encode(), content=METADATA.encode(), mode=0o644),
        ZipMember(name=f"{INFO}/WHEEL".encode(), content=wheel_text.encode(), mode=0o644),
        ZipMember(name=f"{INFO}/licenses/LICENSE".encode(), content=LICENCE.encode(), mode=0o644),
    )
    return Wheel(name=file_name(platform), archive=ZipArchive(members=members))


def staged_runtime(
    path: Path, platform: str = "manylinux_2_17_x86_64", *, tag: str = VERSION
) -> StagedRuntime:
    """Return a stage by our recipe, without writing it."""
    recipe = our_recipe(Platform.parse(platform), template=bundled_template())
    return StagedRuntime(path=path, tag=CodexTag.parse(tag), recipe=recipe)


def own_metadata(version: str = VERSION) -> str:
    """Return METADATA as the backend makes it from the runtime template."""
    readme = bundled_template().content("README.md").decode()
    return f"""\
Metadata-Version: 2.4
Name: openai-codex-cli-bin
Version: {version}
Summary: The Codex CLI's release executables, as a Python package.
Project-URL: Source, https://github.com/openai/codex
License-Expression: Apache-2.0 AND (MIT OR Unlicense) AND LGPL-2.0-or-later
License-File: LICENSE
License-File: THIRD_PARTY_NOTICES.md
Keywords: cli,codex,executable
Classifier: Development Status :: 4 - Beta
Classifier: Intended Audience :: Developers
Classifier: Operating System :: MacOS
Classifier: Operating System :: Microsoft :: Windows
Classifier: Operating System :: POSIX :: Linux
Classifier: Programming Language :: Python :: 3
Classifier: Typing :: Typed
Requires-Python: >=3.10
Description-Content-Type: text/markdown

{readme}"""


@cache
def own_wheel(platform: str = "manylinux_2_17_x86_64") -> Wheel:
    """Return a good wheel with the texts of the factory's own wheels, which the reviewed baseline has."""
    template = bundled_template()
    texts = {
        f"{PACKAGE}/__init__.py": template.content(f"src/{PACKAGE}/__init__.py"),
        f"{INFO}/METADATA": own_metadata().encode(),
        f"{INFO}/licenses/LICENSE": template.content("LICENSE"),
    }
    main = f"src/{PACKAGE}/__main__.py"
    wheel = good_wheel(platform).with_first(
        ZipMember(name=main.removeprefix("src/").encode(), content=template.content(main))
    )
    for name, text in texts.items():
        wheel = wheel.edited(name, lambda member, text=text: replace(member, content=text))  # type: ignore[misc]
    notices = template.content("THIRD_PARTY_NOTICES.md").decode()
    return replace(wheel.with_info("licenses/THIRD_PARTY_NOTICES.md", notices), described=platform)


def built_wheel(wheel: Wheel, directory: Path, platform: str = "manylinux_2_17_x86_64") -> BuiltWheel:
    """Write a wheel as if a builder had built it from the payload of a good one."""
    recipe = our_recipe(Platform.parse(platform), template=bundled_template())
    target = recipe.platform.target
    asset = ReleaseAsset(
        target=target,
        name="codex.tgz",
        purl="pkg:npm/%40openai/codex@0.163.0",
        digest=Digest.parse("sha512:" + "ab" * 64),
        size_bytes=None,
        format=ArchiveFormat.TAR_GZ,
        location=Remote(url="https://registry.example/codex.tgz"),
    )
    files = tuple(map(payload_file, payload_members(recipe.platform)))
    path = wheel.write(directory)
    return BuiltWheel(
        planned=PlannedWheel(tag=CodexTag.parse(VERSION), asset=asset, recipe=recipe),
        layout=lay_out(recipe, Payload(target=target, files=files)),
        file=WheelFile(path=path, size_bytes=path.stat().st_size, sha256=Sha256.of_file(path)),
    )
