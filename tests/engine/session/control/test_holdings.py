"""Orders and positions of a real kernel on a real paper venue, as a view shows them."""

from decimal import Decimal

from engine.model.events import Timer
from engine.model.market import Funding
from engine.model.money import ROUNDED
from engine.model.orders import Side
from engine.session.control.days import DAY_NS, Days
from engine.session.control.deeds import Deeds
from engine.session.control.holdings import exposure_face, order_face, position_face
from engine.session.control.views import PositionFace
from tests.engine.kernel.rig import START, Rig, Scripted, limit, market

BUY, SELL = Side.BUY, Side.SELL
D = Decimal


def face(rig: Rig, today: D | None = None) -> PositionFace:
    return position_face(rig.kernel, "BTC", rig.broker.margin, today)


def test_flat() -> None:
    """Nothing is at stake, so nothing is claimed."""
    flat = face(Rig())

    assert (D(0), None, None, None, None, ()) == (
        flat.notional, flat.margin, flat.liquidation_price, flat.liquidation_pct,
        flat.funding_next, flat.trips,
    )  # fmt: skip
    assert face(Rig(priced=False)).notional is None


def test_a_long_and_what_endangers_it() -> None:
    """Notional, margin and liquidation at the mid; the trip is called by its first order."""
    rig = Rig(Scripted("a"), paper={"leverage": D(10), "maker_model": "touch"})
    rig.ask("a", market(BUY, "20"))
    rig.quote(bid=9_950, ask=9_951)
    rig.quote(bid=10_040, ask=10_041)
    rig.quote(bid=10_020, ask=10_021)
    shown = face(rig, D("1.5"))
    (trip,) = shown.trips

    assert (20 * D("1002.05"), 2 * D("1002.05")) == (shown.notional, shown.margin)
    assert shown.liquidation_price is not None
    assert 0 < shown.liquidation_price < D("1002.05")
    away = ROUNDED.divide((D("1002.05") - shown.liquidation_price) * 100, D("1002.05"))
    assert away == shown.liquidation_pct
    assert ("a-1", "a", D("1.5")) == (trip.trip_id, trip.agent, shown.realised_today)
    assert (20 * (D("995.05") - D("1000.1")), 20 * (D("1004.05") - D("1000.1"))) == (
        trip.mae, trip.mfe,
    )  # fmt: skip


def test_the_closed_trip_has_the_same_id_and_extremes() -> None:
    """What was told while it was open is what the record says in the end."""
    rig = Rig(Scripted("a"))
    rig.ask("a", market(BUY, "2"))
    rig.quote(bid=9_950, ask=9_951)
    rig.quote(bid=10_040, ask=10_041)
    (before,) = face(rig).trips
    rig.ask("a", market(SELL, "2"))
    (trip,) = rig.lines("round_trip")

    assert before.trip_id == trip["order_ids"][0]
    assert (before.mae, before.mfe) == (D(trip["mae"]), D(trip["mfe"]))
    assert () == face(rig).trips


def test_funding_to_come() -> None:
    """A long pays a positive rate, a short receives it, and flat owes nothing."""
    for side, expected in ((BUY, "-0.2"), (SELL, "0.2")):
        rig = Rig(Scripted("a"))
        rig.ask("a", market(side, "2"))
        assert face(rig).funding_next is None
        rig.turn.market(Funding(rig.now, "BTC", D(1_000), D("0.0001"), rig.now + 1))
        assert D(expected) == face(rig).funding_next


def test_an_order_with_its_place_in_line() -> None:
    """Behind what was displayed, by the route that placed it."""
    rig = Rig(Scripted("a"))
    deeds = Deeds()
    rig.turn._observe = deeds.follow
    rig.ask("a", limit(BUY, "0.5", "1000.0"))
    (order,) = rig.kernel.blotter.live.values()
    shown = order_face(order, deeds, rig.broker.queue_ahead)

    assert (D("100.000"), "PLACE NO_EXISTING_ORDER") == (shown.queue_ahead, shown.route)
    assert all(
        getattr(order, name) == getattr(shown, name)
        for name in shown.__struct_fields__
        if name not in ("queue_ahead", "route")
    )


def test_exposure() -> None:
    """Two against each other: gross adds up, net does not."""
    rig = Rig(Scripted("a"), symbols=("BTC", "ETH"))
    rig.ask("a", market(BUY, "2"), "BTC")
    rig.ask("a", market(SELL, "1"), "ETH")
    shown = exposure_face(rig.kernel.portfolio)
    equity = rig.kernel.portfolio.equity

    assert (D("3000.15"), D("1000.05")) == (shown.gross, shown.net)
    assert ROUNDED.divide(D("3000.15"), equity) == shown.leverage


def test_today_begins_at_midnight() -> None:
    """Since the start on the first day, since midnight later; unknown of a day nobody saw begin."""
    rig = Rig(Scripted("a"))
    days = Days(rig.kernel)
    rig.ask("a", market(BUY, "1"))
    rig.quote(bid=10_050, ask=10_051)
    rig.ask("a", market(SELL, "1"))
    made = rig.kernel.portfolio.holdings["BTC"].realised
    first = days.realised("BTC", began_ns=START)
    resumed = days.realised("BTC", began_ns=START - DAY_NS)
    days.on_second(rig.now)
    rig.turn.input(Timer((rig.now // DAY_NS + 1) * DAY_NS))
    days.on_second(rig.kernel.now_ns)

    assert made > 0
    assert (made, None) == (first, resumed)
    assert D(0) == days.realised("BTC", began_ns=START)
    assert D(0) == days.realised("BTC", began_ns=START - DAY_NS)
