"""What a package index lists for a project: the simple repository API, HTML or JSON.

The pages are read by pypi-simple (https://packaging.python.org/specifications/simple-repository-api/);
the request goes through our own client, so proxies, certificates and retries are the same everywhere.
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

from packaging.utils import InvalidWheelFilename, canonicalize_name, parse_wheel_filename
from packaging.version import Version

from factory.audit.verdict import UnexpectedFile
from factory.core.digests import MalformedDigest, Sha256
from factory.core.errors import UpstreamError
from factory.core.model import Local, Remote
from factory.core.tags import CodexTag, MalformedTag
from factory.system.http import HttpClient
from factory.system.process import CannotStart, Command, Runner

if TYPE_CHECKING:
    from pypi_simple import DistributionPackage

_ACCEPT = "application/vnd.pypi.simple.v1+json, application/vnd.pypi.simple.v1+html;q=0.2, text/html;q=0.1"
_MAX_PAGE_BYTES = 32 << 20
_PROVENANCE_SINCE = Version("1.3")


class MalformedIndexPage(UpstreamError):
    """An index's answer is no project page."""

    hint = (
        "Check the index's address: it ends with /simple/; a proxy or a login page may answer in its place."
    )

    def __init__(self, project: str, problem: str) -> None:
        super().__init__(f"the index's page of {project} makes no sense: {problem}")


@dataclass(frozen=True, slots=True, kw_only=True)
class PublishedWheel:
    """What an index lists of one wheel; or a local file that is judged as if it did.

    Attributes:
        name: Its file name.
        version: As the file name has it, normalised.
        platforms: Its platform tags, compressed sets expanded, in the order of the name.
        size_bytes: The size that the index promises, if it does.
        sha256: The digest that it promises.
        location: Where its bytes are.
        yanked: The reason it gives for a yanked file, which may be empty; None when it is not yanked.
        provenance: Where it serves attestations of who published the file (PEP 740).
        no_provenance: Why it serves none; no part of what the file is.
    """

    name: str
    version: str
    platforms: tuple[str, ...]
    size_bytes: int | None
    sha256: Sha256
    location: Remote | Local
    yanked: str | None = None
    provenance: Remote | None = None
    no_provenance: str = "it is a local file"

    @property
    def tag(self) -> CodexTag | None:
        """The Codex release that the version names, if it names one."""
        try:
            return CodexTag.parse(self.version)
        except MalformedTag:
            return None

    @property
    def platform(self) -> str:
        """The platform tags as the file name has them, with dots."""
        return ".".join(self.platforms)


@dataclass(frozen=True, slots=True, kw_only=True)
class Listing:
    """A project's files: the wheels, and what is none."""

    project: str
    wheels: tuple[PublishedWheel, ...]
    unexpected: tuple[UnexpectedFile, ...]

    def wheel(self, name: str) -> PublishedWheel | None:
        """Return the wheel of a file name, if it is listed."""
        return next((wheel for wheel in self.wheels if wheel.name == name), None)


def fetch_listing(client: HttpClient, *, index: str, project: str) -> Listing:
    """Ask an index what it has of a project.

    Args:
        client: Asks.
        index: The address of the simple API, with or without a slash at its end.
        project: The project's name, normalised or not.

    Raises:
        RequestFailed: The index could not be asked, or does not know the project.
        MalformedIndexPage: Its answer is no project page.
    """
    url = f"{index.rstrip('/')}/{canonicalize_name(project)}/"
    body = client.get(url, headers={"Accept": _ACCEPT}, max_bytes=_MAX_PAGE_BYTES)
    return read_page(body, project=project, base_url=url)


