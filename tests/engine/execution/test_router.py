"""The router, row by row; the oracle is domain.md section 5, not the code."""

from dataclasses import replace as order_with
from decimal import Decimal

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from msgspec.structs import replace

from engine.execution.orders import LIVE
from engine.execution.router import Decision, Reason, Route, RouterConfig, blocked, route
from engine.model.orders import OrderState, OrderType, Side, TimeInForce
from engine.venue import Capabilities
from tests.engine.factories import BUY, MS, SECOND, SELL, D, instrument, intent, order

S = OrderState
ALL = Capabilities(
    can_amend_price=True,
    can_amend_qty=True,
    amend_down_keeps_queue=True,
    has_triggers=True,
    client_id_max=36,
    client_id_alphabet="a",
)
CONFIG = RouterConfig(
    reprice_tolerance_ticks=2, min_quote_interval_ms=500, amend_threshold_bps=D(25)
)
WISH = intent(2, slot="bid", side=BUY, qty=D(10), price=D("1000.0"), post_only=True)
WORKING = order(replace(WISH, intent_id="a-1"), state=S.ACCEPTED)
TOUCH = (9_990, 10_050)


def decide(
    wish: dict | None = None,
    working: dict | None = None,
    *,
    can: dict | None = None,
    age_ns: int = SECOND,
    touch: tuple[int, int] = TOUCH,
    config: RouterConfig = CONFIG,
) -> Route:
    """Route a change of WISH against a change of WORKING."""
    return route(
        replace(WISH, **(wish or {})),
        order_with(WORKING, **(working or {})),
        instrument=instrument(),
        capabilities=replace(ALL, **(can or {})),
        config=config,
        now_ns=age_ns,
        touch=touch,
    )


def at(price: str, qty: str = "10", **changes: object) -> dict:
    return {"price": D(price), "qty": D(qty), **changes}


LEFT = {"state": S.PARTIALLY_FILLED, "filled_qty": D(4)}
NO_PRICE = {"can_amend_price": False}
NO_QTY = {"can_amend_qty": False}
REQUEUES = {"amend_down_keeps_queue": False}
SELLING = {"side": SELL}

