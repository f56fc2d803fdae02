"""Requests that a session makes about several orders of one instrument at once, sent as one.

Rule 1: nothing waits for company. What was asked for before the loop came round leaves together; an
        order that has none leaves as early as it would without all of this.
Rule 2: an order with a request under way is not taken along: what is asked of it comes after that.
"""

import asyncio
from collections.abc import Awaitable, Callable, Coroutine, Hashable, Sequence
from functools import partial
from typing import Generic, TypeVar

from brokers.link.account import Outcome, Refused
from brokers.link.errands import Errands
from brokers.link.known import KnownOrder

T = TypeVar("T")


class _Group(Generic[T]):
    """What leaves with the next turn of the loop."""

    __slots__ = ("items", "task")

    def __init__(self, first: T) -> None:
        self.items = [first]
        self.task: asyncio.Task[None] | None = None


class Together(Generic[T]):
    """Gathers requests of one kind."""

    def __init__(
        self,
        errands: Errands,
        most: int,
        send: Callable[[Sequence[T]], Coroutine[None, None, None]],
    ) -> None:
        """Begin with nothing gathered.

        Args:
            errands: Does what is to be done.
            most: Items that one request may carry.
            send: Sends some, and tells what became of each.

        """
        self._errands = errands
        self._most = most
        self._send = send
        self._open: dict[Hashable, _Group[T]] = {}

    @property
    def is_any(self) -> bool:
        """Whether something has not left that was asked for in this turn of the loop."""
        return bool(self._open)

    def add(self, key: Hashable, item: T, known: KnownOrder | None) -> None:
        """Send an item with what else has this key.

        Args:
            key: What may share a request.
            item: What is asked for.
            known: The order it is about, if it is one of this process.

        """
        group = self._open.get(key)
        if known is not None and known.is_busy:
            self._errands.run(partial(self._send, [item]), known)
        elif group is None or len(group.items) >= self._most:
            group = self._open[key] = _Group(item)
            group.task = self._errands.run(partial(self._leave, key, group), known)
        else:
            group.items.append(item)
            if known is not None:
                known.request = group.task

    async def _leave(self, key: Hashable, group: _Group[T]) -> None:
        if self._open.get(key) is group:
            del self._open[key]
        await self._send(group.items)


async def sayable(
    items: Sequence[T],
    lacks: Callable[[T], Refused | None],
    send: Callable[[Sequence[T]], Awaitable[Sequence[Outcome]]],
) -> Sequence[Outcome]:
    """Send what a venue has words for, refuse the rest; outcomes in the order of the items.

    Args:
        items: What is asked for.
        lacks: Why an item can't be said there; None where it can.
        send: Sends some, and returns what became of each.

    """
    refused = [lacks(item) for item in items]
    said = [item for item, refusal in zip(items, refused, strict=True) if refusal is None]
    told = iter(await send(said) if said else ())
    return [next(told) if refusal is None else refusal for refusal in refused]
