"""Executions told once, before their order's end; and what happens when the venue finds none."""

from decimal import Decimal

from brokers.bitunix.deals import PATIENCE_S, Deals
from brokers.link.account import FillReport, OrderReport
from engine.model.account import Liquidity
from engine.model.orders import Side
from engine.model.venue_events import Standing

D = Decimal


def report(filled: str, standing: Standing = Standing.WORKING, at_ns: int = 50) -> OrderReport:
    return OrderReport("la-1", "11", "BTCUSDT", Side.BUY, standing, D(5), D(filled), D(100), at_ns)


def fill(name: str, qty: str, price: str = "100", at_ns: int = 10, fee: str = "0.1") -> FillReport:
    return FillReport(
        "la-1", "11", "BTCUSDT", name, Side.BUY, D(price), D(qty), D(fee), Liquidity.MAKER, at_ns
    )


def test_an_order_without_executions_passes() -> None:
    """At once, and leaves nothing behind."""
    deals = Deals()
    for told in (report("0"), report("0", Standing.CANCELED)):
        assert [told] == deals.pushed(told, None, D(0), 1.0)
    assert ([], None) == (deals.due(1.0), deals.next_s())


def test_the_end_comes_after_its_executions() -> None:
    """Whatever the question finds, and however often it is asked."""
    deals, done = Deals(), report("5", Standing.FILLED)
    assert [report("2")] == deals.pushed(report("2"), D(100), D("0.1"), 1.0)
    assert [report("2")] == deals.due(1.0)
    assert [] == deals.pushed(done, D(100), D("0.2"), 1.1)
    assert [] == deals.answered("11", None, 1.2)
    assert [fill("a", "2")] == deals.answered("11", [fill("a", "2")], 1.3)
    assert [] == deals.due(1.3), "a pause between two questions"
    both = [fill("a", "2"), fill("b", "3")]
    assert [fill("b", "3"), done] == deals.answered("11", both, 2.0)
    assert [] == deals.answered("11", both, 2.1)
    assert deals.next_s() is None


def test_what_comes_twice_or_late_is_told_once() -> None:
    """An older picture after a newer one, and the end again."""
    deals, done = Deals(), report("5", Standing.FILLED)
    deals.pushed(done, D(100), D(0), 1.0)
    assert [] == deals.pushed(report("2"), D(100), D(0), 1.1)
    assert [] == deals.pushed(done, D(100), D(0), 1.2)
    assert [fill("a", "5"), done] == deals.answered("11", [fill("a", "5")], 1.3)
    assert [] == deals.pushed(done, D(100), D(0), 1.4), "asked again, for a line that repeats"
    assert [done] == deals.answered("11", [fill("a", "5")], 1.5)


def test_pauses_grow() -> None:
    """To two seconds at most; a new execution is asked for at once."""
    deals, now_s = Deals(), 1.0
    deals.pushed(report("2"), None, D(0), now_s)
    pauses = []
    for _ in range(9):
        deals.answered("11", [], now_s)
        pauses.append(round(deals.next_s() - now_s, 3))
        now_s = deals.next_s()
    assert [0.1, 0.2, 0.4, 0.8, 1.6, 2.0, 2.0, 2.0, 2.0] == pauses
    deals.pushed(report("3"), None, D(0), now_s - 1.5)
    assert now_s - 1.5 == deals.next_s()


def test_what_is_never_found_is_told_as_one() -> None:
    """At the price and fee that make the sums right; then the end."""
    deals, done = Deals(), report("5", Standing.FILLED, at_ns=99)
    deals.pushed(done, D(103), D("0.5"), 1.0)
    assert [fill("a", "2")] == deals.answered("11", [fill("a", "2")], 1.1)
    late_s = 1.1 + PATIENCE_S
    stand_in, end = deals.answered("11", [fill("a", "2")], late_s)

    assert end == done
    assert ("11@5", D(3), D("0.4"), 99) == (
        stand_in.trade_id, stand_in.qty, stand_in.fee, stand_in.at_ns,
    )  # fmt: skip
    assert D(103) * 5 == stand_in.price * 3 + D(100) * 2


def test_what_a_stand_in_told_is_kept_back() -> None:
    """From pictures and from the line; other executions are not."""
    deals, done = Deals(), report("5", Standing.FILLED, at_ns=99)
    deals.pushed(done, D(102), D("0.5"), 1.0)
    deals.answered("11", [fill("a", "2")], 1.1)
    deals.answered("11", [fill("a", "2")], 1.1 + PATIENCE_S)
    found = [fill("a", "2"), fill("b", "1"), fill("c", "2"), fill("later", "2", at_ns=100)]
    other = fill("z", "1")._replace(venue_order_id="12")

    assert [found[0], found[3], other] == deals.known([*found, other])
    assert [found[0], found[3], other] == deals.known([*found, other]), "and again"
    deals.pushed(done, D(102), D("0.5"), 50.0)
    assert [found[3], done] == deals.answered("11", found, 50.0)


def test_without_an_average_nothing_is_made_up() -> None:
    """It is asked for as long as it takes."""
    deals = Deals()
    deals.pushed(report("5", Standing.FILLED), None, D(0), 1.0)
    assert [] == deals.answered("11", [], 1_000.0)
    assert deals.next_s() is not None