CASES = [
    # row, wish,                              working, keywords,                        decision,         reason
    (5, {},                                   {},      {},                              "NOOP",           "NO_CHANGE"),
    (5, {},                                   {},      {"age_ns": 0},                   "NOOP",           "NO_CHANGE"),
    (5, at("1000.0", "6"),                    LEFT,    {},                              "NOOP",           "NO_CHANGE"),
    (5, at("1000.1"),                         {},      {},                              "NOOP",           "WITHIN_TOLERANCE"),
    (5, at("1000.2"),                         {},      {},                              "NOOP",           "WITHIN_TOLERANCE"),
    (5, at("999.8"),                          {},      {},                              "NOOP",           "WITHIN_TOLERANCE"),
    (5, at("1000.2", "6"),                    LEFT,    {},                              "NOOP",           "WITHIN_TOLERANCE"),
    (8, at("1000.3"),                         {},      {},                              "AMEND",          "SMALL_CHANGE"),
    (8, at("999.7"),                          {},      {},                              "AMEND",          "SMALL_CHANGE"),
    (5, at("1000.3"),                         {},      {"age_ns": 500 * MS - 1},        "NOOP",           "TOO_SOON"),
    (5, at("1100.0"),                         {},      {"age_ns": 0},                   "NOOP",           "TOO_SOON"),
    (5, at("1000.0", "11"),                   {},      {"age_ns": 0},                   "NOOP",           "TOO_SOON"),
    (8, at("1000.3"),                         {},      {"age_ns": 500 * MS},            "AMEND",          "SMALL_CHANGE"),
    (7, at("1000.0", "9.999"),                {},      {},                              "AMEND",          "QTY_DOWN"),
    (7, at("1000.0", "5.999"),                LEFT,    {},                              "AMEND",          "QTY_DOWN"),
    (7, at("1000.0", "9"),                    {},      {"can": NO_PRICE},               "AMEND",          "QTY_DOWN"),
    (8, at("1000.0", "9"),                    {},      {"can": REQUEUES},               "AMEND",          "SMALL_CHANGE"),
    (8, at("1000.0", "11"),                   {},      {},                              "AMEND",          "SMALL_CHANGE"),
    (8, at("1000.0", "10"),                   LEFT,    {},                              "AMEND",          "SMALL_CHANGE"),
    (8, at("1000.1", "9"),                    {},      {},                              "AMEND",          "SMALL_CHANGE"),
    (8, at("1002.5"),                         {},      {},                              "AMEND",          "SMALL_CHANGE"),
    (8, at("997.5"),                          {},      {},                              "AMEND",          "SMALL_CHANGE"),
    (9, at("1002.6"),                         {},      {},                              "CANCEL_REPLACE", "LARGE_CHANGE"),
    (9, at("997.4"),                          {},      {},                              "CANCEL_REPLACE", "LARGE_CHANGE"),
    (8, at("1000.9"),                         {},      {"touch": (9_990, 10_010)},      "AMEND",          "SMALL_CHANGE"),
    (9, at("1001.0"),                         {},      {"touch": (9_990, 10_010)},      "CANCEL_REPLACE", "LARGE_CHANGE"),
    (9, at("1001.1"),                         {},      {"touch": (9_990, 10_010)},      "CANCEL_REPLACE", "LARGE_CHANGE"),
    (8, at("1001.0"),                         {},      {"touch": (0, 0)},               "AMEND",          "SMALL_CHANGE"),
    (8, at("1001.0", post_only=False),        {"post_only": False}, {"touch": (9_990, 10_010)}, "AMEND",  "SMALL_CHANGE"),
    (8, at("999.1", **SELLING),               SELLING, {"touch": (9_990, 10_050)},      "AMEND",          "SMALL_CHANGE"),
    (9, at("999.0", **SELLING),               SELLING, {"touch": (9_990, 10_050)},      "CANCEL_REPLACE", "LARGE_CHANGE"),
    (9, at("1000.3"),                         {},      {"can": NO_PRICE},               "CANCEL_REPLACE", "AMEND_UNSUPPORTED"),
    (9, at("1000.0", "11"),                   {},      {"can": NO_QTY},                 "CANCEL_REPLACE", "AMEND_UNSUPPORTED"),
    (9, at("1000.0", "9"),                    {},      {"can": NO_QTY},                 "CANCEL_REPLACE", "AMEND_UNSUPPORTED"),
    (9, at("1000.3", "9"),                    {},      {"can": NO_QTY},                 "CANCEL_REPLACE", "AMEND_UNSUPPORTED"),
    (8, at("1000.3"),                         {},      {"can": NO_QTY},                 "AMEND",          "SMALL_CHANGE"),
    (9, {"side": SELL},                       {},      {},                              "CANCEL_REPLACE", "LARGE_CHANGE"),
    (9, {"tif": TimeInForce.IOC},             {},      {},                              "CANCEL_REPLACE", "LARGE_CHANGE"),
    (9, {"post_only": False},                 {},      {},                              "CANCEL_REPLACE", "LARGE_CHANGE"),
    (9, {"reduce_only": True},                {},      {},                              "CANCEL_REPLACE", "LARGE_CHANGE"),
    (9, {"type": OrderType.MARKET, "price": None}, {}, {},                              "CANCEL_REPLACE", "LARGE_CHANGE"),
    (6, at("1000.3"),                         {"state": S.PENDING_UPDATE}, {},          "NOOP",           "IN_FLIGHT"),
    (6, at("1100.0"),                         {"state": S.PENDING_CANCEL}, {},          "NOOP",           "IN_FLIGHT"),
    (6, at("1000.0", "9"),                    {"state": S.UNKNOWN},        {},          "NOOP",           "IN_FLIGHT"),
    (6, {"side": SELL},                       {"state": S.SUBMITTED},      {},          "NOOP",           "IN_FLIGHT"),
]  # fmt: skip


