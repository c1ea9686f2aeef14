"""A proxy in front of a PostgreSQL server that can freeze: it takes bytes and passes none on."""

from __future__ import annotations

import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from urllib.parse import parse_qs, urlsplit


class Proxy:
    """Passes on what goes between clients and the server.

    Attributes:
        url: the address for a client.
        frozen: while set, nothing is passed on, and connections stay open.
    """

    def __init__(self, url: str) -> None:
        parts = urlsplit(url)
        folder = parse_qs(parts.query)["host"][0]
        self._server = str(Path(folder) / ".s.PGSQL.5432")
        self.frozen = threading.Event()
        self._listener = socket.create_server(("127.0.0.1", 0))
        self._sockets: list[socket.socket] = []
        port = self._listener.getsockname()[1]
        self.url = f"postgresql://emorec@127.0.0.1:{port}{parts.path}"
        threading.Thread(target=self._accept, daemon=True).start()

    def close(self) -> None:
        """Close all connections."""
        for each in (self._listener, *self._sockets):
            each.close()

    def _accept(self) -> None:
        while True:
            try:
                client, _ = self._listener.accept()
            except OSError:  # closed
                return
            server = socket.socket(socket.AF_UNIX)
            server.connect(self._server)
            self._sockets += [client, server]
            for source, target in ((client, server), (server, client)):
                threading.Thread(target=self._pump, args=(source, target), daemon=True).start()

    def _pump(self, source: socket.socket, target: socket.socket) -> None:
        try:
            while data := source.recv(65536):
                while self.frozen.is_set():
                    if source.fileno() < 0:
                        return
                    threading.Event().wait(0.05)
                target.sendall(data)
            target.shutdown(socket.SHUT_WR)
        except OSError:  # the other side has ended
            return


@contextmanager
def proxy(url: str) -> Iterator[Proxy]:
    """Run a proxy in front of the server at an address that `testkit.postgres` gave."""
    running = Proxy(url)
    try:
        yield running
    finally:
        running.frozen.clear()
        running.close()
