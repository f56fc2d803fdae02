"""What makes a seed repeat: tasks in order, wires without a delay, and no threads."""

import asyncio
import subprocess
import sys
from pathlib import Path

import pytest

from tests.live_simulation.virtual import VirtualLoop, VirtualTime

ROOT = Path(__file__).parents[2]


def in_virtual_time(coro):
    loop = VirtualLoop(VirtualTime(), lambda: 0.001)
    with asyncio.Runner(loop_factory=lambda: loop) as runner:
        return runner.run(coro)


def test_a_task_group_cancels_in_the_order_in_which_its_tasks_began() -> None:
    """A set of tasks orders them by address elsewhere."""
    ended: list[int] = []

    async def one(number: int) -> None:
        try:
            await asyncio.sleep(3_600)
        finally:
            ended.append(number)

    async def many() -> None:
        kept = [[bytearray(97 * n) for n in range(50)]]  # so that no two tasks lie side by side
        async with asyncio.TaskGroup() as group:
            for number in range(200):
                kept.append([group.create_task(one(number)), bytearray(number * 13)])
            await asyncio.sleep(0)
            raise LookupError

    with pytest.raises(ExceptionGroup):
        in_virtual_time(many())

    assert list(range(200)) == ended


def test_what_was_written_can_be_read_in_the_next_round() -> None:
    async def talk() -> tuple[bytes, bytes, int]:
        async def echo(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            writer.write(await reader.read(100))
            writer.close()

        server = await asyncio.start_server(echo, "127.0.0.1", 0)
        port = server.sockets[0].getsockname()[1]
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        clock = asyncio.get_running_loop().time
        writer.write(b"here")
        began_s = clock()
        heard = await reader.read(100), await reader.read(100)
        writer.close()
        server.close()
        with pytest.raises(ConnectionRefusedError):
            await asyncio.open_connection("127.0.0.1", port)
        return *heard, round((clock() - began_s) / 20e-6)

    heard, end, rounds = in_virtual_time(talk())

    assert (b"here", b"") == (heard, end)
    assert 10 > rounds


def test_no_thread_starts() -> None:
    script = (
        "from tests.live_simulation.virtual import VirtualTime\n"
        "VirtualTime().install()\n"
        "import threading\n"
        "from concurrent.futures import ThreadPoolExecutor\n"
        "here, at = threading.get_ident(), []\n"
        "note = lambda: at.append(threading.get_ident())\n"
        "thread = threading.Thread(target=note, name='a')\n"
        "thread.start()\n"
        "pool = ThreadPoolExecutor(max_workers=1, thread_name_prefix='b')\n"
        "failed = pool.submit(lambda: 1 / 0).exception()\n"
        "pool.submit(note).result()\n"
        "print(at == [here, here], thread.is_alive(), repr(failed))\n"
        "try:\n"
        "    threading._start_new_thread(note, ())\n"
        "except AssertionError:\n"
        "    print('refused')\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", script], cwd=ROOT, capture_output=True, text=True, check=False
    )

    assert "True False ZeroDivisionError('division by zero')\nrefused\n" == done.stdout, done.stderr