@pytest.mark.parametrize(("row", "wish", "working", "keywords", "decision", "reason"), CASES)
def test_row(
    row: int, wish: dict, working: dict, keywords: dict, decision: str, reason: str
) -> None:
    """Rows 5 to 9: what is wished against what works."""
    assert Route(Decision(decision), Reason(reason)) == decide(wish, working, **keywords)


@pytest.mark.parametrize(
    ("rule", "reason"),
    [
        ("state", Reason.RISK_GATE),
        ("position", Reason.RISK_GATE),
        ("throttle", Reason.RISK_GATE),
        ("venue_rules", Reason.CONSTRAINT_VIOLATION),
    ],
)
def test_rows_one_and_two(rule: str, reason: Reason) -> None:
    """What the gate refused is blocked, by its own rules or by the venue's."""
    assert Route(Decision.BLOCK, reason) == blocked(rule)


FIXED = {
    "instrument": instrument(),
    "capabilities": ALL,
    "config": CONFIG,
    "now_ns": 0,
    "touch": TOUCH,
}


@pytest.mark.parametrize("state", [S.ACCEPTED, S.PARTIALLY_FILLED])
def test_row_three(state: OrderState) -> None:
    """Nothing desired cancels what works, however young."""
    wanted = Route(Decision.CANCEL, Reason.EXPLICIT_CANCEL)

    assert wanted == route(None, order_with(WORKING, state=state), **FIXED)


@pytest.mark.parametrize("state", [S.SUBMITTED, S.PENDING_UPDATE, S.UNKNOWN])
def test_row_three_comes_before_row_six(state: OrderState) -> None:
    """A cancel is not lost because a placement or an amend has not been answered yet.

    The order machine takes REQUEST_CANCEL in all three states.
    """
    wanted = Route(Decision.CANCEL, Reason.EXPLICIT_CANCEL)

    assert wanted == route(None, order_with(WORKING, state=state), **FIXED)


def test_a_cancel_is_not_asked_for_twice() -> None:
    """Nothing desired and the cancel under way: wait for it."""
    working = order_with(WORKING, state=S.PENDING_CANCEL)

    assert Route(Decision.NOOP, Reason.IN_FLIGHT) == route(None, working, **FIXED)


@pytest.mark.parametrize(
    "wish",
    [{}, {"type": OrderType.MARKET, "price": None}, {"type": OrderType.STOP, "trigger_price": D(900)}],
)  # fmt: skip
def test_row_four(wish: dict) -> None:
    """An empty slot takes any order."""
    wanted = Route(Decision.PLACE, Reason.NO_EXISTING_ORDER)

    assert wanted == route(replace(WISH, **wish), None, **FIXED)


def test_nothing_desired_where_nothing_works() -> None:
    assert Route(Decision.NOOP, Reason.NO_CHANGE) == route(None, None, **FIXED)


@pytest.mark.parametrize(
    "stop",
    [
        {"type": OrderType.STOP, "price": None, "trigger_price": D(900)},
        {"type": OrderType.TAKE_PROFIT, "price": None, "trigger_price": D(1100)},
        {"type": OrderType.TRAILING, "price": None, "trail_bps": D(50)},
    ],
    ids=lambda stop: stop["type"],
)
def test_row_five_keeps_a_protective_order(stop: dict) -> None:
    """The same stop wished again is no change: replacing it would leave a gap in protection."""
    stop = stop | {"side": SELL, "reduce_only": True, "post_only": False}

    assert Route(Decision.NOOP, Reason.NO_CHANGE) == decide(stop, stop)


