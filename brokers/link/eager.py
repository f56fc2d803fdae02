"""Work that begins at once: up to where it first has to wait it is done in the caller's turn.

A task of asyncio's begins when the loop comes round, which for an order is behind everything else
that is ready. Python 3.12 has eager tasks; 3.11 has not.

Rule: until it has waited once, work runs in no task. A time-out or a task group entered before
      that raises, rather than cancel whoever began the work.
"""

import asyncio
from collections.abc import Coroutine, Generator
from typing import Any


def begun(work: Coroutine[Any, Any, None]) -> "asyncio.Future[None]":
    """Do what can be done of it now; the rest is a task, whose end the result tells."""
    loop = asyncio.get_running_loop()
    beginner = asyncio.current_task(loop)
    if beginner is not None:
        asyncio.tasks._leave_task(loop, beginner)
    try:
        awaited = work.send(None)
    except StopIteration:
        return _ended(loop, None)
    except (Exception, asyncio.CancelledError) as error:  # noqa: BLE001 - told to who asks for it
        return _ended(loop, error)
    finally:
        if beginner is not None:
            asyncio.tasks._enter_task(loop, beginner)
    return loop.create_task(_Rest(work, awaited))


def _ended(loop: asyncio.AbstractEventLoop, error: BaseException | None) -> "asyncio.Future[None]":
    over: asyncio.Future[None] = loop.create_future()
    if error is None:
        over.set_result(None)
    elif isinstance(error, asyncio.CancelledError):
        over.cancel()
    else:
        over.set_exception(error)
    return over


class _Rest(Coroutine[Any, Any, None]):
    """What has begun and waits for something, as the task sees it that goes on with it.

    No generator: from Python 3.12 on no task takes one.
    """

    __slots__ = ("_awaited", "_is_told", "_work")

    def __init__(self, work: Coroutine[Any, Any, None], awaited: object) -> None:
        self._work = work
        self._awaited = awaited
        """What it waits for first."""
        self._is_told = False
        """Whether the task knows of that."""

    def send(self, value: object) -> object:
        if self._is_told:
            return self._work.send(value)
        self._is_told = True
        return self._awaited

    def throw(self, *error: Any) -> object:  # noqa: ANN401 - as old callers say it
        if not self._is_told and asyncio.isfuture(self._awaited):
            self._awaited.cancel()
        self._is_told = True
        return self._work.throw(*error)

    def close(self) -> None:
        self._work.close()

    def __await__(self) -> Generator[Any, Any, None]:
        return self._work.__await__()
