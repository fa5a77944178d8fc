"""The payload: the files of one release package that belong to one target.

A package is read in one pass, strictly (`factory.release.archives`), so that a file's bytes can
be hashed, deflated and written while they come by. Paths stay as the channel has them:
what becomes of them in a wheel is the recipe's business.

    package/vendor/<target>/...   an npm tarball; before 0.100.0 one held all targets
    ...                           a GitHub package archive, or a directory with the same in it
"""

from factory.executables.file_kind import kind_of
from factory.release.archives import PackageEntry
from factory.release.payload.layout import Layout, UnknownLayout, layout_of
from factory.release.payload.source import Destinations, PackageSource, UnknownPackage
from factory.release.payload.target import TargetNotInPackage

__all__ = [
    "Destinations",
    "Layout",
    "PackageEntry",
    "PackageSource",
    "TargetNotInPackage",
    "UnknownLayout",
    "UnknownPackage",
    "kind_of",
    "layout_of",
]
