"""The log in words, and what of it is kept: the text is what a person searches docs for."""

from collections.abc import Sequence
from decimal import Decimal

import pytest

from engine.model.account import Fill, Liquidity, RoundTrip
from engine.model.events import HealthChanged, OperatorCommand, Timer
from engine.model.events import Operator as Op
from engine.model.orders import CancelIntent, OrderIntent, OrderState, OrderType, Side
from engine.model.records import (
    Alert,
    BreakerTripped,
    ErrorRecord,
    FsmTransition,
    GateVerdict,
    MetaDecision,
    OrderChanged,
    RouterDecision,
)
from engine.session.control.deeds import Deeds
from engine.session.control.log_tail import BULK_MAX, KEYS_MAX, LOG_MAX, QUIET_NS, LogTail
from engine.session.control.log_words import Pulse, say
from engine.session.control.views import LogLine
from tests.engine.kernel.rig import Rig, Scripted, limit, market

D = Decimal
BUY = Side.BUY
SECOND = 1_000_000_000


def fill(**changes: object) -> Fill:
    fields: dict = {
        "ts_ns": 1, "order_id": "a-1", "agent": "a", "symbol": "SOL", "trade_id": "t",
        "side": Side.SELL, "price": D("151.90"), "qty": D("0.75"), "fee": D("0.0228"),
        "liquidity": Liquidity.MAKER,
    }  # fmt: skip
    return Fill(**(fields | changes))


TRIP = RoundTrip(
    1, "BTC", "a", BUY, 0, 240.0, D(100), D(101), D("0.02"), D("0.02"), D("0.31"), D("0.07"), D(0),
    D(0), D("0.24"), D(0), D(0), D(0), 2, ("a-1", "a-2"),
)  # fmt: skip
WISH = OrderIntent(1, "a-7", "a", "BTC", "bid", BUY, D("0.02"), OrderType.LIMIT, D("100.5"))
MARKET = OrderIntent(1, "a-7", "a", "BTC", "m", BUY, D("0.02"))
STOP = OrderIntent(1, "a-7", "a", "BTC", "s", BUY, D("0.02"), OrderType.STOP, None, D("99"))
CANCEL = CancelIntent(1, "a-7", "a", "BTC", "bid")
REFUSED = GateVerdict(1, "a-7", "BTC", False, "max_spread_bps", "max_spread_bps", "2.0", "2.6")
WAITING = GateVerdict(1, "a-7", "BTC", False, "throttle", "x", "60", "61", True)
ROUTED = RouterDecision(1, "a-7", "BTC", "NOOP", "WITHIN_TOLERANCE", "a-1")

