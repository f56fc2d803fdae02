"""Orders said on coarser steps than a session counts in."""

import pytest

from engine.execution.fitting import Steps, coarser, fitted
from engine.model.market import RulesChanged
from tests.engine.factories import BUY, SELL, D, instrument, intent

OURS = instrument(tick_size=D("0.1"), lot_size=D("0.001"))

STEPS = [
    # what is listed: tick, lot     what orders are fitted to
    ("0.1",  "0.001",               None),
    ("1",    "0.001",               ("1", "0.001")),
    ("0.5",  "0.001",               ("0.5", "0.001")),
    ("0.1",  "0.01",                ("0.1", "0.01")),
    ("10",   "1",                   ("10", "1")),
    ("0.01", "0.0001",              None),
    ("0.25", "0.0015",              None),
    ("0.25", "0.01",                ("0.1", "0.01")),
]  # fmt: skip


@pytest.mark.parametrize(("tick", "lot", "expected"), STEPS)
def test_only_whole_numbers_of_our_own_steps_count(
    tick: str, lot: str, expected: tuple[str, str] | None
) -> None:
    """Of finer ones ours are whole numbers; with the others nothing can be said in both."""
    found = coarser(OURS, RulesChanged(0, OURS.symbol, "", True, D(tick), D(lot)))

    assert found == (None if expected is None else Steps(*map(D, expected)))


def test_what_is_not_listed_has_no_steps() -> None:
    assert None is coarser(OURS, RulesChanged(0, OURS.symbol, "it is gone", True))


ORDERS = [
    # side, qty,     price,    as it leaves
    (BUY,  "0.25",  "1000.3", ("0.2", "1000.0")),
    (SELL, "0.25",  "1000.3", ("0.2", "1000.5")),
    (BUY,  "0.2",   "1000.5", ("0.2", "1000.5")),
    (SELL, "0.3",   "1000.5", ("0.3", "1000.5")),
    (SELL, "0.25",  None,     ("0.2", None)),
]  # fmt: skip


@pytest.mark.parametrize(("side", "qty", "price", "expected"), ORDERS)
def test_an_order_becomes_smaller_and_never_dearer(
    side: object, qty: str, price: str | None, expected: tuple[str, str | None]
) -> None:
    """Written as the steps are; nothing else of it changes."""
    wish = intent(side=side, qty=D(qty), price=None if price is None else D(price))
    found = fitted(wish, Steps(D("0.5"), D("0.1")))

    size, at = expected
    assert (size, at) == (str(found.qty), None if at is None else str(found.price))
    assert (wish.intent_id, side, wish.slot) == (found.intent_id, found.side, found.slot)
