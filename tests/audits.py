"""A published release for audits: a fake index that serves ranges, and functions to falsify its wheels."""

import hashlib
import json
import re
import stat
import zipfile
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path

from factory.audit.audited import AuditedWheel, Inferred
from factory.audit.codex.auditor import CodexAuditor
from factory.audit.codex.comparer import Comparer
from factory.audit.codex.packages import ReleasePackages
from factory.audit.codex.rebuild import RebuiltWheel
from factory.audit.codex.review import Reviewer
from factory.audit.context import AuditContext
from factory.audit.index import Listing, PublishedWheel, fetch_listing, local_wheel
from factory.audit.local import audit_local
from factory.audit.projects.bundled import bundled_mapping
from factory.audit.read_package import ReadPackage
from factory.audit.results import Results
from factory.audit.run import AuditProgress, audit_listing
from factory.audit.selection import Selection
from factory.audit.verdict import AuditReport, InferredFacts, Verdict
from factory.audit.wheel_file import WheelFiles
from factory.build.encoder import EncoderChoice
from factory.build.recipe import our_recipe
from factory.build.template import bundled_template
from factory.core.digests import Sha256
from factory.core.model import Local, Payload
from factory.core.tags import CodexTag
from factory.core.targets import OperatingSystem, Platform, Target
from factory.release.archives.inflate import Codec
from factory.release.channels.directory import DirectoryChannel
from factory.release.download import Downloader
from factory.release.payload import PackageSource
from factory.system.http import HttpResponse, HttpStatusError
from factory.verify.baseline.baseline import Baseline, KnownLeftOut, KnownText
from factory.verify.reading.unpack import ZLIB_DEFLATE
from tests.baselines import FIRST, LAST, SHAPE
from tests.fakes import Answer, StreamedClient
from tests.origins import ASKED_AT
from tests.packages import TAG, release_directory, release_files
from tests.runs import run_context
from tests.template_baseline import KnownPayloads, template_baseline
from tests.wheels import Wheel, good_wheel
from tests.zip_writer import ZipArchive, ZipMember

INDEX = "https://index.example.invalid/simple/"
FILES = "https://files.example.invalid/"
PROJECT = "openai-codex-cli-bin"
CODEX_MAPPING = bundled_mapping(PROJECT)


@dataclass(slots=True, kw_only=True)
class FakeIndex(StreamedClient):
    """An `HttpClient` for an index: serves a project page, and files whole or in ranges.

    Attributes:
        files: The served bytes by file name.
        promised: The bytes that the page describes, if they differ from the served ones.
        yanked: The reason why a file is yanked, by file name.
        gives_ranges: Whether range requests are supported.
        edit: Changes each answer to a range request.
    """

    files: Mapping[str, bytes]
    promised: Mapping[str, bytes] = field(default_factory=dict)
    yanked: Mapping[str, str] = field(default_factory=dict)
    gives_ranges: bool = True
    edit: Callable[[Answer], Answer] = lambda answer: answer
    served_bytes: int = 0

    @contextmanager
    def stream(self, url: str, *, headers: Mapping[str, str] | None = None) -> Iterator[HttpResponse]:
        if url == f"{INDEX}{PROJECT}/":
            yield Answer(body=(self.page(),))
            return
        content = self.files.get(url.removeprefix(FILES))
        if content is None:
            raise HttpStatusError(url, 404)
        asked = re.fullmatch(r"bytes=(\d+)-(\d+)", (headers or {}).get("Range", ""))
        if asked is None or not self.gives_ranges:
            yield Answer(body=(content,), headers={"content-length": str(len(content))})
            return
        start, stop = int(asked[1]), min(int(asked[2]), len(content) - 1)
        part = content[start : stop + 1]
        self.served_bytes += len(part)
        span = f"bytes {start}-{stop}/{len(content)}"
        yield self.edit(Answer(body=(part,), status=206, headers={"content-range": span, "etag": '"1"'}))

    def page(self) -> bytes:
        """Return the project page, in JSON (PEP 691)."""
        described = {name: self.promised.get(name, content) for name, content in self.files.items()}
        files = [
            {
                "filename": name,
                "url": f"{FILES}{name}",
                "hashes": {"sha256": hashlib.sha256(content).hexdigest()},
                "size": len(content),
                **({"yanked": self.yanked[name]} if name in self.yanked else {}),
            }
            for name, content in described.items()
        ]
        meta = {"api-version": "1.1"}
        return json.dumps({"meta": meta, "name": PROJECT, "versions": [], "files": files}).encode()


