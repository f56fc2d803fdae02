"""Line mode: a session as somebody hears it."""

from decimal import Decimal
from itertools import pairwise

import pytest
from msgspec.structs import replace

from engine.model.account import OtherFee
from engine.model.orders import OrderState, OrderType
from engine.session.control.views import View
from tests.tui import fixtures
from tests.tui.fixtures import BTC, SECOND, SOL
from tui.plain import LINE_MAX, lines

D = Decimal


def later(view: View, seconds: float, **changes: object) -> View:
    """Return the session some seconds on, with every market fresh unless it is named."""
    now_ns = view.session.ts_ns + round(seconds * SECOND)
    fresh = tuple(replace(market, priced_ns=now_ns) for market in view.markets)
    fields: dict = {"session": replace(view.session, ts_ns=now_ns), "markets": fresh}
    return replace(view, number=view.number + 1, **(fields | changes))


def story() -> list[View]:
    """A session from its first prices to its end, view by view."""
    begun = fixtures.empty()
    ready = replace(
        fixtures.view(fills=(), round_trips=(), log=(), positions=(), orders=(), agents=()),
        session=fixtures.session("ACTIVE", fills=0, is_simulated=True),
        lifecycle=fixtures.lifecycle(reasons=(), suspended=()),
        breakers=(fixtures.breaker(),),
        markets=(fixtures.market(),),
    )
    order = fixtures.order(state=OrderState.SUBMITTED)
    sent = later(ready, 0.5, orders=(order,), agents=(fixtures.agent(),))
    half = later(
        sent, 1,
        orders=(replace(order, state=OrderState.PARTIALLY_FILLED, filled_qty=D("0.005")),),
        fills=(fixtures.fill(symbol=BTC, side=fixtures.BUY, price=D("67412.3"), qty=D("0.005"),
                             order_id="maker-1"),),
        positions=(fixtures.position(qty=D("0.005"), entry_price=D("67412.3")),),
        log=(fixtures.line(),),
    )  # fmt: skip
    half = replace(half, session=replace(half.session, fills=1))
    lost = later(half, 2.5, orders=(replace(order, state=OrderState.UNKNOWN),))
    lost = replace(
        lost, markets=half.markets,
        session=replace(lost.session, state="DEGRADED"),
        lifecycle=fixtures.lifecycle("DEGRADED", reasons=("FEED_STALE:BTCUSDT",)),
        log=(*half.log, fixtures.line("feed_stale", f"old {'x' * 400} EVIDENCE_REF=evidence/1",
                                      severity="warning")),
    )  # fmt: skip
    ended = later(
        lost, 60, orders=(), positions=(replace(half.positions[0], qty=D(0), entry_price=None),),
        round_trips=(fixtures.round_trip(symbol=BTC),),
        breakers=(fixtures.breaker(headroom=D(0), is_tripped=True),),
        agents=(fixtures.agent(quarantine="stalled"),),
    )  # fmt: skip
    ended = replace(
        ended,
        session=replace(ended.session, state="EMERGENCY", fills=2),
        lifecycle=fixtures.lifecycle("EMERGENCY", reasons=("MAX_LOSS:session",), needs_reset=True),
        health=fixtures.health(journal_failure="No space left on device"),
    )
    return [begun, ready, sent, half, lost, ended]


GOLDEN = f"""\
state INIT
data BTCUSDT not seen yet
equity 10,000.00, PnL 0.00 (0.00%), at 12:02:19Z, no limit
--
state ACTIVE, SIMULATED
data BTCUSDT current
limit max_loss_pct clear
--
agent maker ON, weight 1
order B BTCUSDT 0.020 at 67,412.3 SUBMITTED, maker-1
--
order B BTCUSDT 0.015 of 0.020 at 67,412.3 PARTIALLY_FILLED, maker-1
fill B BTCUSDT 0.005 at 67,412.3 maker, fee -0.0228, maker-1
position BTCUSDT +0.005 from 67,412.3
--
state DEGRADED, SIMULATED
reason FEED_STALE:BTCUSDT open
data BTCUSDT stale
order B BTCUSDT 0.020 at 67,412.3 UNKNOWN, nobody knows whether the venue has it, maker-1
warning feed_stale old {"x" * 211}~ EVIDENCE_REF=evidence/1
--
state EMERGENCY, SIMULATED, flat, waits for laptop-agents reset
reason FEED_STALE:BTCUSDT cleared
reason MAX_LOSS:session open
journal No space left on device
data BTCUSDT current
agent maker FAULT, weight 1: stalled
limit max_loss_pct OVER, halt
order B BTCUSDT 0.020 at 67,412.3 no longer open, maker-1
fill B BTCUSDT 0.005 at 67,412.3 maker, fee -0.0228, maker-1
round trip B BTCUSDT net +0.24 in 4m, maker
position BTCUSDT flat
equity 10,012.34, PnL +12.34 (+0.12%), at 12:03:23Z, T-07:41"""


def test_transcript() -> None:
    """A whole session, as it is read out."""
    views = story()
    said = ["\n".join(lines(None, views[0]))]
    said += ["\n".join(lines(old, new)) for old, new in pairwise(views)]

    assert GOLDEN == "\n--\n".join(said)


