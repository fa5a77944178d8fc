"""Call the compiled library. ctypes releases the interpreter's lock during each call."""

import ctypes
import threading
import weakref
import zlib
from dataclasses import dataclass
from pathlib import Path
from typing import Self

from factory.build.exact_deflate.compiled import CompiledLibrary, NotAvailable

_FINISHED = -1
_NO_MEMORY = -2


class Compressor:
    """Compresses one stream, as the object of `zlib.compressobj` does.

    The output does not depend on how the input is cut: it is zlib's for the whole input at once.
    """

    def __init__(self, library: ctypes.CDLL) -> None:
        self._library = library
        self._lock = threading.Lock()
        address: int | None = library.exact_deflate_new()
        if address is None:
            raise MemoryError
        self._stream = ctypes.c_void_p(address)
        weakref.finalize(self, library.exact_deflate_free, self._stream)

    def compress(self, data: "bytes | bytearray | memoryview", /) -> bytes:
        """Compress a part of the input, and return the output that is complete.

        Raises:
            zlib.error: The stream is finished.
        """
        content = data if isinstance(data, bytes) else bytes(data)
        with self._lock:
            return self._result(self._library.exact_deflate_compress(self._stream, content, len(content)))

    def flush(self, mode: int = zlib.Z_FINISH, /) -> bytes:
        """Finish the stream, and return the rest of the output.

        Raises:
            ValueError: The mode is not ``Z_FINISH``.
            zlib.error: The stream is finished.
        """
        if mode != zlib.Z_FINISH:
            raise ValueError("only Z_FINISH is supported")
        with self._lock:
            return self._result(self._library.exact_deflate_finish(self._stream))

    def join(self, parsed: "Parsed") -> bytes:
        """Append a parsed segment, and finish the stream if it is the last one.

        The segments come in order, and `compress` must not have been called.

        Raises:
            zlib.error: The stream is finished.
        """
        with self._lock:
            return self._result(self._library.exact_deflate_join(self._stream, parsed.address))

    def _result(self, status: int) -> bytes:
        if status == _FINISHED:
            raise zlib.error("the stream is finished")
        if status == _NO_MEMORY:
            raise MemoryError
        size = ctypes.c_size_t()
        output = self._library.exact_deflate_output(self._stream, ctypes.byref(size))
        return ctypes.string_at(output, size.value) if size.value else b""


@dataclass(frozen=True, slots=True, kw_only=True)
class Segment:
    """A part of the input, with the bytes around it.

    Attributes:
        content: The bytes before, the segment, the bytes after, and zeros that can be read.
        position: Where the segment begins in the stream.
    """

    content: bytes
    history_bytes: int
    size_bytes: int
    following_bytes: int
    position: int
    is_last: bool


class Parsed:
    """A parsed segment; it keeps the content, which the library reads again when the segment is joined."""

    def __init__(self, library: ctypes.CDLL, segment: Segment) -> None:
        self._segment = segment
        address: int | None = library.exact_deflate_parse(
            segment.content,
            segment.history_bytes,
            segment.size_bytes,
            segment.following_bytes,
            segment.position,
            segment.is_last,
        )
        if address is None:
            raise MemoryError
        self.address = ctypes.c_void_p(address)
        weakref.finalize(self, library.exact_deflate_free_segment, self.address)


@dataclass(frozen=True, slots=True, kw_only=True)
class Library:
    """The loaded library.

    Attributes:
        source_sha256: The digest of its C source, in hexadecimal.
    """

    path: Path
    source_sha256: str
    functions: ctypes.CDLL

    @classmethod
    def load(cls, compiled: CompiledLibrary) -> Self:
        """Load a compiled library.

        Raises:
            NotAvailable: It cannot be loaded.
        """
        try:
            functions = ctypes.CDLL(str(compiled.path))
            _declare(functions)
        except (OSError, AttributeError) as error:
            raise NotAvailable(f"cannot load {compiled.path}: {error}") from error
        return cls(path=compiled.path, source_sha256=compiled.source_sha256, functions=functions)

    def compressobj(self) -> Compressor:
        """Return a compressor for one stream; it uses 1.8 MB of memory."""
        return Compressor(self.functions)

    def parse(self, segment: Segment) -> Parsed:
        """Parse a segment, for `Compressor.join`; any thread may call this."""
        return Parsed(self.functions, segment)


def _declare(functions: ctypes.CDLL) -> None:
    functions.exact_deflate_new.argtypes = ()
    functions.exact_deflate_new.restype = ctypes.c_void_p
    functions.exact_deflate_free.argtypes = (ctypes.c_void_p,)
    functions.exact_deflate_free.restype = None
    functions.exact_deflate_compress.argtypes = (ctypes.c_void_p, ctypes.c_char_p, ctypes.c_size_t)
    functions.exact_deflate_compress.restype = ctypes.c_int
    functions.exact_deflate_finish.argtypes = (ctypes.c_void_p,)
    functions.exact_deflate_finish.restype = ctypes.c_int
    functions.exact_deflate_output.argtypes = (ctypes.c_void_p, ctypes.POINTER(ctypes.c_size_t))
    functions.exact_deflate_output.restype = ctypes.c_void_p
    functions.exact_deflate_parse.argtypes = (
        ctypes.c_char_p,
        ctypes.c_size_t,
        ctypes.c_size_t,
        ctypes.c_size_t,
        ctypes.c_uint64,
        ctypes.c_int,
    )
    functions.exact_deflate_parse.restype = ctypes.c_void_p
    functions.exact_deflate_join.argtypes = (ctypes.c_void_p, ctypes.c_void_p)
    functions.exact_deflate_join.restype = ctypes.c_int
    functions.exact_deflate_free_segment.argtypes = (ctypes.c_void_p,)
    functions.exact_deflate_free_segment.restype = None
