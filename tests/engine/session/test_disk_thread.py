"""The thread that waits for the disk: in order, told once, and looked on for a moment only."""

import asyncio
import threading

import pytest

from engine.session.disk_thread import DiskThread

FOREVER_S = 30.0


def test_one_after_the_other_and_none_is_left_behind() -> None:
    """`close` waits for the last one; what comes later has a thread again."""
    disk, done = DiskThread("t"), list[int]()
    for n in range(100):
        assert disk.begin(lambda n=n: done.append(n)).ended_within(FOREVER_S)
    goes = threading.Event()
    disk.begin(lambda: (goes.wait(FOREVER_S), done.append(100)))
    with pytest.raises(AssertionError, match="one at a time"):
        disk.begin(int)
    goes.set()
    disk.close()
    assert [*range(101)] == done
    assert disk.begin(lambda: done.append(101)).ended_within(FOREVER_S)
    disk.close()

    assert 101 == done[-1]


def test_what_was_never_asked_has_no_thread() -> None:
    """Nothing starts before its first job, and closing waits for nobody, twice too."""
    disk = DiskThread("never-asked")
    disk.close()
    before = [thread.name for thread in threading.enumerate()]
    disk.begin(int)
    disk.close()
    disk.close()
    after = [thread.name for thread in threading.enumerate()]

    assert "never-asked" not in (*before, *after)


def test_what_lasts_is_looked_on_for_a_moment_only() -> None:
    """Then the loop goes on, and is woken at its end."""
    disk, goes = DiskThread("t"), threading.Event()
    job = disk.begin(lambda: goes.wait(FOREVER_S))
    assert not job.ended_within(0.001)
    assert not job.is_over

    async def meanwhile() -> int:
        waits, turns = asyncio.ensure_future(job.ended()), 0
        while not waits.done():
            turns += 1
            if turns == 20:
                goes.set()
            await asyncio.sleep(0.001)
        await waits
        return turns

    assert asyncio.run(meanwhile()) >= 20
    assert job.is_over
    assert job.ended_within(0.0)
    asyncio.run(job.ended())
    disk.close()


def test_an_error_belongs_to_who_waits() -> None:
    """The thread lives on."""
    disk = DiskThread("t")
    failing = disk.begin(lambda: 1 / 0)
    assert failing.ended_within(FOREVER_S)
    next_one = disk.begin(int)
    assert next_one.ended_within(FOREVER_S)
    with pytest.raises(ZeroDivisionError):
        failing.tell()
    next_one.tell()
    disk.close()


async def test_who_was_canceled_is_not_woken() -> None:
    """Its loop goes on; the job's end is no error in it."""
    disk, goes, told = DiskThread("t"), threading.Event(), list[object]()
    asyncio.get_running_loop().set_exception_handler(lambda _, what: told.append(what))
    job = disk.begin(lambda: goes.wait(FOREVER_S))
    waits = asyncio.ensure_future(job.ended())
    await asyncio.sleep(0)
    waits.cancel()
    with pytest.raises(asyncio.CancelledError):
        await waits
    goes.set()
    disk.close()  # so its waking stands before what is waited for next
    await asyncio.sleep(0)

    assert job.is_over
    assert [] == told


def test_a_loop_that_has_gone_needs_no_waking() -> None:
    """Who waited was canceled, its loop closed, and the disk answers later."""
    disk, goes, before = DiskThread("t"), threading.Event(), list[BaseException]()
    threading.excepthook, kept = lambda told: before.append(told.exc_value), threading.excepthook
    try:
        job = disk.begin(lambda: goes.wait(FOREVER_S))
        with pytest.raises(TimeoutError):
            asyncio.run(asyncio.wait_for(job.ended(), 0.01))
        goes.set()
        disk.close()
    finally:
        threading.excepthook = kept

    assert [] == before
