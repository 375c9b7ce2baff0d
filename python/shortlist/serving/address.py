"""The address to listen on: resolved, checked to be free, and held until the server has it.

The HTTP server sets SO_REUSEPORT, by which a second server would silently share a port with the
first; so a port is first bound without it. And it takes addresses as numbers only.
"""

from __future__ import annotations

import socket
import stat
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from shortlist.errors import ArgumentError
from shortlist.serving.errors import ListenError

__all__ = ["Address", "claim_tcp", "claim_uds"]


@dataclass(frozen=True, slots=True)
class Address:
    """Where the server listens: an IP address and port, or a Unix socket."""

    host: str = ""
    port: int = 0
    uds: Path | None = None

    @property
    def url(self) -> str:
        """The base of the server's URLs."""
        if self.uds is not None:
            return f"unix:{self.uds}"
        host = f"[{self.host}]" if ":" in self.host else self.host
        return f"http://{host}:{self.port}"

    def accepts(self) -> bool:
        """Tell whether someone listens there now."""
        try:
            self._connect().close()
        except OSError:
            return False
        return True

    def _connect(self) -> socket.socket:
        if self.uds is None:
            return socket.create_connection((_reachable(self.host), self.port), timeout=1.0)
        client = socket.socket(socket.AF_UNIX)
        try:
            client.connect(str(self.uds))
        except OSError:
            client.close()
            raise
        return client


@contextmanager
def claim_tcp(host: str, port: int) -> Iterator[Address]:
    """Resolve a host and make sure that its port is free.

    Parameters
    ----------
    host : a name or an IP address.
    port : 0 chooses a free one, which stays ours until the context ends.

    Raises
    ------
    ArgumentError : the port is no port.
    ListenError : the host is unknown or not of this machine, or the port is in use.
    """
    if not 0 <= port <= 65535:
        raise ArgumentError(f"port is {port}; expected 0 to 65535")
    try:
        found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE)
    except OSError as error:
        raise ListenError(f"cannot listen on {host!r}: {error.strerror or error}") from None
    family, _, _, _, where = found[0]
    with socket.socket(family, socket.SOCK_STREAM) as claim:
        if port == 0 and sys.platform == "linux":
            # Bound but not listening: it gets no connections, and holds the port for the server.
            claim.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
        else:
            claim.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            claim.bind(where)
        except OSError as error:
            raise ListenError(f"cannot listen on {host}:{port}: {error.strerror}") from None
        address = Address(str(where[0]), int(claim.getsockname()[1]))
        if port != 0:
            claim.close()
        yield address


@contextmanager
def claim_uds(path: Path) -> Iterator[Address]:
    """Make sure that a Unix socket may be made at a path; what a dead server left is removed.

    Raises
    ------
    ListenError : a server listens there, something else has that name, or there is no such folder.
    """
    address = Address(uds=path)
    if not path.parent.is_dir():
        raise ListenError(f"cannot listen on {path}: there is no folder {path.parent}")
    if path.exists():
        if not stat.S_ISSOCK(path.stat().st_mode):
            raise ListenError(f"cannot listen on {path}: it exists and is no socket")
        if address.accepts():
            raise ListenError(f"cannot listen on {path}: another server does")
        path.unlink()
    try:
        yield address
    finally:
        path.unlink(missing_ok=True)


def _reachable(host: str) -> str:
    return {"0.0.0.0": "127.0.0.1", "::": "::1"}.get(host, host)  # noqa: S104 - compared, not bound
