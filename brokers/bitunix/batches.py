"""What the venue says became of each order of a list. Pure; never raises.

An answer has two lists, in no promised order: what was done, and what was not. An order is found in
them by either name; one that is in neither, or in both, is unclear.

Source: sheet section 5.
"""

from collections.abc import Callable, Iterator, Sequence
from typing import Final

from brokers.bitunix import rows
from brokers.bitunix.answers import UNREADABLE, Said, failure, refusal
from brokers.bitunix.codes import OK
from brokers.bitunix.rows import Batch, Failure, Placed, text_of
from brokers.link.account import Accepted, OrderRef, Outcome, Unclear

Item = Placed | Failure
Names = Callable[[Item], bool]
"""Whether an item is about a certain order."""
MISSING: Final = Unclear("an order of a list that was neither done nor refused")


def to_placements(answer: Said, client_ids: Sequence[str]) -> Sequence[Outcome]:
    """Read the answer to `batch_order`; as for one order, it is no proof."""
    return _each(answer, [_called(client_id) for client_id in client_ids])


def to_cancels(answer: Said, refs: Sequence[OrderRef]) -> Sequence[Outcome]:
    """Read the answer to `cancel_orders`."""
    return _each(answer, [_named(ref) for ref in refs])


def _called(client_id: str) -> Names:
    return lambda item: text_of(item.client_id) == client_id


def _named(ref: OrderRef) -> Names:
    def is_it(item: Item) -> bool:
        number = text_of(item.order_id)
        if number and ref.venue_order_id:
            return number == ref.venue_order_id
        return text_of(item.client_id) == ref.client_id

    return is_it


def _each(answer: Said, orders: Sequence[Names]) -> Sequence[Outcome]:
    if answer.code != OK:
        return [refusal(answer)] * len(orders)
    try:
        told = list(_items(rows.batches.all(answer.data)))
    except UNREADABLE:
        return [Unclear("the answer to a list that can't be read")] * len(orders)
    return [_outcome([item for item in told if is_it(item)]) for is_it in orders]


def _items(batches: Sequence[Batch]) -> Iterator[Item]:
    for batch in batches:
        yield from batch.done or ()
        yield from batch.failed or ()


def _outcome(told: Sequence[Item]) -> Outcome:
    match told:
        case [Placed() as done]:
            return Accepted(text_of(done.order_id) or text_of(done.id))
        case [Failure() as failed]:
            return failure(failed)
        case _:
            return MISSING
