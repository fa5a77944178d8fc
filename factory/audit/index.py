"""Read a project page of a package index: the simple repository API, in HTML or JSON.

The pages are parsed by pypi-simple (https://packaging.python.org/specifications/simple-repository-api/);
they are requested with our own client, so proxies, certificates and retries work as everywhere.
"""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING

from packaging.utils import InvalidWheelFilename, canonicalize_name, parse_wheel_filename
from packaging.version import Version

from factory.audit.origin import AskedIndex, ListedOrigin, LocalOrigin, Origin
from factory.audit.verdict import UnexpectedFile
from factory.core.addresses import INVALID, redacted, split_address
from factory.core.counted import counted
from factory.core.digests import MalformedDigest, Sha256
from factory.core.errors import UpstreamError, UsageError
from factory.core.json_reader import MalformedJson, parse_json
from factory.core.model import Local, Remote
from factory.core.printable import escaped
from factory.system.http import HttpClient, HttpStatusError

if TYPE_CHECKING:
    from pypi_simple import DistributionPackage

_ACCEPT = "application/vnd.pypi.simple.v1+json, application/vnd.pypi.simple.v1+html;q=0.2, text/html;q=0.1"
_MAX_PAGE_BYTES = 32 << 20
_REFUSALS = frozenset({401, 403})
_FILE_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._!+-]*")
"""The characters of a file name that can be shown, and that can name a file below a directory."""
_PROVENANCE_SINCE = Version("1.3")
"""The version of the simple API that introduced provenance."""


@dataclass(frozen=True, slots=True, kw_only=True)
class PublishedWheel:
    """A wheel as an index lists it; or a local file in the same form.

    Attributes:
        version: Normalised.
        platforms: The platform tags of the file name, in its order.
        size_bytes: None if the index gives no size.
        origin: Who vouches for the digest.
        provenance: Where the index serves attestations of who published the file (PEP 740).
        no_provenance: Why it serves no attestations.
    """

    name: str
    version: str
    platforms: tuple[str, ...]
    size_bytes: int | None
    sha256: Sha256
    location: Remote | Local
    origin: Origin
    provenance: Remote | None = None
    no_provenance: str = "it is a local file"

    @property
    def platform(self) -> str:
        """The platform tags as in the file name, joined by dots."""
        return ".".join(self.platforms)


@dataclass(frozen=True, slots=True, kw_only=True)
class Listing:
    """The files of a project: wheels that can be audited, and other files.

    Attributes:
        asked: The index that lists them; None if no index was asked.
        notes: What is unusual about the page and changes nothing.
    """

    project: str
    asked: AskedIndex | None
    wheels: tuple[PublishedWheel, ...]
    unexpected: tuple[UnexpectedFile, ...]
    notes: tuple[str, ...] = ()

    def wheel(self, name: str) -> PublishedWheel | None:
        """Return the wheel with a file name, if it is listed."""
        return next((wheel for wheel in self.wheels if wheel.name == name), None)


def fetch_listing(client: HttpClient, *, index: str, project: str, asked_at: datetime) -> Listing:
    """Request the project page of an index.

    Args:
        client: Sends the request.
        index: The address of the simple API, with or without a slash at the end.
        project: The project's name, normalised or not.
        asked_at: The time of the request, in UTC.

    Raises:
        RequestFailed: The index does not answer, or has no such project.
        UpstreamError: The answer is not a project page.
    """
    url = page_url(index, canonicalize_name(project))
    try:
        body = client.get(url, headers={"Accept": _ACCEPT}, max_bytes=_MAX_PAGE_BYTES)
    except HttpStatusError as error:
        if error.status in _REFUSALS:
            error.hint = _refusal_hint(index)
        raise
    asked = AskedIndex(address=redacted(index), asked_at=asked_at)
    return read_page(body, project=project, base_url=url, asked=asked)


def _refusal_hint(index: str) -> str:
    parts = split_address(index)
    if parts is not None and parts.username is not None:
        return "Check the user name and the password in the address of the index."
    return (
        "The index requires credentials or blocks this address. Put a user name and a password into the"
        " address (--index-url, or the settings of pip and uv), into ~/.netrc or into the keyring."
    )


def page_url(index: str, project: str) -> str:
    """Return the address of a project page; a query of the index, which may be a token, stays at its end."""
    parts = split_address(index)
    if parts is None:
        raise UsageError(f"{INVALID} of an index", hint="Name an index that answers over https.")
    return parts._replace(path=f"{parts.path.rstrip('/')}/{project}/", fragment="").geturl()


def read_page(body: bytes, *, project: str, base_url: str, asked: AskedIndex) -> Listing:
    """Parse a project page; its first byte distinguishes JSON from HTML."""
    from pypi_simple import ProjectPage, UnsupportedRepoVersionError  # noqa: PLC0415 - it imports requests

    try:
        if body.lstrip().startswith(b"{"):
            page = ProjectPage.from_json_data(parse_json(body, where=project), base_url=base_url)
        else:
            page = ProjectPage.from_html(project, body, base_url=base_url)
    except (
        MalformedJson,
        ValueError,
        KeyError,
        TypeError,
        AttributeError,
        RecursionError,
        UnsupportedRepoVersionError,
    ) as error:
        raise UpstreamError(
            f"cannot parse the index's page of {project}: {error}",
            hint="Check the index's address, which ends with /simple/; a proxy or login page may answer.",
        ) from error
    absence = _no_provenance(page.repository_version)
    rows: dict[str, list[PublishedWheel | UnexpectedFile]] = {}
    for package in page.packages:
        file = _listed_file(_with_login(package, base_url), absence, asked, project)
        rows.setdefault(file.name, []).append(file)
    files = [_one_file(each) for each in rows.values()]
    return Listing(
        project=project,
        asked=asked,
        wheels=tuple(file for file in files if isinstance(file, PublishedWheel)),
        unexpected=tuple(file for file in files if isinstance(file, UnexpectedFile)),
        notes=tuple(
            f"the index lists {name} {counted(len(each), 'time')}, with equal values"
            for name, each in rows.items()
            if len(each) > len(set(each)) == 1
        ),
    )


