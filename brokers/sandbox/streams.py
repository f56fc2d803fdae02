"""The streams that are open at a sandbox, so that a fault can cut them."""

import asyncio
from collections.abc import Iterator
from contextlib import contextmanager

from aiohttp import web

from brokers.sandbox.faults import Fault, Faults


class OpenStreams:
    """Connections by the path they were opened on."""

    def __init__(self, faults: Faults) -> None:
        self._open: dict[asyncio.Transport, str] = {}
        faults.on("kill_streams", self._cut)

    @contextmanager
    def opened(self, request: web.Request) -> Iterator[None]:
        """Count a request's connection as a stream while this lasts."""
        transport = request.transport
        if transport is not None:
            self._open[transport] = request.path
        try:
            yield
        finally:
            if transport is not None:
                self._open.pop(transport, None)

    def _cut(self, fault: Fault) -> None:
        for transport, path in list(self._open.items()):
            if path.startswith(fault.path):
                transport.abort()
