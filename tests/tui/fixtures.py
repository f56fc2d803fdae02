"""One session as a screen may meet it, at a fixed instant; every argument has a telling default.

Three symbols (the third with old data), four orders of which one UNKNOWN, two positions, four
agents of which one paused and one quarantined. The identity
`equity = start + realised - fees + funding + unrealised` holds.
"""

from decimal import Decimal
from math import sin

from engine.model.account import Fill, Liquidity, RoundTrip
from engine.model.orders import OrderState, OrderType, Side, TimeInForce
from engine.model.prospect import After, Costs, LimitReading, Prospect, QuoteSeen, Verdict
from engine.model.records import FsmTransition
from engine.reports.latency import Quantiles
from engine.reports.view import PositionView, SessionView
from engine.session.control.faces import (
    DeedFace,
    FillTrack,
    OpenTripFace,
    StreamFace,
    SyncFace,
)
from engine.session.control.views import (
    AgentFace,
    BarFace,
    BarTail,
    BreakerFace,
    CausesFace,
    ExposureFace,
    HealthFace,
    LifecycleFace,
    LogLine,
    MarketFace,
    OrderFace,
    PositionFace,
    Print,
    RouteCount,
    RouterFace,
    View,
    Worth,
)
from engine.session.health import HealthReading

D = Decimal
BUY, SELL = Side.BUY, Side.SELL
BTC, ETH, SOL = "BTCUSDT", "ETHUSDT", "SOLUSDT"
MS, SECOND, MINUTE = 1_000_000, 1_000_000_000, 60_000_000_000
NOW_NS = 1_795_176_139_500 * MS
"""2026-11-20T12:02:19.500Z."""
HOSTILE = "[@click=app.quit]x[/] \x1b]0;owned\x07\x1b[31m\u202eevil\n" + "A" * 10_000
"""Markup, escapes, a bidi override, a newline, and far too much of it."""


def market(symbol: str = BTC, **changes: object) -> MarketFace:
    """One synced market at 67,412.3 / 67,412.9, priced 100 ms ago."""
    fields: dict = {
        "symbol": symbol, "tick_size": D("0.1"), "lot_size": D("0.001"),
        "bid": D("67412.3"), "ask": D("67412.9"), "bid_qty": D("0.910"), "ask_qty": D("2.110"),
        "mark_price": D("67412.5"), "funding_rate": D("0.0001"),
        "next_funding_ns": NOW_NS + 178 * MINUTE, "priced_ns": NOW_NS - 100 * MS,
        "is_suspended": False, "is_book_synced": True,
        "bids": tuple((D("67412.3") - D("0.5") * i, D("0.910") + i) for i in range(20)),
        "asks": tuple((D("67412.9") + D("0.5") * i, D("2.110") + i) for i in range(20)),
        "features": {"sigma(60,1)": 0.8, "ofi(20,1)": 0.4, "vpin(50,1)": None},
        "bars": bars(), "prints": prints(), "prints_seen": 1_234,
        "change_pct": D("0.42"), "change_since_ns": NOW_NS - 480 * SECOND, "volume": D("1234.5"),
    }  # fmt: skip
    return MarketFace(**(fields | changes))


def walked(interval_s: int, count: int) -> BarTail:
    """A tail that ends now, around 67,412: up and down in a slow wave with a little noise."""
    now_s = NOW_NS // SECOND
    closes = [
        674_121 + round(600 * sin(i / 17)) + (i * 7_919) % 41 - 20 for i in range(1 - count, 1)
    ]
    made = [
        BarFace(before, max(before, close) + 9, min(before, close) - 7, close, 90 + i % 50 * 9,
                40 + i % 50 * 5, 3 + i % 4)
        for i, (before, close) in enumerate(zip([closes[0], *closes], closes, strict=False))
    ]  # fmt: skip
    return BarTail(
        interval_s, now_s // interval_s * interval_s - (count - 1) * interval_s, tuple(made)
    )


def bars() -> tuple[BarTail, ...]:
    """Bars of all four lengths, eighty of each, the last one quarter hours few."""
    return tuple(walked(interval_s, n) for interval_s, n in ((1, 80), (5, 80), (60, 80), (900, 12)))


