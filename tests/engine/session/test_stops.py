"""Kill files and signals become requests; the second signal asks for an end at once."""

import asyncio
import os
import signal
import time
from pathlib import Path

import pytest

from engine.model.events import Operator
from engine.session.stops import Request, Stops


def test_no_file_no_request(tmp_path: Path) -> None:
    """Nothing wants an end."""
    stops = Stops([tmp_path / "kill.txt"])

    assert (None, None, False) == (stops.present(), stops.take(), stops.is_abort)


@pytest.mark.parametrize("kind", ["file", "folder", "link to nothing", "fifo", "below a file"])
def test_whatever_stands_there_counts(tmp_path: Path, kind: str) -> None:
    """reliability.md D3: a place that can't be read is a kill, too."""
    path = tmp_path / "kill.txt"
    match kind:
        case "file":
            path.touch()
        case "folder":
            path.mkdir()
        case "link to nothing":
            path.symlink_to(tmp_path / "nowhere")
        case "fifo":
            os.mkfifo(path)
        case _:
            path.touch()
            path = path / "kill.txt"

    assert str(path) == Stops([tmp_path / "no", path]).present()


async def test_a_file_that_appears_is_one_request(tmp_path: Path) -> None:
    """Within 100 ms, once, and for good: it latches when the file is gone (D2)."""
    path = tmp_path / "kill.txt"
    stops = Stops([tmp_path / "other.txt", path])
    stops.watch()
    await asyncio.sleep(0)
    path.touch()
    began = time.monotonic()
    while (request := stops.take()) is None and time.monotonic() - began < 2:
        await asyncio.sleep(0.005)
    took = time.monotonic() - began
    path.unlink()
    await asyncio.sleep(0.05)

    assert Request(Operator.KILL, "kill_file", str(path)) == request
    assert took < 0.5
    assert stops.take() is None
    await stops.close()


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
async def test_a_signal_is_a_request(number: signal.Signals) -> None:
    """Graceful first."""
    stops = Stops([])
    stops.watch()
    os.kill(os.getpid(), number)
    for _ in range(100):
        await asyncio.sleep(0.001)
        if (request := stops.take()) is not None:
            break
    await stops.close()

    assert Request(Operator.SIGNAL, number.name, number.name) == request
    assert not stops.is_abort


async def test_the_second_signal_aborts() -> None:
    """Also of another kind."""
    stops = Stops([])
    stops.watch()
    for number in (signal.SIGTERM, signal.SIGHUP):
        os.kill(os.getpid(), number)
        await asyncio.sleep(0.01)
    await stops.close()

    assert stops.is_abort


async def test_a_storm_of_signals_is_bounded() -> None:
    """Nobody grows our memory with kill(1)."""
    stops = Stops([])
    stops.watch()
    for _ in range(200):
        os.kill(os.getpid(), signal.SIGHUP)
        await asyncio.sleep(0)
    await asyncio.sleep(0.01)
    count = 0
    while stops.take() is not None:
        count += 1
    await stops.close()

    assert 1 <= count <= 16
