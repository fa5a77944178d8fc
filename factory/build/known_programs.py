"""The projects and licences of the programs in a release package, by file name.

A release package describes few of its files, so that this table describes the programs. The bill of
materials lists a file that is not in the table with its digest only.
"""

from dataclasses import dataclass
from pathlib import PurePosixPath

from packageurl import PackageURL

from factory.build.recipe import WheelMember
from factory.core.model import FileKind
from factory.core.tags import CodexTag


@dataclass(frozen=True, slots=True, kw_only=True)
class Program:
    """The origin of a program.

    Attributes:
        owner: The owner of its project on GitHub.
        licence: An SPDX expression (https://spdx.dev/learn/handling-license-info/).
        is_of_release: Whether it is built from the source of the release, whose tag is its version.
    """

    owner: str
    project: str
    licence: str
    is_of_release: bool = False

    def version(self, tag: CodexTag) -> str | None:
        """Return its version; None if it is not known."""
        return tag.semver if self.is_of_release else None

    def purl(self, tag: CodexTag) -> str:
        """Return the package URL of its source, with the version if it is known."""
        version = str(tag) if self.is_of_release else None
        return PackageURL(
            type="github", namespace=self.owner.lower(), name=self.project.lower(), version=version
        ).to_string()


CODEX = Program(owner="openai", project="codex", licence="Apache-2.0", is_of_release=True)
_OTHERS = {
    "bwrap": Program(owner="containers", project="bubblewrap", licence="LGPL-2.0-or-later"),
    "rg": Program(owner="BurntSushi", project="ripgrep", licence="MIT OR Unlicense"),
}


def program_of(member: WheelMember) -> Program | None:
    """Return the program with the name of a member; None for data and for unknown programs.

    Upstream names all its own programs ``codex`` or ``codex-*``.
    """
    if not member.file.kind.is_executable_image:
        return None
    stem = member.path.name.removesuffix(".exe")
    return CODEX if stem == "codex" or stem.startswith("codex-") else _OTHERS.get(stem)


def component_type(member: WheelMember) -> str:
    """Return the CycloneDX type of a member."""
    if not member.file.kind.is_executable_image:
        return "application" if member.file.kind is FileKind.SCRIPT else "file"
    return "library" if _is_shared_library(member.path) else "application"


def _is_shared_library(path: PurePosixPath) -> bool:
    return path.suffix in {".dll", ".dylib"} or ".so" in path.suffixes