WORDS = [
    # event, the wish behind it,                               kind,               severity,   text
    (fill(), None,                                             "fill",             "info",     "S SOL 0.75 @151.90 maker  fee -0.0228  a-1"),
    (fill(is_late=True, fee=D("-0.01")), None,                 "fill",             "warning",  "S SOL 0.75 @151.90 maker  fee +0.0100  a-1, LATE"),
    (fill(fee=D("0.00001234")), None,                          "fill",             "info",     "S SOL 0.75 @151.90 maker  fee -0.00001234  a-1"),
    (fill(fee=D(0)), None,                                     "fill",             "info",     "S SOL 0.75 @151.90 maker  fee +0.0000  a-1"),
    (TRIP, None,                                               "round_trip",       "info",     "B BTC 0.02 net +0.2400  gross +0.3100  in 240 s  a-1"),
    (FsmTransition(1, "INIT", "READY", "HEALTH_OK", "session", ()), None,
                                                               "fsm_transition",   "info",     "INIT -> READY  HEALTH_OK"),
    (FsmTransition(1, "ACTIVE", "DEGRADED", "FEED_STALE", "BTC", ("FEED_STALE:BTC", "X"), "evidence/f"), None,
                                                               "fsm_transition",   "warning",  "ACTIVE -> DEGRADED  FEED_STALE BTC  open: FEED_STALE:BTC, X  EVIDENCE_REF=evidence/f"),
    (FsmTransition(1, "ACTIVE", "EMERGENCY", "KILL", "session", ()), None,
                                                               "fsm_transition",   "critical", "ACTIVE -> EMERGENCY  KILL"),
    (Alert(1, "feed_stale", "warning", "feed stale (BTC)"), None, "feed_stale",    "warning",  "feed stale (BTC)"),
    (ErrorRecord(1, "overfill", "a-1", "0.1 at 5"), None,      "error",            "critical", "overfill a-1: 0.1 at 5"),
    (BreakerTripped(1, "max_loss_pct", "session", "2", "2.100000", "halt", True), None,
                                                               "breaker",          "critical", "max_loss_pct TRIPPED 2.1 / 2: halt"),
    (BreakerTripped(1, "max_loss_pct", "session", "2", "0", "halt", False), None,
                                                               "breaker",          "info",     "max_loss_pct re-armed, 0 / 2"),
    (OperatorCommand(1, Op.PAUSE, "cli pid=1"), None,          "operator_command", "info",     "PAUSE  by cli pid=1"),
    (OperatorCommand(1, Op.WEIGH_AGENT, "x", "a=0.5"), None,   "operator_command", "info",     "WEIGH_AGENT a=0.5  by x"),
    (REFUSED, WISH,   "gate_verdict", "info", "BLOCK max_spread_bps  a-7 B BTC 0.02 @100.5  limit 2.0 reading 2.6"),
    (REFUSED, MARKET, "gate_verdict", "info", "BLOCK max_spread_bps  a-7 B BTC 0.02 market  limit 2.0 reading 2.6"),
    (WAITING, STOP,   "gate_verdict", "info", "WAIT throttle  a-7 B BTC 0.02 @99  limit 60 reading 61"),
    (REFUSED, CANCEL, "gate_verdict", "info", "BLOCK max_spread_bps  a-7 cancel BTC bid  limit 2.0 reading 2.6"),
    (REFUSED, None,   "gate_verdict", "info", "BLOCK max_spread_bps  a-7 BTC  limit 2.0 reading 2.6"),
    (ROUTED, WISH,    "router_decision", "debug", "NOOP WITHIN_TOLERANCE  a-7 B BTC 0.02 @100.5  working a-1"),
    (RouterDecision(1, "a-7", "BTC", "PLACE", "NO_EXISTING_ORDER"), WISH,
                      "router_decision", "debug", "PLACE NO_EXISTING_ORDER  a-7 B BTC 0.02 @100.5"),
    (MetaDecision(1, "BTC", "net", ("a-1", "b-1"), ("b-1",), ("a-1",), "net: buy 1 against sell 2"), None,
                      "meta_decision", "debug", "BTC net: buy 1 against sell 2  overridden a-1"),
    (OrderChanged(1, "a-1", "BTC", OrderState.UNKNOWN, D(0), D("0.5"), None, "no answer"), None,
                      "order", "critical", "UNKNOWN a-1 BTC 0.5: no answer"),
    (OrderChanged(1, "a-1", "BTC", OrderState.REJECTED, D(0), D("0.5"), None), None,
                      "order", "warning", "REJECTED a-1 BTC 0.5"),
    (Pulse(1, D("10012.345"), D("-2.5"), 4, 1_234), None,
                      "heartbeat", "info", "equity 10,012.34  PnL -2.50  orders 4  fills 1,234"),
    (HealthChanged(1, "rss_mb", 100.0, 120.5, True), None,
                      "health", "info", "kind rss_mb  limit 100.0  reading 120.5  is_over True"),
]  # fmt: skip


@pytest.mark.parametrize(("event", "intent", "kind", "severity", "text"), WORDS)
def test_words(event, intent, kind: str, severity: str, text: str) -> None:
    """What a person reads: who, what, how much, why; evidence last."""
    assert (kind, severity, text) == say(event, intent)


def tail(*events: object) -> LogTail:
    made = LogTail(Rig().kernel, Deeds())
    made.follow(events)  # type: ignore[arg-type]
    return made