def read_page(body: bytes, *, project: str, base_url: str) -> Listing:
    """Read a project page; which of the two forms it has shows in its first byte."""
    from pypi_simple import ProjectPage, UnsupportedRepoVersionError  # noqa: PLC0415 - it imports requests

    try:
        if body.lstrip().startswith(b"{"):
            page = ProjectPage.from_json_data(json.loads(body), base_url=base_url)
        else:
            page = ProjectPage.from_html(project, body, base_url=base_url)
    except (ValueError, KeyError, TypeError, UnsupportedRepoVersionError) as error:
        raise MalformedIndexPage(project, str(error)) from error
    absence = _absence(page.repository_version)
    files = [_with_provenance(_listed(package), package.provenance_url, absence) for package in page.packages]
    return Listing(
        project=project,
        wheels=tuple(file for file in files if isinstance(file, PublishedWheel)),
        unexpected=tuple(file for file in files if isinstance(file, UnexpectedFile)),
    )


def local_wheel(path: Path) -> PublishedWheel | UnexpectedFile:
    """Take a file as a published wheel: what it promises is what it is.

    Raises:
        OSError: It cannot be read.
    """
    digests = {"sha256": Sha256.of_file(path).hex}
    file = _published(path.name, "", digests, path.stat().st_size, None)
    if isinstance(file, UnexpectedFile):
        return file
    return PublishedWheel(
        name=file.name,
        version=file.version,
        platforms=file.platforms,
        size_bytes=file.size_bytes,
        sha256=file.sha256,
        location=Local(path=path),
    )


def default_index() -> str:
    """Return the public index's address as a library knows it, so that no file of ours names a host."""
    from pypi_simple import PYPI_SIMPLE_ENDPOINT  # noqa: PLC0415 - it imports requests

    return PYPI_SIMPLE_ENDPOINT


def index_from_pip(runner: Runner, *, python: Path, env: Mapping[str, str]) -> str | None:
    """Ask pip which index it would use; None where it is not configured or there is no pip."""
    command = Command(
        argv=(str(python), "-m", "pip", "config", "get", "global.index-url"), env=env, timeout_s=30.0
    )
    try:
        completed = runner.run(command)
    except CannotStart:
        return None
    answer = completed.output.strip().rpartition("\n")[2].strip()
    is_usable = completed.returncode == 0 and answer.startswith(("https://", "http://"))
    return answer if is_usable else None


def _absence(api_version: str | None) -> str:
    """Say why a file that the page names no provenance for has none."""
    if api_version is not None and Version(api_version) >= _PROVENANCE_SINCE:
        return "the index names none"
    told = "no version" if api_version is None else f"version {api_version}"
    return f"the index names {told} of the simple API, and provenance came with {_PROVENANCE_SINCE}"


def _listed(package: "DistributionPackage") -> PublishedWheel | UnexpectedFile:
    return _published(package.filename, package.url, package.digests, package.size, _yanked(package))


def _with_provenance(
    file: PublishedWheel | UnexpectedFile, url: str | None, absence: str
) -> PublishedWheel | UnexpectedFile:
    if isinstance(file, UnexpectedFile):
        return file
    if url is None:
        return replace(file, no_provenance=absence)
    return replace(file, provenance=Remote(url=url), no_provenance="")


def _yanked(package: "DistributionPackage") -> str | None:
    return (package.yanked_reason or "") if package.is_yanked else None


def _published(
    name: str, url: str, digests: Mapping[str, str], size: int | None, yanked: str | None
) -> PublishedWheel | UnexpectedFile:
    try:
        _, version, _, _ = parse_wheel_filename(name)
        sha256 = Sha256(digests["sha256"])
    except InvalidWheelFilename:
        return UnexpectedFile(name=name, reason="it is no wheel; a runtime is published as wheels only")
    except (KeyError, MalformedDigest):
        return UnexpectedFile(name=name, reason="the index promises no SHA-256 for it")
    return PublishedWheel(
        name=name,
        version=str(version),
        platforms=tuple(name.removesuffix(".whl").rpartition("-")[2].split(".")),
        size_bytes=size,
        sha256=sha256,
        location=Remote(url=url),
        yanked=yanked,
    )
