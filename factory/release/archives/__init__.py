"""Read untrusted release packages: strictly, as a stream, in one pass.

Each reader yields the regular files of an archive in order, each once, and refuses everything
that a genuine release package never has, wherever in the archive it is.
"""

from factory.release.archives.entries import DEFAULT_LIMITS, ArchiveLimits, PackageEntry
from factory.release.archives.guard import Guard
from factory.release.archives.inflate import gzip_codec, inflated, zstd_codec
from factory.release.archives.tars import tar_entries
from factory.release.archives.trees import file_pieces, tree_entries
from factory.release.archives.zips import zip_entries

__all__ = [
    "DEFAULT_LIMITS",
    "ArchiveLimits",
    "Guard",
    "PackageEntry",
    "file_pieces",
    "gzip_codec",
    "inflated",
    "tar_entries",
    "tree_entries",
    "zip_entries",
    "zstd_codec",
]
