"""A connection to the first of several addresses that answers, by the standard library alone.

A dead IPv6 route must not cost an emergency its deadline: each address gets a short head start
before the next is tried too (RFC 8305).
"""

import errno
import os
import selectors
import socket
import time
from collections.abc import Iterable
from typing import Any, Final

HEAD_START_S: Final = 0.25
UNDER_WAY: Final = (0, errno.EINPROGRESS, errno.EWOULDBLOCK)
Found = tuple[int, int, int, str, Any]
"""As `socket.getaddrinfo` says it."""


def opened(addresses: Iterable[Found], until_s: float) -> socket.socket:
    """Return a connected socket that does not block.

    Args:
        addresses: The best first.
        until_s: When it has to be done, monotonic.

    Raises:
        OSError: Why the last of them failed; `TimeoutError` where it was too late.

    """
    left, failure = list(addresses), OSError("no address")
    with selectors.DefaultSelector() as knocking:
        try:
            while left or knocking.get_map():
                if left and (refused := _knock(left.pop(0), knocking)):
                    failure = refused
                    continue
                for key, _ in knocking.select(_patience_s(until_s, is_last=not left)):
                    line = _line_of(key)
                    knocking.unregister(line)
                    code = line.getsockopt(socket.SOL_SOCKET, socket.SO_ERROR)
                    if not code:
                        return line
                    failure = OSError(code, os.strerror(code))
                    line.close()
            raise failure
        finally:
            for key in knocking.get_map().values():
                _line_of(key).close()


def _knock(address: Found, knocking: selectors.BaseSelector) -> OSError | None:
    """Begin to connect; return why that is impossible from here."""
    family, kind, protocol, _, at = address
    try:
        line = socket.socket(family, kind, protocol)
    except OSError as error:
        return error
    line.setblocking(False)
    code = line.connect_ex(at)
    if code not in UNDER_WAY:
        line.close()
        return OSError(code, os.strerror(code))
    knocking.register(line, selectors.EVENT_WRITE)
    return None


def _line_of(key: selectors.SelectorKey) -> socket.socket:
    assert isinstance(key.fileobj, socket.socket), "nothing else knocks"
    return key.fileobj


def _patience_s(until_s: float, *, is_last: bool) -> float:
    left_s = until_s - time.monotonic()
    if left_s <= 0:
        raise TimeoutError("out of time")
    return left_s if is_last else min(left_s, HEAD_START_S)
