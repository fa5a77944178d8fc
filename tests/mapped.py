"""A synthetic project with a mapping: its wheels on a fake index, and the packages on a fake npm registry."""

import base64
import gzip
import hashlib
import json
import re
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path

from werkzeug import Request, Response

from factory.audit.audited import AuditedWheel
from factory.audit.context import AuditContext
from factory.audit.index import PublishedWheel, fetch_listing
from factory.audit.projects.auditor import MappedAuditor
from factory.audit.projects.mapping import ProjectMapping
from factory.audit.projects.mapping_file import parse_mapping
from factory.audit.projects.npm_release import MakerPackages
from factory.audit.verdict import Verdict
from factory.core.digests import Sha256
from factory.core.targets import Target
from factory.release.channels.directory import DirectoryChannel
from factory.release.channels.npm_login import NpmLogin
from factory.release.download import Downloader
from factory.system.http import HttpResponse, HttpStatusError
from factory.verify.baseline.baseline import AcceptedText, Baseline
from tests.fakes import Answer, StreamedClient
from tests.origins import ASKED_AT
from tests.packages import Files, executable, tar_bytes
from tests.runs import run_context
from tests.zip_writer import ZipArchive, ZipMember

INDEX = "https://index.example.invalid/simple/"
FILES = "https://files.example.invalid/"
REGISTRY = "https://npm.example.invalid"
VERSION = "1.2.3"
PLATFORM = "manylinux_2_17_x86_64"
NAME = f"gadget_cli-{VERSION}-py3-none-{PLATFORM}.whl"
INFO = f"gadget_cli-{VERSION}.dist-info"
PACKAGE = "@gadget/linux-x64"
PROGRAM = executable(Target.LINUX_X86_64, name="gadget")
OLD_PROGRAM = executable(Target.LINUX_X86_64, name="gadget of 1.2.2")
ARM_PROGRAM = executable(Target.LINUX_AARCH64, name="gadget")
LAUNCHER = b"import os, sys\n\n\ndef main():\n    os.execv('gadget', sys.argv)\n"
METADATA = f"Metadata-Version: 2.4\nName: gadget-cli\nVersion: {VERSION}\nRequires-Python: >=3.9\n".encode()
WHEEL_FILE = b"Wheel-Version: 1.0\nGenerator: packer 1.0\nRoot-Is-Purelib: false\n"
TEXTS = {
    "gadget_cli/__init__.py": b"",
    "gadget_cli/main.py": LAUNCHER,
    "{dist-info}/METADATA": METADATA,
    "{dist-info}/WHEEL": WHEEL_FILE,
}
"""The reviewed texts; of WHEEL without its tags."""


