"""Streams, changes and doubts of a real kernel, against what was fed to it by hand."""

import decimal
from decimal import Decimal

from engine.model.market import Depth, FeedStatus, Funding, Quote
from engine.model.orders import Side
from engine.session.control.changes import MINUTES_MAX
from engine.session.control.doubts import Doubts
from engine.session.control.sidelines import Sidelines
from tests.engine.kernel.rig import MS, SECOND, Rig

D = Decimal
MINUTE = 60 * SECOND


def beside(rig: Rig) -> Sidelines:
    sidelines = Sidelines(rig.kernel, 50)
    rig.turn._observe = sidelines.follow
    return sidelines


def test_a_stream_counts_what_it_admits() -> None:
    """Each kind has its own age; what was refused has its flaw; the pace is of the last seconds."""
    rig = Rig()
    sidelines = beside(rig)
    (young,) = sidelines.streams.faces()
    rig.wait(3)
    rig.trade(Side.BUY, 10_001, 5)
    traded_ns = rig.now
    rig.turn.market(Depth(rig.now, "BTC", ((10_000, 5),), ((10_001, 5),), is_snapshot=True))
    rig.turn.market(Funding(rig.now, "BTC", D(1_000), D("0.0001"), rig.now + 1))
    rig.turn.market(Quote(rig.now, "BTC", 10_001, 5, 10_000, 5))
    rig.turn.market(Quote(rig.now, "BTC", 10_000, 5, 10_001, 5, rig.now - 40 * MS))
    (stream,) = sidelines.streams.faces()

    assert (1, None, None) == (young.messages, young.per_s, young.skew_ms)
    assert 1 + 12 + 4 == stream.messages
    assert 4.0 == stream.per_s
    assert (traded_ns,) * 4 == (
        stream.quote_ns, stream.trade_ns, stream.depth_ns, stream.funding_ns,
    )  # fmt: skip
    assert {"crossed": 1} == stream.refused
    assert 40.0 == stream.skew_ms


def test_the_pace_forgets() -> None:
    """A feed that fell silent has a pace of nothing."""
    rig = Rig()
    sidelines = beside(rig)
    rig.wait(6)
    rig.wait(6, quotes=False)

    assert 0.0 == sidelines.streams.faces()[0].per_s


def test_change_since_the_start_and_then_since_an_hour() -> None:
    """Of the mid then; None before there is one; trades of the same time beside it."""
    rig = Rig(priced=False)
    sidelines = beside(rig)
    rig.wait(1, quotes=False)
    assert sidelines.changes.of("BTC") is None
    rig.wait(2)
    first = sidelines.changes.of("BTC")
    rig.trade(Side.BUY, 10_001, 7)
    rig.quote(bid=10_050, ask=10_051)
    risen = sidelines.changes.of("BTC")

    assert first is not None
    assert (D(0), D(0)) == (first.pct, first.volume)
    assert risen is not None
    assert first.since_ns == risen.since_ns
    assert (D("0.007"), D("0.49998")) == (
        risen.volume,
        risen.pct.quantize(D("0.00001"), context=ROUND),
    )

    for minute in range(1, 2 * MINUTES_MAX):
        sidelines.changes.on_second(first.since_ns + minute * MINUTE)
    later = sidelines.changes.of("BTC")
    assert later is not None
    assert first.since_ns + MINUTES_MAX * MINUTE == later.since_ns
    assert (D(0), D(0)) == (later.pct, later.volume)
    assert MINUTES_MAX == len(sidelines.changes._past["BTC"])


ROUND = decimal.Context(prec=28)


def test_since_when_a_reason_holds() -> None:
    """From the event that opened it until the one that closed it; unknown of an older one."""
    rig = Rig(symbols=("BTC", "ETH"))
    sidelines = beside(rig)
    rig.turn.input(FeedStatus(rig.now, "feed", False, "lost"))
    lost_ns = rig.now
    rig.wait(2)
    late = Doubts(rig.kernel)
    reason = "FEED_DISCONNECTED:feed"

    assert (lost_ns, 0) == (sidelines.doubts.since_ns(reason), late.since_ns(reason))
    rig.turn.input(FeedStatus(rig.now, "feed", True))
    assert 0 == sidelines.doubts.since_ns(reason)


def test_an_event_nobody_wants_is_ignored() -> None:
    """A quote has no row."""
    Sidelines(Rig().kernel, 50).follow([Quote(1, "BTC", 1, 1, 2, 1)])