def prints() -> tuple[Print, ...]:
    """Ten prints in the last three seconds, of which three are one sweep."""
    return tuple(
        Print(NOW_NS - (3_000 - 300 * min(i, 7)) * MS, 674_123 + i % 7, 20 + i * 13, i % 3 > 0 or i > 6)
        for i in range(10)
    )  # fmt: skip


def markets() -> tuple[MarketFace, ...]:
    """Three markets: one fresh, one with only a touch, one suspended with data 2.4 s old."""
    return (
        market(),
        market(
            ETH, tick_size=D("0.01"), lot_size=D("0.01"), bid=D("3508.11"), ask=D("3508.40"),
            bid_qty=D("12.50"), ask_qty=D("9.30"), mark_price=D("3508.20"), is_book_synced=False,
            bids=(), asks=(), priced_ns=NOW_NS - 300 * MS, features={}, bars=(), prints=(),
            prints_seen=0, change_pct=D("-0.11"), volume=D("8800"),
        ),
        market(
            SOL, tick_size=D("0.01"), lot_size=D("0.01"), bid=D("151.22"), ask=D("151.25"),
            bid_qty=D("410.00"), ask_qty=D("377.50"), mark_price=D("151.24"), is_suspended=True,
            funding_rate=D("-0.00004"), priced_ns=NOW_NS - 2_400 * MS,
            bids=((D("151.22"), D("410.00")),), asks=((D("151.25"), D("377.50")),), features={},
            bars=(BarTail(1, NOW_NS // SECOND, (BarFace(15_123, 15_123, 15_123, 15_123, 0, 0, 0),)),),
            prints=(), prints_seen=0, change_pct=D("0"), volume=D("44000"),
        ),
    )  # fmt: skip


def order(number: int = 1, **changes: object) -> OrderFace:
    """A passive buy of BTC by `maker` at the touch, 12 s old."""
    fields: dict = {
        "order_id": f"maker-{number}", "venue_order_id": f"V{number:06}", "agent": "maker",
        "symbol": BTC, "slot": "bid", "side": BUY, "type": OrderType.LIMIT,
        "state": OrderState.ACCEPTED, "price": D("67412.3"), "trigger_price": None,
        "trail_bps": None, "qty": D("0.020"), "filled_qty": D("0"), "tif": TimeInForce.GTC,
        "post_only": True, "reduce_only": False, "created_ns": NOW_NS - 12 * SECOND,
        "changed_ns": NOW_NS - 11 * SECOND, "queue_ahead": D("0.380"),
        "route": "NOOP WITHIN_TOLERANCE",
    }  # fmt: skip
    return OrderFace(**(fields | changes))


def orders() -> tuple[OrderFace, ...]:
    """One working on each side, one half filled, one whose fate nobody knows."""
    return (
        order(),
        order(2, side=SELL, slot="ask", price=D("67413.4")),
        order(
            3, symbol=SOL, side=SELL, slot="ask", price=D("151.90"), qty=D("1.50"),
            filled_qty=D("0.75"), state=OrderState.PARTIALLY_FILLED,
            created_ns=NOW_NS - 41 * SECOND,
        ),
        order(
            4, symbol=ETH, price=D("3505.20"), qty=D("0.30"), state=OrderState.UNKNOWN,
            venue_order_id="", created_ns=NOW_NS - 3 * SECOND, changed_ns=NOW_NS - 2 * SECOND,
            queue_ahead=None, route="PLACE NO_EXISTING_ORDER",
        ),
    )  # fmt: skip


def position(symbol: str = BTC, **changes: object) -> PositionFace:
    """Long 0.020 BTC from between two ticks, a little ahead."""
    fields: dict = {
        "symbol": symbol, "qty": D("0.020"), "entry_price": D("67253.1333333333333333333333"),
        "mark": D("67412.6"), "unrealised": D("3.19"), "realised": D("10.59"),
        "fees": D("0.98"), "funding": D("0.08"), "shares": {"maker": D("0.020")},
        "notional": D("1348.252"), "realised_today": D("10.59"), "margin": D("134.83"),
        "liquidation_price": D("54210.1"), "liquidation_pct": D("19.584"),
        "funding_next": D("-0.13"), "trips": (trip(),),
    }  # fmt: skip
    return PositionFace(**(fields | changes))


def trip(trip_id: str = "maker-17", **changes: object) -> OpenTripFace:
    """A round trip of four minutes that was down a little before it won."""
    fields: dict = {
        "trip_id": trip_id, "agent": "maker", "opened_ns": NOW_NS - 240 * SECOND,
        "mae": D("-0.42"), "mfe": D("3.60"),
    }  # fmt: skip
    return OpenTripFace(**(fields | changes))


def positions() -> tuple[PositionFace, ...]:
    """One long, one flat, one short at a loss."""
    return (
        position(),
        position(
            ETH, qty=D("0"), entry_price=None, mark=D("3508.255"), unrealised=D("0"),
            realised=D("0.22"), fees=D("0.0042"), funding=D("0"), shares={}, notional=D("0"),
            realised_today=D("0.22"), margin=None, liquidation_price=None, liquidation_pct=None,
            funding_next=None, trips=(),
        ),
        position(
            SOL, qty=D("-1.50"), entry_price=D("150.76"), mark=D("151.235"),
            unrealised=D("-0.72"), realised=D("0"), fees=D("0.0358"), funding=D("0"),
            shares={"maker": D("-2.00"), "grid": D("0.50")}, notional=D("-226.8525"),
            realised_today=None, margin=D("22.69"), liquidation_price=D("198.1"),
            liquidation_pct=D("30.988"), funding_next=D("-0.009"), trips=(trip(), trip("grid-3")),
        ),
    )  # fmt: skip


def agent(name: str = "maker", **changes: object) -> AgentFace:
    """An agent in good standing."""
    fields: dict = {
        "name": name, "is_paused": False, "quarantine": "", "weight": D("1"), "intents": 412,
        "open_orders": 3, "fills": 31, "realised": D("10.81"), "fees": D("1.02"),
        "funding": D("0.08"), "unrealised": D("2.47"), "warmth": None, "deed": deed(),
        "cost_p99_us": 84.0,
    }  # fmt: skip
    return AgentFace(**(fields | changes))


def prospect(**changes: object) -> Prospect:
    """A small buy of BTC at the touch that the gate would let pass, judged 100 ms after a quote.

    Changes name a field of the prospect or of its parts.
    """
    fields: dict = {
        "symbol": BTC, "side": BUY, "qty": D("0.020"), "state": "ACTIVE", "is_approved": True,
        "route": "PLACE NO_EXISTING_ORDER", "crosses": (),
        "readings": (
            LimitReading("order_size", "max_order_notional", "2500", "1348.246", True),
            LimitReading("position", "max_position_notional", "5000", "2696.492", True),
            LimitReading("stale_price", "max_quote_age_ms", "2000 ms", "100 ms", True),
            LimitReading("portfolio", "max_concentration", "off", "", None),
        ),
        "bid": D("67412.3"), "ask": D("67412.9"), "age_ms": 100, "max_age_ms": 2_000,
        "max_deviation_bps": D(100),
        "price": D("67412.3"), "notional": D("1348.246"), "taken_qty": D(0), "unseen_qty": D(0),
        "slippage_bps": None, "worst_slippage_bps": None, "worst_price": None,
        "fee": D("0.2696492"), "worst_fee": D("0.674123"),
        "position_before": D("0.020"), "position": D("0.040"), "own": D("0.020"),
        "equity": D("10012.34"), "margin": D("539.30"), "liquidation_price": None,
    }  # fmt: skip
    fields |= changes

    def part(kind: type) -> object:
        names = kind.__struct_fields__  # type: ignore[attr-defined]
        return kind(**{name: fields[name] for name in names if name in fields})

    return Prospect(
        symbol=fields["symbol"], side=fields["side"], qty=fields["qty"], state=fields["state"],
        verdict=part(Verdict), quote=part(QuoteSeen), costs=part(Costs), after=part(After),
    )  # fmt: skip


def deed(**changes: object) -> DeedFace:
    """A wish for a bid that was left alone."""
    fields: dict = {
        "ts_ns": NOW_NS - 589 * MS, "intent_id": "maker-412", "agent": "maker", "symbol": BTC,
        "slot": "bid", "side": BUY, "qty": D("0.020"), "price": D("67412.5"),
        "why": "fair 67412.6, inventory +0.20", "outcome": "NOOP", "reason": "WITHIN_TOLERANCE",
    }  # fmt: skip
    return DeedFace(**(fields | changes))


def deeds() -> tuple[DeedFace, ...]:
    """One that the gate refused, and one that waits for a token."""
    return (
        deed(
            intent_id="momentum-18", agent="momentum", slot="entry", qty=D("0.010"), price=None,
            why="cross up", outcome="BLOCK", reason="max_spread_bps", limit="2.0", reading="2.6",
        ),
        deed(
            intent_id="maker-411", symbol=ETH, slot="ask", side=SELL, price=D("3510.10"),
            qty=D("0.30"), outcome="WAIT", reason="throttle", limit="60", reading="61",
            ts_ns=NOW_NS - 3 * SECOND,
        ),
    )  # fmt: skip


def agents() -> tuple[AgentFace, ...]:
    """One trading, one paused by a person, one at a third of its weight, one that raised."""
    idle: dict = {
        "open_orders": 0, "fills": 0, "realised": D(0), "fees": D(0), "funding": D(0),
        "unrealised": D(0), "deed": None,
    }  # fmt: skip
    fault = "raised ZeroDivisionError: division by zero"
    return (
        agent(),
        agent(
            "grid",
            is_paused=True,
            weight=D("0.5"),
            intents=0,
            cost_p99_us=None,
            **(idle | {"warmth": (34, 90)}),
        ),
        agent("momentum", weight=D("0.3"), intents=18, **(idle | {"deed": deeds()[0]})),
        agent("pairs", quarantine=fault, intents=1_204, **idle),
    )


def breaker(name: str = "max_loss_pct", **changes: object) -> BreakerFace:
    """A limit of two percent, untouched."""
    fields: dict = {
        "name": name, "limit": D("2"), "reading": D("0"), "headroom": D("1"), "action": "halt",
        "is_tripped": False, "rearm": "operator",
    }  # fmt: skip
    return BreakerFace(**(fields | changes))


def breakers() -> tuple[BreakerFace, ...]:
    """Untouched, barely touched, a quarter used, and over."""
    return (
        breaker(),
        breaker("max_session_drawdown_pct", limit=D("3"), reading=D("0.04"),
                headroom=D("0.986667"), breach_s=2_220.0),
        breaker("max_consecutive_losses", limit=D("4"), reading=D("1"), headroom=D("0.75"),
                action="pause", rearm="cooldown"),
        breaker("max_errors_per_minute", limit=D("10"), reading=D("12"), headroom=D("0"),
                action="pause", is_tripped=True, rearm="cooldown",
                rearms_ns=NOW_NS + 41 * SECOND),
    )  # fmt: skip


def appetite() -> tuple[BreakerFace, ...]:
    """A third of one limit of the gate, none of another."""
    return (
        breaker("max_gross_notional", limit=D("5000"), reading=D("1575.1045"), headroom=D("0.685"),
                action="refuse", rearm=""),
        breaker("max_open_orders", limit=D("20"), reading=D("4"), headroom=D("0.8"),
                action="refuse", rearm=""),
    )  # fmt: skip


def fill(number: int = 1, **changes: object) -> Fill:
    """A maker's sale of half a SOL order."""
    fields: dict = {
        "ts_ns": NOW_NS - 1_296 * MS, "order_id": "maker-3", "agent": "maker", "symbol": SOL,
        "trade_id": f"t{number}", "side": SELL, "price": D("151.90"), "qty": D("0.75"),
        "fee": D("0.0228"), "liquidity": Liquidity.MAKER, "arrival_mid": D("151.86"),
    }  # fmt: skip
    return Fill(**(fields | changes))


def fills() -> tuple[Fill, ...]:
    """A taker, a late one whose arrival mid is unknown, and a maker; newest last."""
    return (
        fill(1, ts_ns=NOW_NS - 240 * SECOND, symbol=BTC, side=BUY, price=D("67253.1"),
             qty=D("0.020"), fee=D("0.98"), liquidity=Liquidity.TAKER,
             arrival_mid=D("67252.6"), order_id="maker-1"),
        fill(2, ts_ns=NOW_NS - 90 * SECOND, symbol=ETH, side=BUY, price=D("3505.20"),
             qty=D("0.10"), fee=D("-0.0042"), arrival_mid=None, is_late=True,
             order_id="grid-7", agent="grid"),
        fill(3),
    )  # fmt: skip


def fill_tracks() -> tuple[FillTrack, ...]:
    """What came after each fill: all of it, twice told of, only the first second."""
    marks = (D("0.4"), D("0.1"), D("-0.6"))
    return (
        FillTrack(symbol=BTC, trade_id="t1", markout_bps=marks),
        FillTrack(symbol=ETH, trade_id="t2", markout_bps=(D("12.3"), None, D(0)), copies=1),
        FillTrack(symbol=SOL, trade_id="t3", markout_bps=(D("-0.2"), None, None)),
    )


def round_trip(number: int = 1, **changes: object) -> RoundTrip:
    """A long of four minutes that won."""
    fields: dict = {
        "ts_ns": NOW_NS - 90 * SECOND, "symbol": ETH, "agent": "maker", "side": BUY,
        "opened_ns": NOW_NS - 330 * SECOND, "duration_s": 240.0, "entry_price": D("3502.10"),
        "exit_price": D("3505.20"), "qty": D("0.10"), "peak_qty": D("0.10"),
        "gross_pnl": D("0.31"), "maker_fees": D("0.07"), "taker_fees": D("0"),
        "funding": D("0"), "net_pnl": D("0.24"), "slippage": D("-0.02"), "mae": D("-0.11"),
        "mfe": D("0.35"), "fills": 2, "order_ids": (f"maker-{number}", f"maker-{number + 1}"),
    }  # fmt: skip
    return RoundTrip(**(fields | changes))


def round_trips() -> tuple[RoundTrip, ...]:
    """A gain and a loss; newest last."""
    return (
        round_trip(),
        round_trip(
            3, ts_ns=NOW_NS - 30 * SECOND, symbol=BTC, side=SELL, duration_s=45.0,
            entry_price=D("67390.0"), exit_price=D("67401.5"), qty=D("0.040"),
            peak_qty=D("0.020"), gross_pnl=D("-0.46"), taker_fees=D("0.81"),
            net_pnl=D("-1.34"), slippage=D("0.05"), mae=D("-0.62"), mfe=D("0"), fills=4,
        ),
    )  # fmt: skip


def transition(event: str = "FEEDS_SYNCED", **changes: object) -> FsmTransition:
    """The session became ready."""
    fields: dict = {
        "ts_ns": NOW_NS - 578 * SECOND, "from_state": "INIT", "to_state": "READY",
        "event": event, "scope": "session", "reasons": (),
    }  # fmt: skip
    return FsmTransition(**(fields | changes))


def transitions() -> tuple[FsmTransition, ...]:
    """From INIT by READY to ACTIVE, with a degradation in between; newest last."""
    return (
        transition(),
        transition("START", ts_ns=NOW_NS - 577 * SECOND, from_state="READY", to_state="ACTIVE"),
        transition("FEED_STALE", ts_ns=NOW_NS - 200 * SECOND, from_state="ACTIVE",
                   to_state="DEGRADED", scope=BTC, reasons=(f"FEED_STALE:{BTC}",),
                   evidence_ref="evidence/feed-115859"),
        transition("RECOVERED", ts_ns=NOW_NS - 190 * SECOND, from_state="DEGRADED",
                   to_state="ACTIVE"),
    )  # fmt: skip


def line(kind: str = "fill", text: str = "S SOLUSDT 0.75 @151.90", **changes: object) -> LogLine:
    """One line of the log, 1.3 s old."""
    fields: dict = {
        "ts_ns": NOW_NS - 1_296 * MS, "kind": kind, "severity": "info", "text": text, "number": 1,
    }  # fmt: skip
    return LogLine(**(fields | changes))


def log() -> tuple[LogLine, ...]:
    """A fill, bulk, a doubt with its evidence, a refusal, an error; newest last."""
    stale = "data is 2.4 s old, limit 2.0 s EVIDENCE_REF=evidence/feed-120219"
    refused = "BLOCK max_spread_bps  momentum-18 B BTCUSDT 0.010 market  limit 2.0 reading 2.6"
    return (
        line(),
        line("router_decision", "NOOP WITHIN_TOLERANCE  maker-412 B BTCUSDT 0.020 @67412.5",
             severity="debug", ts_ns=NOW_NS - 589 * MS, number=2),
        line("feed_stale", f"{SOL} {stale}", severity="warning", ts_ns=NOW_NS - 498 * MS, number=3),
        line("gate_verdict", f"(+11 alike) {refused}", ts_ns=NOW_NS - 300 * MS, number=4),
        line("error", "agent_quarantined pairs: division by zero", severity="critical",
             ts_ns=NOW_NS - 96 * MS, number=5),
    )  # fmt: skip


def lifecycle(state: str = "ACTIVE", **changes: object) -> LifecycleFace:
    """Trading for three minutes, but for SOL; other reasons began when nobody looked."""
    fields: dict = {
        "state": state, "since_ns": NOW_NS - 190 * SECOND, "beneath": None,
        "reasons": (f"FEED_STALE:{SOL}",), "suspended": (SOL,), "is_flattening": False,
        "needs_reset": False,
        "reasons_ns": () if "reasons" in changes else (NOW_NS - 2 * SECOND,),
    }  # fmt: skip
    return LifecycleFace(**(fields | changes))


def stream(symbol: str = BTC, **changes: object) -> StreamFace:
    """Two hundred messages a second, the venue's clock 3 ms behind, none kept out."""
    fields: dict = {
        "symbol": symbol, "quote_ns": NOW_NS - 100 * MS, "trade_ns": NOW_NS - 700 * MS,
        "depth_ns": NOW_NS - 200 * MS, "funding_ns": NOW_NS - SECOND, "messages": 48_000,
        "per_s": 212.4, "skew_ms": 3.0, "refused": {},
    }  # fmt: skip
    return StreamFace(**(fields | changes))


def streams() -> tuple[StreamFace, ...]:
    """One sound, one without stamps, one of which some was kept out."""
    return (
        stream(),
        stream(ETH, skew_ms=None, per_s=88.0),
        stream(SOL, per_s=0.0, refused={"stale": 3, "crossed": 0}),
    )


def sync(**changes: object) -> SyncFace:
    """The venue answered just now, and the account stands since a fill twelve seconds ago."""
    fields: dict = {
        "interval_s": 5.0, "answered_ns": NOW_NS - 200 * MS, "changed_ns": NOW_NS - 12 * SECOND,
        "failures": 0, "held": {}, "foreign": 0,
    }  # fmt: skip
    return SyncFace(**(fields | changes))


def health(**changes: object) -> HealthFace:
    """A quiet process with a sound journal."""
    fields: dict = {
        "process": HealthReading(cpu_pct=6.0, rss_mb=91.2, disk_free_mb=51_200.0, loop_lag_ms=2.0),
        "journal_events": 48_211, "journal_bytes": 15_900_000, "journal_head": "9f3c" * 16,
        "journal_failure": "", "tick_to_order_us": Quantiles(180.0, 700.0, 1_400.0, 5_200.0),
        "orders": {"placed": 61, "amended": 118, "canceled": 9, "rejected": 0},
        "blocked": {"max_spread_bps": 22, "throttle": 3}, "errors": {"agent_fault": 1},
        "viewers": 1, "streams": streams(), "reconnects": 2, "journal_unsynced": 37,
        "checkpoint_age_s": 12.4, "sync": sync(), "quote_age_max_s": 2.0,
    }  # fmt: skip
    return HealthFace(**(fields | changes))


def router(**changes: object) -> RouterFace:
    """Mostly left alone; the venue's answer takes longest."""
    counts = (
        ("NOOP", "WITHIN_TOLERANCE", 1_004), ("NOOP", "NO_CHANGE", 180), ("AMEND", "SMALL_CHANGE", 118),
        ("PLACE", "NO_EXISTING_ORDER", 61), ("BLOCK", "RISK_GATE", 22), ("NOOP", "IN_FLIGHT", 20),
        ("CANCEL_REPLACE", "LARGE_CHANGE", 9), ("CANCEL", "EXPLICIT_CANCEL", 4),
    )  # fmt: skip
    fields: dict = {
        "decisions": tuple(RouteCount(*row) for row in counts),
        "hops": (
            ("feed", Quantiles(3_100.0, 5_000.0, 9_800.0, 20_000.0)),
            ("request", Quantiles(180.0, 700.0, 1_400.0, 5_200.0)),
            ("ack", Quantiles(41_000.0, 55_000.0, 88_000.0, 120_000.0)),
            ("fill", Quantiles()),
        ),
    }  # fmt: skip
    return RouterFace(**(fields | changes))


def causes(**changes: object) -> CausesFace:
    """12.34 in all."""
    fields: dict = {
        "spread": D("9.15"), "inventory": D("4.63"), "slippage": D("-0.50"), "fees": D("-1.02"),
        "funding": D("0.08"),
    }  # fmt: skip
    return CausesFace(**(fields | changes))


def session(state: str = "ACTIVE", **changes: object) -> SessionView:
    """10,012.34 of equity, with 7:41 to go."""
    fields: dict = {
        "ts_ns": NOW_NS, "state": state, "equity": D("10012.34"), "balance": D("10009.87"),
        "realised": D("10.81"), "unrealised": D("2.47"), "fees": D("1.02"), "funding": D("0.08"),
        "peak_equity": D("10016.35"), "drawdown_pct": D("0.0400345435213425"), "open_orders": 4,
        "fills": 37,
        "positions": tuple(
            PositionView(symbol=p.symbol, qty=p.qty, entry_price=p.entry_price, mark=p.mark,
                         unrealised=p.unrealised)
            for p in positions()
        ),
        "reasons": (f"FEED_STALE:{SOL}",), "events": 48_211, "remaining_s": 461.0,
        "progress": 0.2316, "is_simulated": False,
    }  # fmt: skip
    return SessionView(**(fields | changes))


def equity() -> tuple[Worth, ...]:
    """Five minutes of equity that dips and recovers, by way of long and short."""
    return tuple(
        (NOW_NS - (300 - i) * SECOND, D("10012.34") - D(abs(150 - i)) / D(100), D(8 * (150 - i)))
        for i in range(300)
    )


def view(**changes: object) -> View:
    """Return the whole session; name what shall differ."""
    fields: dict = {
        "number": 1, "session": session(), "drawdown_worst_pct": D("0.21"), "lifecycle": lifecycle(), "markets": markets(),
        "orders": orders(), "positions": positions(), "agents": agents(),
        "exposure": ExposureFace(gross=D("1575.1045"), net=D("1121.3995"), leverage=D("0.157")),
        "blocked": deeds()[::-1], "breakers": breakers(), "appetite": appetite(), "fill_tracks": fill_tracks(),
        "health": health(), "router": router(), "causes": causes(), "fills": fills(),
        "round_trips": round_trips(), "transitions": transitions(), "log": log(),
        "equity": equity(),
    }  # fmt: skip
    return View(**(fields | changes))


def empty() -> View:
    """Return a session that has only begun: nothing seen, nothing held, nothing set."""
    unseen = market(
        bid=None, ask=None, bid_qty=D(0), ask_qty=D(0), mark_price=None, funding_rate=None,
        next_funding_ns=0, priced_ns=0, is_book_synced=False, bids=(), asks=(), features={},
        bars=(), prints=(), prints_seen=0,
        change_pct=None, change_since_ns=0, volume=None,
    )  # fmt: skip
    nothing = session(
        "INIT", equity=D(10_000), balance=D(10_000), realised=D(0), unrealised=D(0), fees=D(0),
        funding=D(0), peak_equity=D(10_000), drawdown_pct=D(0), open_orders=0, fills=0,
        positions=(), reasons=(), events=0, remaining_s=None, progress=None,
    )  # fmt: skip
    unmeasured = health(
        process=HealthReading(), journal_events=0, journal_bytes=0, journal_head="",
        tick_to_order_us=Quantiles(), orders={}, blocked={}, errors={}, streams=(), reconnects=0,
        journal_unsynced=None, checkpoint_age_s=None, sync=sync(answered_ns=0, changed_ns=0),
    )  # fmt: skip
    return view(
        session=nothing, drawdown_worst_pct=None, lifecycle=lifecycle("INIT", since_ns=0, reasons=(), suspended=()),
        markets=(unseen,), orders=(), positions=(), agents=(), breakers=(), health=unmeasured,
        exposure=None, blocked=(), appetite=(), fill_tracks=(),
        fills=(), round_trips=(), transitions=(), log=(), equity=(),
        router=RouterFace(decisions=(), hops=(("feed", Quantiles()), ("request", Quantiles()))),
        causes=causes(spread=D(0), inventory=D(0), slippage=D(0), fees=D(0), funding=D(0)),
    )  # fmt: skip


def crowded() -> View:
    """Return fifty instruments, all held and quoted: more of everything than any screen shows."""
    symbols = [f"C{i:02}USDT" for i in range(50)]
    return view(
        markets=tuple(market(symbol, is_suspended=i % 7 == 0) for i, symbol in enumerate(symbols)),
        positions=tuple(position(symbol) for symbol in symbols),
        orders=tuple(
            order(i, symbol=symbols[i % 50], state=OrderState.UNKNOWN if i % 50 == 9 else OrderState.ACCEPTED)
            for i in range(200)
        ),
        agents=tuple(agent(f"agent{i:02}", quarantine="stalled" * (i % 3 == 0)) for i in range(30)),
        breakers=tuple(breaker(f"max_limit_{i}", is_tripped=i % 4 == 0) for i in range(12)),
        fills=tuple(fill(i) for i in range(50)),
        round_trips=tuple(round_trip(i) for i in range(50)),
        transitions=transitions() * 12,
        log=tuple(line(text=f"line {i}", number=i + 1) for i in range(100)),
        lifecycle=lifecycle("DEGRADED", beneath="ACTIVE", suspended=tuple(symbols),
                            reasons=tuple(f"FEED_STALE:{symbol}" for symbol in symbols)),
        session=session("DEGRADED", open_orders=350, fills=12_345),
    )  # fmt: skip


def extremes() -> View:
    """Return figures no column was made for: dust, fortunes, a past without end."""
    dust, fortune = D("0.00000001"), D("98765432109876543210.123456789")
    tiny = market(
        "1000000MOGUSDT", tick_size=dust, lot_size=D(1), bid=dust, ask=2 * dust, mark_price=dust,
        funding_rate=D("-0.75"), priced_ns=1, bids=(), asks=(),
        bars=(BarTail(1, 1, (BarFace(1, 10**20, 0, 1, 10**18, 0, 10**9),) * 3),),
        prints=(Print(1, 10**20, 10**18, True), Print(NOW_NS, 1, 1, False)), prints_seen=10**15,
    )  # fmt: skip
    return view(
        markets=(tiny, market(BTC, bid=fortune, ask=fortune, mark_price=fortune)),
        positions=(
            position(tiny.symbol, qty=fortune, entry_price=dust, mark=dust, unrealised=-dust),
            position(BTC, qty=-dust, entry_price=fortune, mark=None, unrealised=-fortune),
        ),
        orders=(order(1, symbol=tiny.symbol, qty=fortune, price=dust, created_ns=1),
                order(2, price=-fortune, qty=dust)),
        agents=(agent(weight=D("0.0001"), intents=10**15, realised=fortune, fees=-dust),),
        breakers=(breaker(limit=dust, reading=fortune, headroom=dust),),
        fills=(fill(price=fortune, qty=dust, fee=-fortune, arrival_mid=dust),),
        round_trips=(round_trip(net_pnl=-dust, gross_pnl=fortune, duration_s=1e15, fills=10**12),),
        causes=causes(spread=fortune, inventory=-fortune), equity=((1, fortune, dust), (2, -fortune, fortune)),
        router=router(decisions=(RouteCount("NOOP", "TOO_SOON", 10**15),)),
        session=session(equity=fortune, balance=D("10009.87"), unrealised=fortune, fills=10**12,
                        events=10**15, remaining_s=1e9),
        health=health(journal_events=10**15, journal_bytes=10**18,
                      process=HealthReading(cpu_pct=1e6, rss_mb=1e9, disk_free_mb=1e12,
                                            loop_lag_ms=1e9)),
    )  # fmt: skip
