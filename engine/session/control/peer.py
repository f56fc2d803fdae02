"""Who is at the other end of a local socket, as the kernel says it and not the client."""

import os
import pwd
import socket
import struct
from typing import Final, NamedTuple

_CREDENTIALS: Final = struct.Struct("3i")
ROOT: Final = 0


class Peer(NamedTuple):
    """A process and its user; `pid` and `uid` are None where the platform does not tell."""

    pid: int | None
    uid: int | None

    def signature(self, client: str) -> str:
        """Return the `by` of a journalled command."""
        if self.uid is None:
            return f"{client} (unknown peer)"
        return f"{client} pid={self.pid} uid={self.uid} user={_NAMES.get(self.uid, '?')}"


def peer_of(sock: socket.socket) -> Peer:
    """Ask the kernel who connected."""
    if not hasattr(socket, "SO_PEERCRED"):  # there, the modes of folder and socket are the guard
        return Peer(None, None)
    raw = sock.getsockopt(socket.SOL_SOCKET, socket.SO_PEERCRED, _CREDENTIALS.size)
    pid, uid, _ = _CREDENTIALS.unpack(raw)
    return Peer(pid, uid)


def _name(uid: int) -> str:
    try:
        return pwd.getpwuid(uid).pw_name
    except KeyError:  # a container's user without an entry
        return "?"


_NAMES: Final = {uid: _name(uid) for uid in (os.geteuid(), ROOT)}
"""Looked up once: a directory service may be slow, and nobody else gets in."""
