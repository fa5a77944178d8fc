"""Reading of release packages that nobody vouches for yet: strict, streaming, in one pass.

Every reader yields the regular files of a container in order, each once, and refuses
what an honest release package never has, wherever in the container it is.
"""

from factory.release.archives.entries import DEFAULT_LIMITS, ArchiveLimits, PackageEntry
from factory.release.archives.guard import DamagedPackage, Guard, OversizedPackage, UnsafePackage
from factory.release.archives.inflate import gzip_codec, inflated, zstd_codec
from factory.release.archives.tars import tar_entries
from factory.release.archives.trees import file_pieces, tree_entries
from factory.release.archives.zips import zip_entries

__all__ = [
    "DEFAULT_LIMITS",
    "ArchiveLimits",
    "DamagedPackage",
    "Guard",
    "OversizedPackage",
    "PackageEntry",
    "UnsafePackage",
    "file_pieces",
    "gzip_codec",
    "inflated",
    "tar_entries",
    "tree_entries",
    "zip_entries",
    "zstd_codec",
]