def audit_context(
    client: FakeIndex,
    packages: Path,
    directory: Path,
    *,
    cache_limit_bytes: int = 1_000_000_000,
    encoders: EncoderChoice | None = None,
) -> AuditContext:
    """Return the context of an audit of the fake index, with packages from a directory."""
    tools = run_context(directory / "cache")
    downloader = Downloader(cache=tools.cache, client=client, progress=tools.progress)
    scratch = directory / "scratch"
    scratch.mkdir(exist_ok=True)
    return AuditContext(
        tools=replace(tools, downloader=downloader, encoders=encoders or EncoderChoice()),
        channel=DirectoryChannel(packages),
        scratch=scratch,
        baseline=template_baseline(),
        cache_limit_bytes=cache_limit_bytes,
    )


def codex_auditor(context: AuditContext) -> CodexAuditor:
    """Return the auditor of Codex's wheels."""
    return CodexAuditor(mapping=CODEX_MAPPING, context=context)


def audit_files(
    paths: Sequence[Path],
    listing: Listing,
    context: AuditContext,
    *,
    done: Callable[[Verdict], None] = lambda _: None,
) -> AuditReport:
    """Audit local files as wheels of Codex."""
    return audit_local(paths, listing, codex_auditor(context), context, done=done)


def run_audit(
    client: FakeIndex,
    packages: Path,
    directory: Path,
    *,
    selection: Selection | None = None,
    reported: list[Verdict] | None = None,
    encoders: EncoderChoice | None = None,
) -> AuditReport:
    """Audit the wheels of a fake index."""
    listing = fetch_listing(client, index=INDEX, project=PROJECT, asked_at=ASKED_AT)
    reported = [] if reported is None else reported
    context = audit_context(client, packages, directory, encoders=encoders)
    return audit_listing(
        listing,
        selection or Selection(tags=(TAG,)),
        codex_auditor(context),
        context,
        results=Results(directory / "out", identity={"channel": "directory"}),
        progress=AuditProgress(verdict=reported.append, release=lambda *_: None),
    )


def as_upstream(path: Path) -> Wheel:
    """Open a wheel of ours as upstream would have built it: without a bill of materials."""
    wheel = opened(path)
    (sbom,) = (m.name.decode() for m in wheel.archive.members if m.name.endswith(b".cdx.json"))
    return wheel.without(sbom)


def opened(path: Path) -> Wheel:
    """Return the members of a wheel for falsification; written unchanged, they give equal bytes."""
    with zipfile.ZipFile(path) as archive:
        members = tuple(
            ZipMember(
                name=info.filename.encode(),
                content=archive.read(info),
                mode=info.external_attr >> 16,
                create_system=info.create_system,
            )
            for info in archive.infolist()
            if not info.filename.endswith("/RECORD")
        )
    assert all(stat.S_ISREG(member.mode) or not stat.S_IFMT(member.mode) for member in members)
    return Wheel(name=path.name, archive=ZipArchive(members=members))


RECIPE = our_recipe(Platform.parse("manylinux_2_17_x86_64"), template=bundled_template())
INFERRED = Inferred(
    recipe=RECIPE,
    facts=InferredFacts(
        generator="hatchling 1.33.0",
        metadata_version="2.4",
        create_system=3,
        line_ends="LF",
        recipe=RECIPE.identity,
        left_out=(),
    ),
    chain=(),
    trust_base=(),
)


