"""A relay in front of an engine's socket, which a test can cut in the middle of a run."""

import socket
import threading
from pathlib import Path
from types import TracebackType
from typing import Self

_PIECE_BYTES = 65536


class Relay:
    """Listens on its own socket, and forwards all data until it is cut."""

    def __init__(self, listening: Path, engine: Path) -> None:
        self._engine = engine
        self._connections: list[socket.socket] = []
        self._listener = socket.socket(socket.AF_UNIX)
        self._listener.bind(str(listening))
        self._listener.listen()
        self._threads = [threading.Thread(target=self._accept)]

    def __enter__(self) -> Self:
        self._threads[0].start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.cut()
        for thread in self._threads:
            thread.join()
        for connection in (self._listener, *self._connections):
            connection.close()

    def cut(self) -> None:
        """Close all connections, and accept no others."""
        for connection in (self._listener, *self._connections):
            try:
                connection.shutdown(socket.SHUT_RDWR)
            except OSError:  # the other side has closed it
                continue

    def _accept(self) -> None:
        while True:
            try:
                client, _ = self._listener.accept()
            except OSError:
                return
            engine = socket.socket(socket.AF_UNIX)
            self._connections += [client, engine]
            engine.connect(str(self._engine))
            for source, sink in ((client, engine), (engine, client)):
                thread = threading.Thread(target=_forward, args=(source, sink))
                self._threads.append(thread)
                thread.start()


def _forward(source: socket.socket, sink: socket.socket) -> None:
    try:
        while piece := source.recv(_PIECE_BYTES):
            sink.sendall(piece)
        sink.shutdown(socket.SHUT_WR)
    except OSError:
        return