def texts(lines: Sequence[LogLine]) -> list[str]:
    return [line.text for line in lines]


def test_bulk_pushes_nothing_rare_out() -> None:
    """A thousand routes leave the fill where it was; all are numbered in one sequence."""
    routes = [RouterDecision(n * QUIET_NS, f"a-{n}", "BTC", "NOOP", f"R{n}") for n in range(1_000)]
    lines = tail(*routes[:500], fill(), *routes[500:]).lines()

    assert 1 + BULK_MAX == len(lines)
    assert "fill" == lines[0].kind
    assert [501, *range(952, 1_002)] == [line.number for line in lines]


def test_repetition_is_told_once_and_counted() -> None:
    """The first at once; the next after a while, with how many were left out; each by itself."""
    blocked = [
        GateVerdict(n * SECOND, f"a-{n}", "BTC", False, "state", "", "ACTIVE", "PAUSED")
        for n in range(25)
    ]
    other = GateVerdict(3 * SECOND, "b-1", "BTC", False, "state", "", "ACTIVE", "PAUSED")
    lines = tail(*blocked[:4], other, *blocked[4:]).lines()

    assert [0, 3, 10, 20] == [line.ts_ns // SECOND for line in lines]
    assert [False, False, True, True] == [
        line.text.startswith("(+9 alike) BLOCK") for line in lines
    ]


@pytest.mark.parametrize(
    ("event", "is_told_twice"),
    [
        (fill(), True),
        (OperatorCommand(1, Op.PAUSE, "x"), True),
        (FsmTransition(1, "A", "B", "E", "session", ()), True),
        (ErrorRecord(1, "k", "s", "d"), False),
        (Alert(1, "k", "info", "m"), False),
        (REFUSED, False),
        (ROUTED, False),
    ],
)
def test_what_is_always_told(event, is_told_twice: bool) -> None:
    """Money, people and states; what a storm is made of is told once."""
    assert (2 if is_told_twice else 1) == len(tail(event, event).lines())


def test_an_approval_is_no_news() -> None:
    """Nor is an order that goes its way, nor a timer between two minutes."""
    quiet = (
        GateVerdict(1, "a-1", "BTC", True),
        OrderChanged(1, "a-1", "BTC", OrderState.ACCEPTED, D(0), D(1), None),
        Timer(59 * SECOND),
    )

    assert () == tail(*quiet).lines()


def test_names_from_outside_fill_no_memory() -> None:
    """However many things repeat themselves."""
    made = tail(*(ErrorRecord(n, f"k{n}", "s", "d") for n in range(3 * KEYS_MAX)))

    assert (KEYS_MAX, LOG_MAX) == (len(made._quiet), len(made.lines()))


def test_words_are_made_once() -> None:
    """A line that was shown is not made again for the next view."""
    made = tail(fill())

    assert made.lines()[0] is made.lines()[0]


def test_a_kernel_s_own_minute() -> None:
    """Wish, verdict and route in the words of the wish; the account once a minute."""
    rig = Rig(Scripted("a"), limits={"max_order_notional": D(50)})
    deeds = Deeds()
    made = LogTail(rig.kernel, deeds)

    def observe(events: Sequence) -> None:
        deeds.follow(events)
        made.follow(events)

    rig.turn._observe = observe
    rig.ask("a", limit(BUY, "0.01", "999.0"))
    rig.ask("a", limit(BUY, "1", "999.0", "other"))
    rig.ask("a", market(BUY, "0.02"))
    rig.wait(61)
    told = texts(made.lines())

    assert "PLACE NO_EXISTING_ORDER  a-1 B BTC 0.01 @999.0" == told[0]
    assert any(text.startswith("BLOCK order_size  a-2 B BTC 1 @999.0  limit 50") for text in told)
    assert any(text.startswith("B BTC 0.02 @1000.1 taker  fee -") for text in told)
    assert any(text.startswith("equity 9,99") and "orders 1  fills 1" in text for text in told)
