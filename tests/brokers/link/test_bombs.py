"""Compression bombs (reliability.md row 19): nobody asked for compression, so nothing is unpacked."""

import asyncio
import gzip
import tracemalloc
import zlib

from websockets.asyncio.server import ServerConnection, serve

from brokers.link.rest import Reply, Request, Rest, RestConfig
from brokers.link.stream import Down, Frame
from tests.brokers.link.test_stream import lined

UNPACKED = 64 * 1024 * 1024
LIMIT = 8 * 1024 * 1024
"""Bytes that may be held at once; the bombs are 64 kB on the wire."""


async def test_an_answer_stays_packed() -> None:
    """The body is what came over the wire, however it calls itself."""
    bomb = gzip.compress(bytes(UNPACKED))

    async def connected(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        asked = await reader.readuntil(b"\r\n\r\n")
        assert b"accept-encoding" not in asked.lower()
        head = f"HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\nContent-Length: {len(bomb)}\r\n\r\n"
        writer.write(head.encode() + bomb)
        await writer.drain()
        writer.close()

    server = await asyncio.start_server(connected, "127.0.0.1", 0)
    url = f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}"
    tracemalloc.start()
    try:
        async with server, Rest(RestConfig(base_url=url)) as rest:
            outcome = await rest.ask(Request("GET", "/", {}))
        assert tracemalloc.get_traced_memory()[1] < LIMIT
    finally:
        tracemalloc.stop()
    assert isinstance(outcome, Reply)
    assert bomb == outcome.body


async def test_a_packed_frame_ends_the_line() -> None:
    """A server that packs though nobody agreed to it breaks the protocol."""
    packer = zlib.compressobj(wbits=-15)
    bomb = packer.compress(bytes(UNPACKED)) + packer.flush(zlib.Z_SYNC_FLUSH)
    offered = []

    async def behaviour(socket: ServerConnection) -> None:
        offered.append(socket.request.headers.get("Sec-WebSocket-Extensions"))
        # FIN, RSV1 for "compressed", text; a length of eight bytes
        frame = b"\xc1\x7f" + len(bomb).to_bytes(8, "big") + bomb
        socket.transport.write(frame)
        await socket.wait_closed()

    async with serve(behaviour, "127.0.0.1", 0, compression="deflate") as server:
        port = next(iter(server.sockets)).getsockname()[1]
        tracemalloc.start()
        try:
            async with lined(port) as line:
                await line.until(lambda: line.of(Down))
            assert tracemalloc.get_traced_memory()[1] < LIMIT
        finally:
            tracemalloc.stop()
    assert [] == line.of(Frame)
    assert {None} == set(offered)
