"""Read the npm packages that a mapping names, and find the files that its wheels should contain."""

import difflib
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from http import HTTPStatus
from pathlib import PurePosixPath

from factory.audit.projects.mapping import VERSION, MappedPlatform, ReviewedRelease
from factory.audit.read_package import ReadPackage
from factory.core.errors import IntegrityError, UpstreamError, UsageError
from factory.core.json_reader import JsonObject, MalformedJson
from factory.core.model import ChannelName, Payload, PayloadFile, ReleaseAsset
from factory.core.targets import Target
from factory.release.channels import NotOnChannel, malformed_answer
from factory.release.channels.npm_package import asset_of, fetch_versions
from factory.system.http import HttpStatusError
from factory.wheels.context import RunContext
from factory.wheels.fetch import source_of

_NEAR_VERSIONS = 3
_ANY_TARGET = Target.LINUX_X86_64
"""A package of another project has no target of Codex; nothing here reads it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class MakerPackages:
    """Reads npm packages.

    Attributes:
        tools: The cache, and the downloader, which has the registry.
    """

    tools: RunContext

    def read(
        self,
        platform: MappedPlatform,
        version: str,
        is_checked: bool = False,  # noqa: FBT001, FBT002 - see `made_again`
    ) -> ReadPackage:
        """Download a platform's package, and list its files with their paths below its top directory.

        Args:
            platform: The row of the mapping.
            version: The npm version.
            is_checked: Check a package of the cache first, and download it again if it is damaged.

        Raises:
            NotOnChannel: npm has the package, and not this version of it.
            UpstreamError: npm has no such package, or does not answer.
            IntegrityError: The package is damaged or unsafe.
        """
        version = platform.npm_version.replace(VERSION, version)
        versions = self.versions(platform)
        if version not in versions:
            raise NotOnChannel(_no_version(platform.package, version, versions))
        try:
            asset = asset_of(platform.package, version, versions[version], target=_ANY_TARGET)
        except MalformedJson as error:
            raise malformed_answer(ChannelName.NPM, str(error)) from error
        path = self.tools.downloader.fetch(asset, stop=self.tools.stop, is_checked=is_checked)
        source = source_of(asset, path, self.tools.cache)
        with self.tools.progress.task(f"read {asset.name}"):
            files = tuple(below for file in source.scan_all() if (below := _below(file)) is not None)
        _refuse_repeated(asset, files)
        payload = Payload(target=_ANY_TARGET, files=tuple(sorted(files, key=lambda file: file.path)))
        return ReadPackage(asset=asset, source=source, size_bytes=path.stat().st_size, payload=payload)

    def versions(self, platform: MappedPlatform) -> Mapping[str, JsonObject]:
        """Return the registry's entry for each version of a platform's package."""
        downloader = self.tools.downloader
        if downloader.npm_login is None:
            raise UsageError("no npm registry is open", hint="Leave --channel out.")
        try:
            return fetch_versions(downloader.client, downloader.npm_login, platform.package)
        except MalformedJson as error:
            raise malformed_answer(ChannelName.NPM, str(error)) from error
        except HttpStatusError as error:
            if error.status != HTTPStatus.NOT_FOUND:
                raise
            raise UpstreamError(
                f"npm has no package {platform.package}, which the mapping names for"
                f" {', '.join(platform.tags)}; if its maker renamed it, correct 'npm' in the mapping",
                hint="'npm view PACKAGE' shows whether the registry has a package.",
            ) from error


def released_files(
    platform: MappedPlatform, package: ReadPackage, release: ReviewedRelease | None
) -> Mapping[str, PayloadFile]:
    """Return the file of the package for each member that the mapping places.

    Raises:
        UpstreamError: The package lacks such a file.
        IntegrityError: A file of a reviewed release is no longer the reviewed one.
    """
    files: dict[str, PayloadFile] = {}
    for source, member in platform.executables.items():
        file = package.payload.file(source)
        if file is None:
            raise UpstreamError(
                f"{package.asset.purl} has no file {source}, which the mapping places at {member};"
                " correct 'executables' in the mapping",
                hint="'npm pack PACKAGE' downloads the package, so that you can list its files.",
            )
        reviewed = {} if release is None else release.executables
        digests = reviewed.get(f"{platform.package}/{source}")
        if digests is not None and file.sha256 not in digests:
            raise IntegrityError(
                f"{source} of {package.asset.purl} is not the file that was reviewed: it has the SHA-256"
                f" {file.sha256}",
                hint="Do not use it before a person found out why the registry serves another file.",
            )
        files[member] = file
    return files


def below_top(path: PurePosixPath) -> PurePosixPath | None:
    """Return a path below the top directory of a package, which npm removes whatever its name is."""
    return PurePosixPath(*path.parts[1:]) if len(path.parts) > 1 else None


def _below(file: PayloadFile) -> PayloadFile | None:
    path = below_top(file.path)
    return None if path is None else replace(file, path=path)


def _refuse_repeated(asset: ReleaseAsset, files: Sequence[PayloadFile]) -> None:
    """Refuse a package with several top directories that have the same file: npm keeps the last one."""
    paths = Counter(file.path for file in files)
    repeated = sorted(path for path, count in paths.items() if count > 1)
    if repeated:
        raise IntegrityError(
            f"{asset.purl} has {repeated[0]} more than once",
            hint="Do not use the package: which file is installed depends on the order of the archive.",
        )


def _no_version(package: str, version: str, versions: Mapping[str, JsonObject]) -> str:
    near = difflib.get_close_matches(version, list(versions), n=_NEAR_VERSIONS) or list(versions)[-1:]
    has = f"; it has {', '.join(near)}" if near else ""
    return (
        f"npm has no version {version} of {package}{has}. If the project numbers its versions in another"
        " way, correct 'version' in the mapping"
    )