def local_wheel(path: Path) -> PublishedWheel | UnexpectedFile:
    """Describe a local file as a published wheel, with its own digest as the promised one.

    Raises:
        OSError: The file cannot be read.
    """
    read = _name_and_digest(path.name, {"sha256": Sha256.of_file(path).hex})
    if isinstance(read, UnexpectedFile):
        return read
    version, sha256 = read
    return PublishedWheel(
        name=path.name,
        version=version,
        platforms=platforms_in(path.name),
        size_bytes=path.stat().st_size,
        sha256=sha256,
        location=Local(path=path),
        origin=LocalOrigin(name=path.name),
    )


def default_index() -> str:
    """Return the public index's address from a library's constant, so that our files name no host."""
    from pypi_simple import PYPI_SIMPLE_ENDPOINT  # noqa: PLC0415 - it imports requests

    return PYPI_SIMPLE_ENDPOINT


def _no_provenance(api_version: str | None) -> str:
    """Say why the page links no provenance for a file."""
    if api_version is not None and Version(api_version) >= _PROVENANCE_SINCE:
        return "the index names none"
    stated = "no version" if api_version is None else f"version {api_version}"
    return f"the index states {stated} of the simple API; provenance needs {_PROVENANCE_SINCE}"


def _listed_file(
    package: "DistributionPackage", no_provenance: str, asked: AskedIndex, project: str
) -> PublishedWheel | UnexpectedFile:
    read = _name_and_digest(package.filename, package.digests)
    if isinstance(read, UnexpectedFile):
        return read
    version, sha256 = read
    named = project_of(package.filename)
    if named != canonicalize_name(project):
        return UnexpectedFile(name=package.filename, reason=f"its name is that of another project, {named}")
    url = package.provenance_url
    if split_address(package.url) is None or (url is not None and split_address(url) is None):
        return UnexpectedFile(name=package.filename, reason="the index gives an invalid address for it")
    return PublishedWheel(
        name=package.filename,
        version=version,
        platforms=platforms_in(package.filename),
        size_bytes=package.size,
        sha256=sha256,
        location=Remote(url=package.url),
        origin=ListedOrigin(
            index=asked.address,
            asked_at=asked.asked_at,
            sha256=sha256,
            yanked=escaped(package.yanked_reason or "") if package.is_yanked else None,
        ),
        provenance=None if url is None else Remote(url=url),
        no_provenance=no_provenance if url is None else "",
    )


def _with_login(package: "DistributionPackage", base_url: str) -> "DistributionPackage":
    """Give the credentials of the index to addresses on the same server, as pip does, and to no other."""
    base = split_address(base_url)
    login, _, host = ("", "", "") if base is None else base.netloc.rpartition("@")
    if base is None or not login:
        return package

    def added(url: str) -> str:
        parts = split_address(url)
        is_same = parts is not None and (parts.scheme, parts.netloc) == (base.scheme, host)
        return parts._replace(netloc=f"{login}@{host}").geturl() if parts is not None and is_same else url

    provenance = package.provenance_url
    return replace(
        package,
        url=added(package.url),
        provenance_url=None if provenance is None else added(provenance),
    )


def _name_and_digest(name: str, digests: Mapping[str, str]) -> tuple[str, Sha256] | UnexpectedFile:
    """Return the version in a wheel's file name, and its SHA-256; or why it cannot be audited."""
    if _FILE_NAME.fullmatch(name) is None:
        return UnexpectedFile(name=escaped(name), reason="its name has characters that are not allowed")
    try:
        _, version, _, _ = parse_wheel_filename(name)
        return str(version), Sha256(digests["sha256"])
    except InvalidWheelFilename:
        return UnexpectedFile(name=name, reason="it is not a wheel; runtimes are published as wheels only")
    except (KeyError, MalformedDigest):
        return UnexpectedFile(name=name, reason="the index gives no SHA-256 for it")


def _one_file(rows: Sequence[PublishedWheel | UnexpectedFile]) -> PublishedWheel | UnexpectedFile:
    """Return the file that all rows with one name describe, or why they describe no single file.

    Installers differ in which of several rows they use, so a choice here could be another one.
    """
    if len(set(rows)) == 1:
        return rows[0]
    digests = sorted({str(row.sha256) for row in rows if isinstance(row, PublishedWheel)})
    differ = f"with the SHA-256 {' and '.join(digests)}" if len(digests) > 1 else "with different values"
    return UnexpectedFile(
        name=rows[0].name, reason=f"the index lists it {counted(len(rows), 'time')}, {differ}"
    )


def project_of(name: str) -> str:
    """Return the normalised project in the file name of a wheel."""
    return canonicalize_name(name.partition("-")[0])


def platforms_in(name: str) -> tuple[str, ...]:
    """Return the platform tags in the file name of a wheel."""
    return tuple(name.removesuffix(".whl").rpartition("-")[2].split("."))
