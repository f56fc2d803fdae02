"""Requests that a session makes about several orders of one instrument at once, sent as one.

Rule 1: nothing waits for company. What one turn of the session asks for leaves together at its end;
        an order that has none leaves as early as it would without all of this.
Rule 2: an order with a request under way is not taken along: what is asked of it comes after that.
"""

from collections.abc import Awaitable, Callable, Coroutine, Hashable, Sequence
from functools import partial
from typing import Generic, TypeVar

from brokers.link.account import Outcome, Refused
from brokers.link.errands import Errands
from brokers.link.known import KnownOrder

T = TypeVar("T")


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
        self._gathered: dict[Hashable, list[tuple[T, KnownOrder | None]]] = {}

    def add(self, key: Hashable, item: T, known: KnownOrder | None) -> None:
        """Let an item leave with what else has this key.

        Args:
            key: What may share a request.
            item: What is asked for.
            known: The order it is about, if it is one of this process.

        """
        if known is not None and known.is_busy:
            self._errands.run(partial(self._send, [item]), known)
            return
        if known is not None:
            known.is_gathered = True
        self._gathered.setdefault(key, []).append((item, known))

    def leave(self) -> None:
        """Send everything that has been gathered."""
        if not self._gathered:
            return
        gathered, self._gathered = self._gathered, {}
        for group in gathered.values():
            for first in range(0, len(group), self._most):
                self._leave(group[first : first + self._most])

    def _leave(self, group: list[tuple[T, KnownOrder | None]]) -> None:
        request = self._errands.run(partial(self._send, [item for item, _ in group]))
        for _, known in group:
            if known is not None:
                known.is_gathered, known.request = False, request


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
