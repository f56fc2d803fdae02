"""Work that begins in its caller's turn: what is done at once, and what is a task from then on."""

import asyncio
from collections.abc import Coroutine

import pytest

from brokers.link.eager import begun


async def test_what_waits_for_nothing_is_done_at_once() -> None:
    did = []

    async def work() -> None:
        did.append("all")

    assert begun(work()).done()
    assert ["all"] == did


async def test_what_has_to_wait_goes_on_when_the_loop_does() -> None:
    did, comes = [], asyncio.get_running_loop().create_future()

    async def work() -> None:
        did.append("begun")
        did.append(await comes)
        await asyncio.sleep(0)
        did.append("over")

    end = begun(work())
    assert (["begun"], False) == (did, end.done())
    comes.set_result("told")
    await end
    assert ["begun", "told", "over"] == did


async def test_what_it_raises_belongs_to_who_asks() -> None:
    """Before its first wait and behind it."""

    async def work(waits: bool) -> None:
        if waits:
            await asyncio.sleep(0)
        raise ZeroDivisionError

    for waits in (False, True):
        end = begun(work(waits))
        with pytest.raises(ZeroDivisionError):
            await end


async def test_what_it_waits_for_may_fail() -> None:
    comes, caught = asyncio.get_running_loop().create_future(), []

    async def work() -> None:
        try:
            await comes
        except OSError as error:
            caught.append(error)
        await asyncio.sleep(0)

    end = begun(work())
    comes.set_exception(OSError("gone"))
    await end
    assert 1 == len(caught)


@pytest.mark.parametrize("rounds", [0, 1, 2])
async def test_it_can_be_canceled(rounds: int) -> None:
    """Also before the loop has come round: it gives back what it holds."""
    cleaned = []

    async def work() -> None:
        try:
            await asyncio.sleep(60)
        finally:
            cleaned.append("up")

    end = begun(work())
    for _ in range(rounds):
        await asyncio.sleep(0)
    end.cancel()
    with pytest.raises(asyncio.CancelledError):
        await end
    assert ["up"] == cleaned


async def test_a_task_of_any_python_takes_it() -> None:
    """From 3.12 on none takes a generator, whatever decorates it."""
    end = begun(asyncio.sleep(0))
    assert isinstance(end, asyncio.Task)
    assert isinstance(end.get_coro(), Coroutine)
    await end


async def test_what_is_canceled_at_once_cancels_nobody_else() -> None:
    """It waits for something that was canceled before."""
    comes = asyncio.get_running_loop().create_future()
    comes.cancel()

    async def work() -> None:
        await comes

    assert begun(work()).cancelled()


async def test_it_runs_in_no_task_until_it_has_waited() -> None:
    """A time-out of its own would otherwise be one of whoever began it."""
    tasks = []

    async def work() -> None:
        tasks.append(asyncio.current_task())
        await asyncio.sleep(0)
        tasks.append(asyncio.current_task())

    end = begun(work())
    await end
    assert [None, end] == tasks


async def test_a_time_out_before_the_first_wait_is_an_error_of_the_work_alone() -> None:
    async def work() -> None:
        async with asyncio.timeout(0.0):
            await asyncio.sleep(60)

    with pytest.raises(RuntimeError, match="inside a task"):
        await begun(work())
    await asyncio.sleep(0.01)  # a time-out of the beginner's would come now


async def test_it_begins_where_no_task_runs() -> None:
    """In a callback of the loop, where frames come in."""
    loop, did = asyncio.get_running_loop(), []

    async def work() -> None:
        did.append("begun")
        await asyncio.sleep(0)
        did.append("over")

    ends: asyncio.Future[asyncio.Future[None]] = loop.create_future()
    loop.call_soon(lambda: ends.set_result(begun(work())))
    await (await ends)
    assert ["begun", "over"] == did