def sha256(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()


def mapping_text(
    *,
    texts: Mapping[str, bytes] | None = None,
    version: str = '"same"',
    release: str = f'version = "{VERSION}"\ngenerator = "packer 1.0"\npacked = "zlib-6"\n',
    built: str = "",
    npm: str = PACKAGE,
    table: str = "texts",
) -> str:
    """Return the mapping of the project, with some texts as reviewed ones."""
    digests = "".join(
        f'"{path}" = "{sha256(content)}"\n' for path, content in (TEXTS if texts is None else texts).items()
    )
    return (
        f'project = "gadget-cli"\nabout = "A synthetic project"\nversion = {version}\n{built}'
        f'\n[[platform]]\ntags = "manylinux_*_x86_64"\nnpm = "{npm}"\n'
        'executables = { "bin/gadget" = "{data}/scripts/gadget" }\n'
        '\n[[platform]]\ntags = "manylinux_*_aarch64"\nnpm = "@gadget/linux-arm64"\n'
        'executables = { "bin/gadget" = "{data}/scripts/gadget" }\n'
        f"\n[[release]]\n{release}[release.executables]\n"
        f'"@gadget/linux-x64/bin/gadget" = "{sha256(PROGRAM)}"\n'
        f'"@gadget/linux-arm64/bin/gadget" = "{sha256(ARM_PROGRAM)}"\n[release.{table}]\n{digests}'
        '\n[[release]]\nversion = "1.2.2"\ngenerator = "packer 1.0"\npacked = "zlib-6"\n'
        "[release.executables]\n"
        f'"@gadget/linux-x64/bin/gadget" = "{sha256(OLD_PROGRAM)}"\n'
    )


def mapping(text: str | None = None, *, is_bundled: bool = True) -> ProjectMapping:
    content = (mapping_text() if text is None else text).encode()
    return parse_mapping(content, where="gadget.toml", name="gadget.toml", is_bundled=is_bundled)


def member(name: str, content: bytes, *, mode: int = 0o100644, method: int = 8) -> ZipMember:
    return ZipMember(name=name.encode(), content=content, mode=mode, method=method)


@dataclass(frozen=True, slots=True, kw_only=True)
class MappedWheel:
    """A wheel of the project; RECORD is added when it is written.

    Attributes:
        record: Replaces RECORD's text.
    """

    members: tuple[ZipMember, ...]
    name: str = NAME
    record: str | None = None

    @property
    def tag(self) -> str:
        """Its wheel tag."""
        return self.name.removesuffix(".whl").split("-", 2)[2]

    def content(self) -> bytes:
        """Return the bytes of the wheel."""
        record = self.record_text() if self.record is None else self.record
        method = self.members[0].method
        last = member(f"{INFO}/RECORD", record.encode(), method=method)
        return ZipArchive(members=(*self.members, last)).content()

    def record_text(self) -> str:
        """Return the correct text of RECORD."""
        lines = []
        for one in self.members:
            encoded = base64.urlsafe_b64encode(hashlib.sha256(one.content).digest()).rstrip(b"=").decode()
            lines.append(f"{one.name.decode()},sha256={encoded},{len(one.content)}\n")
        return "".join([*lines, f"{INFO}/RECORD,,\n"])

    def edited(self, name: str, content: bytes) -> "MappedWheel":
        """Return the wheel with another content of one member."""
        assert any(one.name.decode() == name for one in self.members)
        members = (
            replace(one, content=content) if one.name.decode() == name else one for one in self.members
        )
        return replace(self, members=tuple(members))

    def with_member(self, name: str, content: bytes) -> "MappedWheel":
        """Return the wheel with one more member."""
        return replace(self, members=(*self.members, member(name, content)))

    def without(self, name: str) -> "MappedWheel":
        """Return the wheel without one member."""
        return replace(self, members=tuple(one for one in self.members if one.name.decode() != name))


SCRIPT = f"gadget_cli-{VERSION}.data/scripts/gadget"


def good_mapped_wheel(*, method: int = 8) -> MappedWheel:
    """Return the wheel that the project's makers publish."""
    tags = f"Tag: py3-none-{PLATFORM}\n".encode()
    return MappedWheel(
        members=(
            member("gadget_cli/__init__.py", b"", method=method),
            member("gadget_cli/main.py", LAUNCHER, method=method),
            member(SCRIPT, PROGRAM, mode=0o100755, method=method),
            member(f"{INFO}/METADATA", METADATA, method=method),
            member(f"{INFO}/WHEEL", WHEEL_FILE + tags, method=method),
        )
    )


def npm_files(program: bytes = PROGRAM) -> Files:
    """Return the files of the npm package."""
    return {
        "package/bin/gadget": (program, 0o755),
        "package/package.json": (b'{"name": "@gadget/linux-x64"}\n', 0o644),
    }


@dataclass(slots=True, kw_only=True)
class FakeWorld(StreamedClient):
    """An `HttpClient` for an index and an npm registry.

    Attributes:
        wheels: The files on the index, by name.
        packages: The files of each npm package, by its name and version.
        others: Other files on the index, which are no wheels.
        base: The address of the server in place of the three of this module.
        requested: The addresses that were requested.
        whole: Those of which more than a range was requested.
    """

    wheels: Mapping[str, bytes] = field(default_factory=dict)
    packages: Mapping[tuple[str, str], Files] = field(
        default_factory=lambda: {(PACKAGE, VERSION): npm_files()}
    )
    others: tuple[str, ...] = ()
    base: str = ""
    requested: list[str] = field(default_factory=list)
    whole: list[str] = field(default_factory=list)

    @property
    def files(self) -> str:
        """Where the files of the index are."""
        return f"{self.base}/files/" if self.base else FILES

    @property
    def registry(self) -> str:
        """The address of the npm registry."""
        return f"{self.base}/npm" if self.base else REGISTRY

    @property
    def index(self) -> str:
        """The address of the index."""
        return f"{self.base}/simple/" if self.base else INDEX

    @contextmanager
    def stream(self, url: str, *, headers: Mapping[str, str] | None = None) -> Iterator[HttpResponse]:
        self.requested.append(url)
        content = self.content(url)
        if content is None:
            raise HttpStatusError(url, 404)
        asked = re.fullmatch(r"bytes=(\d+)-(\d+)", (headers or {}).get("Range", ""))
        if asked is None:
            self.whole.append(url)
            yield Answer(body=(content,), headers={"content-length": str(len(content))})
            return
        start, stop = int(asked[1]), min(int(asked[2]), len(content) - 1)
        span = f"bytes {start}-{stop}/{len(content)}"
        headers = {"content-range": span, "etag": '"1"'}
        yield Answer(body=(content[start : stop + 1],), status=206, headers=headers)

    def answer(self, request: Request) -> Response:
        """Answer a request to the server at `base`."""
        content = self.content(f"{self.base}{request.path.replace('/npm/@gadget/', '/npm/@gadget%2F')}")
        if content is None:
            return Response(status=404)
        response = Response(content)
        response.make_conditional(request, accept_ranges=True, complete_length=len(content))
        return response

    def content(self, url: str) -> bytes | None:
        """Return what an address has; None if there is nothing."""
        if url == f"{self.index}gadget-cli/":
            return self._page()
        if url.startswith(self.files):
            return self.wheels.get(url.removeprefix(self.files))
        for (package, version), files in self.packages.items():
            if url == f"{self.registry}/tarballs/{_tarball(package, version)}":
                return _packed(files)
            if url == f"{self.registry}/{package.replace('/', '%2F')}":
                return self._document(package)
        return None

    def _page(self) -> bytes:
        files = [
            {
                "filename": name,
                "url": f"{self.files}{name}",
                "hashes": {"sha256": sha256(content)},
                "size": len(content),
            }
            for name, content in {**self.wheels, **dict.fromkeys(self.others, b"")}.items()
        ]
        meta = {"api-version": "1.1"}
        return json.dumps({"meta": meta, "name": "gadget-cli", "versions": [], "files": files}).encode()

    def _document(self, name: str) -> bytes:
        versions = {}
        for (package, version), files in self.packages.items():
            if package == name:
                digest = base64.b64encode(hashlib.sha512(_packed(files)).digest()).decode()
                url = f"{self.registry}/tarballs/{_tarball(package, version)}"
                versions[version] = {"dist": {"tarball": url, "integrity": f"sha512-{digest}"}}
        return json.dumps({"versions": versions}).encode()


def _packed(files: Files) -> bytes:
    return gzip.compress(tar_bytes(files), mtime=0)


def _tarball(package: str, version: str) -> str:
    return f"{package.rpartition('/')[2]}-{version}.tgz"


def mapped_context(
    world: FakeWorld, directory: Path, *, accepted: tuple[AcceptedText, ...] = ()
) -> AuditContext:
    """Return the context of an audit in a fake world."""
    tools = run_context(directory / "cache")
    login = NpmLogin.of(REGISTRY, "a test", {})
    downloader = Downloader(cache=tools.cache, client=world, progress=tools.progress, npm_login=login)
    scratch = directory / "scratch"
    scratch.mkdir(exist_ok=True)
    return AuditContext(
        tools=replace(tools, downloader=downloader),
        channel=DirectoryChannel(directory),
        scratch=scratch,
        baseline=Baseline().accepting(accepted),
    )


def mapped_auditor(
    world: FakeWorld,
    directory: Path,
    used: ProjectMapping | None = None,
    *,
    accepted: tuple[AcceptedText, ...] = (),
) -> MappedAuditor:
    """Return the auditor of the project in a fake world."""
    context = mapped_context(world, directory, accepted=accepted)
    packages = MakerPackages(tools=context.tools)
    return MappedAuditor(mapping=used or mapping(), packages=packages, context=context)


def audit_mapped(
    wheel: MappedWheel,
    directory: Path,
    used: ProjectMapping | None = None,
    *,
    world: FakeWorld | None = None,
    accepted: tuple[AcceptedText, ...] = (),
) -> Verdict:
    """Return the verdict on a wheel that the index lists."""
    world = world or FakeWorld()
    world.wheels = {wheel.name: wheel.content()}
    return audit_listed(mapped_auditor(world, directory, used, accepted=accepted), world)


def audit_listed(auditor: MappedAuditor, world: FakeWorld) -> Verdict:
    """Return the verdict on the one wheel that the index lists."""
    wheels = [AuditedWheel(wheel=one, reference=one) for one in listed(world)]
    (verdict,) = auditor.audit(wheels, done=_ignore)
    return verdict


def listed(world: FakeWorld) -> tuple[PublishedWheel, ...]:
    """Return the wheels that the index lists."""
    return fetch_listing(world, index=INDEX, project="gadget-cli", asked_at=ASKED_AT).wheels


def _ignore(_: Verdict) -> None:
    """Discard the verdict."""


def digest(content: bytes) -> Sha256:
    return Sha256(sha256(content))
