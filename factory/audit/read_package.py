"""A release package that was read."""

from dataclasses import dataclass

from factory.core.model import Payload, ReleaseAsset
from factory.release.payload import PackageSource


@dataclass(frozen=True, slots=True, kw_only=True)
class ReadPackage:
    """A release package on this machine, with the list of its files."""

    asset: ReleaseAsset
    source: PackageSource
    size_bytes: int
    payload: Payload
