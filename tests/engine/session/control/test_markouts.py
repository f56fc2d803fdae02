"""What the market did after a fill, against quotes by hand."""

from decimal import Decimal

from engine.model.orders import Side
from engine.session.control.chronicle import Chronicle
from tests.engine.kernel.rig import SECOND, Rig, Scripted, limit, market

D = Decimal
BUY, SELL = Side.BUY, Side.SELL


def told(rig: Rig) -> Chronicle:
    chronicle = Chronicle(rig.kernel)
    rig.turn._observe = chronicle.follow
    return chronicle


def marks(chronicle: Chronicle) -> list[tuple[Decimal | None, ...]]:
    return [track.markout_bps for track in chronicle.sidelines.markouts.faces()]


def test_each_horizon_in_its_time() -> None:
    """A buyer gains by a rise and a seller loses by it; what is to come is unknown."""
    rig = Rig(Scripted("a"), symbols=("BTC", "ETH"))
    chronicle = told(rig)
    rig.ask("a", market(BUY, "1"), "BTC")
    rig.ask("a", market(SELL, "1"), "ETH")
    assert [(None, None, None)] * 2 == marks(chronicle)
    for symbol in rig.symbols:
        rig.quote(symbol, bid=10_010, ask=10_011)
    rig.wait(1.5)
    assert [(D("9.499"), None, None), (D("-10.5"), None, None)] == marks(chronicle)
    for symbol in rig.symbols:
        rig.quote(symbol, bid=9_990, ask=9_991)
    rig.wait(30)

    assert [
        (D("9.499"), D("-10.499"), D("-10.499")), (D("-10.5"), D("9.5"), D("9.5")),
    ] == marks(chronicle)  # fmt: skip
    assert not chronicle.sidelines.markouts._open


def test_an_old_mid_marks_nothing() -> None:
    """Silence is not a price."""
    rig = Rig(Scripted("a"))
    chronicle = told(rig)
    rig.ask("a", market(BUY, "1"))
    rig.wait(1.5)
    rig.wait(5, quotes=False)

    ((first, second, third),) = marks(chronicle)
    assert first is not None
    assert (None, None) == (second, third)


def test_a_fill_sent_again_is_counted_once_more() -> None:
    """The books have it once; the screen says how often it came."""
    rig = Rig(Scripted("a"), by_hand=True)
    chronicle = told(rig)
    rig.ask("a", limit(BUY, "1", "1000.0"))
    rig.accept("a-1")
    for _ in range(3):
        rig.fill("a-1", "0.5", trade_id="t1")
    rig.fill("a-1", "0.5", trade_id="t2")

    assert [("t1", 2), ("t2", 0)] == [
        (track.trade_id, track.copies) for track in chronicle.sidelines.markouts.faces()
    ]
    assert D(1) == rig.net()


def test_bounded() -> None:
    """As many as there are fills in a view, also of those that wait."""
    rig = Rig(Scripted("a"))
    chronicle = told(rig)
    for _ in range(60):
        rig.ask("a", market(BUY, "0.01"))

    assert len(chronicle.fills) == len(chronicle.sidelines.markouts.faces()) == 50
    assert [f.trade_id for f in chronicle.fills] == [
        t.trade_id for t in chronicle.sidelines.markouts.faces()
    ]
    assert 50 == len(chronicle.sidelines.markouts._open)
    rig.now += 40 * SECOND
    rig.wait(1)
    assert not chronicle.sidelines.markouts._open
