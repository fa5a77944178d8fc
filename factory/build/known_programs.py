"""The programs of a release package that are known by name: whose they are, and under which licence.

A release package says of few files what they are, so a small table says it here. A file that
the table does not know is listed with its digest and no claim.
"""

from dataclasses import dataclass
from pathlib import PurePosixPath

from packageurl import PackageURL

from factory.build.recipe import WheelMember
from factory.core.model import FileKind
from factory.core.tags import CodexTag


@dataclass(frozen=True, slots=True, kw_only=True)
class Program:
    """Who publishes a program.

    Attributes:
        owner: Its project's owner on GitHub.
        project: Its project there.
        licence: An SPDX expression (https://spdx.dev/learn/handling-license-info/).
        is_of_release: Whether it is built from the release's own source, so that the tag is its version.
    """

    owner: str
    project: str
    licence: str
    is_of_release: bool = False

    def version(self, tag: CodexTag) -> str | None:
        """Return its version, where the release tells it."""
        return tag.semver if self.is_of_release else None

    def purl(self, tag: CodexTag) -> str:
        """Return its source's package URL; without a version where none is known."""
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
    """Return the program that a member is, by its name; None for data and for what is not known.

    Upstream names every program of its own ``codex`` or ``codex-*``.
    """
    if not member.file.kind.is_executable_image:
        return None
    stem = member.path.name.removesuffix(".exe")
    return CODEX if stem == "codex" or stem.startswith("codex-") else _OTHERS.get(stem)


def component_type(member: WheelMember) -> str:
    """Return what a member is in CycloneDX's words."""
    if not member.file.kind.is_executable_image:
        return "application" if member.file.kind is FileKind.SCRIPT else "file"
    return "library" if _is_shared_library(member.path) else "application"


def _is_shared_library(path: PurePosixPath) -> bool:
    return path.suffix in {".dll", ".dylib"} or ".so" in path.suffixes