@pytest.mark.parametrize("view", story())
def test_nothing_new_is_silent(view: View) -> None:
    """The same view again says nothing."""
    assert [] == lines(view, view)


def test_a_late_listener_hears_what_stands() -> None:
    """Orders, positions, agents and what is tripped, but nothing of the past."""
    said = lines(None, fixtures.view())

    assert [] == [line for line in said if line.startswith(("fill", "round", "warning"))]
    assert "limit max_errors_per_minute OVER, pause" in said
    assert "position SOLUSDT -1.50 from 150.76" in said
    assert not any("ETHUSDT flat" in line or "clear" in line for line in said)
    assert "data SOLUSDT stale, suspended" in said


def test_more_fills_than_a_view_holds() -> None:
    """What can't be told one by one is counted."""
    before = fixtures.view(session=fixtures.session(fills=30), fills=())
    said = lines(before, fixtures.view())

    assert "fills 4 more, too many for a view" == said[0]
    assert 3 == sum(line.startswith("fill ") for line in said)
    assert "fill B ETHUSDT 0.10 at 3,505.20 maker, fee +0.0042, late, grid-7" in said


def test_a_fee_from_another_wallet_is_told_so() -> None:
    """With its worth in quote currency."""
    before, after = fixtures.view(session=fixtures.session(fills=30)), fixtures.view()
    paid = OtherFee("BNB", Decimal("0.001"), Decimal("0.65"))
    last = replace(after.fills[-1], fee=paid.worth, other_fee=paid)
    said = lines(before, replace(after, fills=(*after.fills[:-1], last)))
    assert any(line.startswith("fill ") and ", fee -0.65 in BNB" in line for line in said), said


def test_tails_that_moved_past_are_told_whole() -> None:
    """A reader that stalled hears every line the session still has."""
    before = fixtures.view(log=(fixtures.line("old", "long gone"),))
    after = fixtures.view(log=tuple(fixtures.line("alert", str(i)) for i in range(3)))

    assert ["info alert 0", "info alert 1", "info alert 2"] == lines(before, after)


def test_orders_of_every_kind() -> None:
    """No price is a market order; no market is no reason to be silent."""
    market = fixtures.order(7, type=OrderType.MARKET, price=None)
    stop = fixtures.order(8, price=None, trigger_price=D("66000"), symbol="LOST")
    said = lines(fixtures.view(orders=()), fixtures.view(orders=(market, stop)))

    assert [
        "order B BTCUSDT 0.020 at market ACCEPTED, maker-7",
        "order B LOST 0.02000000 at 66,000.00000000 ACCEPTED, maker-8",
    ] == said


def test_an_amend_is_one_line() -> None:
    """A quoter amends several times a second: what is asked is not told, what came of it is."""
    order = fixtures.order()
    asked = replace(order, state=OrderState.PENDING_UPDATE)
    done = replace(order, price=D("67413.0"))
    working, amending, moved = (fixtures.view(orders=(o,)) for o in (order, asked, done))

    assert [] == lines(working, amending)
    assert ["order B BTCUSDT 0.020 at 67,413.0 ACCEPTED, maker-1"] == lines(amending, moved)
    assert ["order B BTCUSDT 0.020 at 67,412.3 PENDING_UPDATE, maker-1"] == lines(
        fixtures.view(orders=()), amending
    )


def test_equity_once_a_minute() -> None:
    """Otherwise nothing but figures would be heard."""
    view = fixtures.view()
    still = later(view, 1, markets=view.markets)

    assert not any(line.startswith("equity") for line in lines(view, still))
    assert any(line.startswith("equity") for line in lines(view, later(view, 60)))


def test_what_ends_is_told() -> None:
    """Cleared, resumed, re-armed, sound again."""
    bad = fixtures.view(health=fixtures.health(journal_failure="full"))
    tripped = bad.breakers[-1]
    calm = replace(tripped, is_tripped=False, headroom=D(1))
    fresh = replace(bad.markets[2], is_suspended=False, priced_ns=bad.session.ts_ns)
    good = replace(
        bad, breakers=(*bad.breakers[:-1], calm), health=fixtures.health(),
        lifecycle=fixtures.lifecycle(reasons=()), markets=(*bad.markets[:2], fresh),
    )  # fmt: skip

    assert [
        f"reason FEED_STALE:{SOL} cleared",
        "journal sound",
        f"data {SOL} current",
        "limit max_errors_per_minute clear",
    ] == lines(bad, good)


def test_hostile_text_is_one_short_line() -> None:
    """Nothing outside can forge a second line or reach the terminal."""
    bad = fixtures.HOSTILE
    view = fixtures.view(
        orders=(fixtures.order(symbol=bad, order_id=bad),),
        agents=(fixtures.agent(bad, quarantine=bad),),
        log=(fixtures.line(bad, bad),),
        lifecycle=fixtures.lifecycle(reasons=(bad,)),
    )
    said = lines(fixtures.empty(), view)

    assert all(line.isprintable() and len(line) <= LINE_MAX for line in said)
    assert any("[@click" in line for line in said)
