"""The payload: the files of one release package that belong to one target.

A package is read strictly (`factory.release.archives`) and in one pass, in which a file's bytes
are hashed, compressed and written. Paths remain as the channel has them; the recipe decides the
paths in a wheel.

    package/vendor/<target>/...   an npm tarball; before 0.100.0 one held all targets
    ...                           a GitHub package archive, or a directory with the same content
"""

from factory.executables.file_kind import kind_of
from factory.release.archives import PackageEntry
from factory.release.payload.layout import Layout, layout_of
from factory.release.payload.source import Destinations, PackageSource

__all__ = [
    "Destinations",
    "Layout",
    "PackageEntry",
    "PackageSource",
    "kind_of",
    "layout_of",
]
