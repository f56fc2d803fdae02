"""The session's loop: uvloop where it is installed, else asyncio's own; orders leave on both."""

import asyncio
import sys

import pytest

from brokers.link.rest import Reply, Request, Rest, RestConfig
from laptop_agents.running import run_loop


async def _asked() -> str:
    """Place something at a server on loopback; return what ran it and what came of it."""

    async def connected(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"side=BUY")
        writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n{}")
        writer.close()

    server = await asyncio.start_server(connected, "127.0.0.1", 0)
    url = f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}"
    async with server, Rest(RestConfig(base_url=url)) as rest:
        outcome = await rest.ask(Request("POST", "/order", {}, b"side=BUY"))
    assert isinstance(outcome, Reply)
    return f"{type(asyncio.get_running_loop()).__module__} {outcome.status}"


def test_uvloop_where_it_is_installed() -> None:
    """The same request, the same answer."""
    pytest.importorskip("uvloop")

    assert "uvloop 200" == run_loop(_asked())


def test_without_uvloop(monkeypatch: pytest.MonkeyPatch) -> None:
    """As on a platform that has none."""
    monkeypatch.setitem(sys.modules, "uvloop", None)

    assert run_loop(_asked()).startswith("asyncio.")
