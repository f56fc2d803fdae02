"""Work that begins at once: up to where it first has to wait it is done in the caller's turn.

A task of asyncio's begins when the loop comes round, which for an order is behind everything else
that is ready. Python 3.12 has eager tasks; 3.11 has not.

Rule: until it has waited once, work runs in no task. A time-out or a task group entered before
      that raises, rather than cancel whoever began the work.
"""

import asyncio
import types
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
    except Exception as error:  # noqa: BLE001 - told to who asks for the result
        return _ended(loop, error)
    finally:
        if beginner is not None:
            asyncio.tasks._enter_task(loop, beginner)
    return loop.create_task(_rest(work, awaited))


def _ended(loop: asyncio.AbstractEventLoop, error: Exception | None) -> "asyncio.Future[None]":
    over: asyncio.Future[None] = loop.create_future()
    if error is None:
        over.set_result(None)
    else:
        over.set_exception(error)
    return over


@types.coroutine
def _rest(work: Coroutine[Any, Any, None], awaited: object) -> Generator[Any, Any, None]:
    """Go on with what has begun and waits for something."""
    try:
        while True:
            try:
                yield awaited
            except BaseException as error:  # noqa: BLE001 - it belongs to the work
                awaited = work.throw(error)
            else:
                awaited = work.send(None)
    except StopIteration:
        return