_NOTICE = Sha256.of([good_wheel().member("codex_cli_bin/codex-resources/NOTICE.md").content])
_SMALL = Baseline(
    published=replace(
        SHAPE,
        texts=(
            *SHAPE.texts,
            KnownText(
                path="codex_cli_bin/codex-resources/NOTICE.md",
                family=OperatingSystem.LINUX,
                sha256=_NOTICE,
                first=FIRST,
                last=LAST,
            ),
        ),
        left_out=(
            KnownLeftOut(
                pattern="bin/codex-code-mode-host", platform="manylinux_2_17_x86_64", first=FIRST, last=LAST
            ),
        ),
    )
)
"""The good wheel has a notice, and lacks one file of the release's package."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Release:
    """A good wheel for Linux on x86-64, and the packages of its release for both Linux targets.

    Attributes:
        older: The files of other releases that the index of executables knows.
    """

    wheel: Wheel
    packages: tuple[ReadPackage, ...]
    older: tuple[tuple[CodexTag, Payload], ...] = ()

    @property
    def read_packages(self) -> ReleasePackages:
        """The packages by target."""
        by_target = {one.asset.target: one for one in self.packages}
        return ReleasePackages(tag=TAG, mapping=CODEX_MAPPING, by_target=by_target)

    @property
    def sha256(self) -> Sha256:
        """The digest of the good wheel."""
        return Sha256.of([self.wheel.content()])

    def comparer(self, files: WheelFiles, scratch: Path, *, rebuilt_codec: Codec = ZLIB_DEFLATE) -> Comparer:
        """Return a comparer that knows the release's texts and executables."""
        payloads = [(TAG, package.payload) for package in self.packages]
        return Comparer(
            packages=ReleasePackages(
                tag=TAG, mapping=CODEX_MAPPING, by_target={one.asset.target: one for one in self.packages}
            ),
            reviewer=Reviewer(tag=TAG, baseline=_SMALL, executables=KnownPayloads(*payloads, *self.older)),
            files=files,
            scratch=scratch,
            rebuilt_codec=rebuilt_codec,
        )

    def rebuilt(self, audited: AuditedWheel, directory: Path) -> RebuiltWheel:
        """Return the good wheel, written to a directory, as the rebuild of some wheel."""
        directory.mkdir()
        return RebuiltWheel(
            audited=audited, inferred=INFERRED, path=self.wheel.write(directory), sha256=self.sha256
        )


def good_release(directory: Path) -> Release:
    """Write the packages of a small release, and return them with a good wheel."""
    targets = (Target.LINUX_X86_64, Target.LINUX_AARCH64)
    released = DirectoryChannel(release_directory(directory, targets=targets)).assets(TAG)
    packages = []
    for asset in released.assets:
        assert isinstance(asset.location, Local)
        source = PackageSource.archive(asset.location.path, asset.format)
        payload = source.scan(asset.target)
        packages.append(ReadPackage(asset=asset, source=source, size_bytes=1, payload=payload))
    wheel = good_wheel()
    for path, (content, _) in release_files(Target.LINUX_X86_64).items():
        name = f"codex_cli_bin/{path}"
        if name.encode() in {member.name for member in wheel.archive.members}:
            wheel = wheel.edited(name, _with_content(content))
    return Release(wheel=wheel, packages=tuple(packages))


def _with_content(content: bytes) -> Callable[[ZipMember], ZipMember]:
    return lambda member: replace(member, content=content)


def audited_file(path: Path) -> AuditedWheel:
    """Return a local file as a wheel to audit."""
    wheel = local_wheel(path)
    assert isinstance(wheel, PublishedWheel)
    return AuditedWheel(wheel=wheel, reference=wheel)