def test_row_five_ignores_numbers_the_order_does_not_use() -> None:
    """A limit order's stray trigger changes nothing at the venue."""
    assert Route(Decision.NOOP, Reason.NO_CHANGE) == decide({"trigger_price": D(900)})


def test_zero_settings_reprice_at_once() -> None:
    """The defaults tolerate nothing and wait for nothing."""
    config = RouterConfig(reprice_tolerance_ticks=0, min_quote_interval_ms=0)
    wanted = Route(Decision.AMEND, Reason.SMALL_CHANGE)

    assert wanted == decide(at("1000.1"), config=config, age_ns=0)


TICKS = st.integers(9_900, 10_100)
LOTS = st.integers(1, 20)
WISHES = st.none() | st.builds(
    lambda side, ticks, lots, kind, post_only: replace(
        WISH, side=side, price=None if kind is OrderType.MARKET else ticks * D("0.1"),
        qty=lots * D("0.001"), type=kind, post_only=post_only,
    ),
    st.sampled_from(Side), TICKS, LOTS,
    st.sampled_from([OrderType.LIMIT, OrderType.MARKET]), st.booleans(),
)  # fmt: skip
WORKINGS = st.none() | st.builds(
    lambda side, ticks, lots, filled, state, changed_ns: order_with(
        WORKING, side=side, price=ticks * D("0.1"), qty=(lots + filled) * D("0.001"),
        filled_qty=filled * D("0.001"), state=state, changed_ns=changed_ns,
    ),
    st.sampled_from(Side), TICKS, LOTS, st.integers(0, 5),
    st.sampled_from(sorted(LIVE)), st.integers(0, SECOND),
)  # fmt: skip
CAPABILITIES = st.builds(
    lambda price, qty, keeps: replace(
        ALL, can_amend_price=price, can_amend_qty=qty, amend_down_keeps_queue=keeps
    ),
    *[st.booleans()] * 3,
)
CONFIGS = st.builds(
    RouterConfig,
    reprice_tolerance_ticks=st.integers(0, 5),
    min_quote_interval_ms=st.sampled_from([0, 500]),
    amend_threshold_bps=st.sampled_from([D(0), D(10), D(25)]),
)
TOUCHES = st.tuples(st.just(0) | TICKS, st.just(0) | TICKS)


@given(WISHES, WORKINGS, CAPABILITIES, CONFIGS, TOUCHES)
@settings(derandomize=True, max_examples=500, deadline=None)
def test_routing_is_total_and_safe(wish, working, capabilities, config, touch) -> None:
    """Every pair has one answer, and no answer puts a second order or request beside the first."""
    arguments = {
        "instrument": instrument(), "capabilities": capabilities, "config": config,
        "now_ns": SECOND, "touch": touch,
    }  # fmt: skip
    decided = route(wish, working, **arguments)

    assert decided == route(wish, working, **arguments)
    assert decided.decision in set(Decision) - {Decision.BLOCK}
    if working is None:
        assert decided.decision in (Decision.PLACE, Decision.NOOP)
        return
    assert Decision.PLACE is not decided.decision
    if working.state not in (S.ACCEPTED, S.PARTIALLY_FILLED):
        assert decided.decision in (Decision.NOOP, Decision.CANCEL)
    if Decision.AMEND is decided.decision:
        assert_amendable(wish, working, capabilities, config)


def assert_amendable(wish, working, capabilities: Capabilities, config: RouterConfig) -> None:
    """An amend keeps everything but price and quantity, and asks only what the venue can do."""
    price_moves = wish.price != working.price
    qty_moves = wish.qty != working.qty - working.filled_qty
    away: Decimal = abs(wish.price - working.price)

    assert (working.side, working.post_only) == (wish.side, wish.post_only)
    assert OrderType.LIMIT is wish.type
    assert price_moves or qty_moves
    assert capabilities.can_amend_price or not price_moves
    assert capabilities.can_amend_qty or not qty_moves
    assert away * 10_000 <= config.amend_threshold_bps * working.price
