"""The way to a host that has several addresses, some of which may lead nowhere from here.

Addresses are tried one after the other, each with a short head start, and the first that answers
is taken: a dead IPv6 route costs a quarter of a second and not the whole time-out.

Source: RFC 8305; `asyncio` has it for its own loops only.
"""

import asyncio
import socket
from collections.abc import Mapping
from typing import Any, Final

from aiohappyeyeballs import start_connection

HEAD_START_S: Final = 0.25
"""RFC 8305 section 5."""


Way = Mapping[str, Any]
"""For `loop.create_connection`: a connected `sock`, or `host` and `port` of the only address."""


async def way_to(host: str, port: int) -> Way:
    """Find out how to reach a host.

    Raises:
        OSError: It has no address, or none of several answers.
    """
    loop = asyncio.get_running_loop()
    found = await loop.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    if len(found) == 1:
        return {"host": str(found[0][4][0]), "port": port}
    try:
        line = await start_connection(found, happy_eyeballs_delay=HEAD_START_S)
    except RuntimeError as error:  # as uvloop says it
        raise OSError(str(error)) from error
    line.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    return {"sock": line}
