"""The pre-trade rules, row by row; the oracle is domain.md section 2, not the code."""

import pytest
from msgspec.structs import replace

from engine.market.view import MarketView
from engine.model.market import Depth
from engine.model.orders import OrderState, OrderType
from engine.risk.gate import Refused
from engine.risk.lifecycle import FsmState
from engine.risk.limits import RiskLimits
from engine.risk.rules import RULES, slippage
from tests.engine.factories import BUY, MS, SELL, D, exactly, view
from tests.engine.risk.judged import at, context, gate, resting, verdict

exact = pytest.fixture(autouse=True)(exactly)


def wide(bid: int, ask: int) -> dict:
    return {"market": view(bid, ask)}


def aged(age_ms: int) -> dict:
    return {"now_ns": age_ms * MS}


def many(count: int, elsewhere: int = 0) -> dict:
    orders = [resting("0.001", SELL, "1500.0", order_id=f"a-{n}") for n in range(count)]
    return {"working": orders, "elsewhere": elsewhere}


def holds(position: str, **more: object) -> dict:
    return {"position": position, **more}


ROWS = [
    # rule, setting, limit: then (wish, readings) just below, at and above the limit
    ("order_size", "max_order_notional", D(1_000),
        (at("0.999"), {}), (at("1"), {}), (at("1.001"), {})),
    ("order_size", "max_order_notional", D(1_000),
        (at("1.002", "996.0"), {}), (at("1.25", "800.0"), {}), (at("1.251", "800.0"), {})),
    ("order_size", "max_order_notional", D("1000.1"),
        (at("0.999", None), {}), (at("1", None), {}), (at("1.001", None), {})),
    ("price_collar", "max_price_deviation_bps", D(100),
        (at(price="990.1"), {}), (at(price="990.0"), {}), (at(price="989.9"), {})),
    ("price_collar", "max_price_deviation_bps", D(100),
        (at(price="1009.9"), {}), (at(price="1010.0"), {}), (at(price="1010.1"), {})),
    ("price_collar", "max_price_deviation_bps", D(100),
        (at(price="1009.9", side=SELL), {}), (at(price="1010.0", side=SELL), {}),
        (at(price="1010.1", side=SELL), {})),
    ("price_collar", "max_price_deviation_bps", D(100),
        *[(at(price=None, type=OrderType.STOP, trigger_price=D(p)), {}) for p in ("1009.9", "1010.0", "1010.1")]),
    ("price_collar", "max_slippage_bps", D(20),
        (at(price=None), wide(9_981, 10_019)), (at(price=None), wide(9_980, 10_020)),
        (at(price=None), wide(9_979, 10_021))),
    ("price_collar", "max_slippage_bps", D(20),
        (at(price=None, side=SELL), wide(9_981, 10_019)),
        (at(price=None, side=SELL), wide(9_980, 10_020)),
        (at(price=None, side=SELL), wide(9_979, 10_021))),
    ("stale_price", "max_quote_age_ms", 2_000,
        (at(), aged(1_999)), (at(), aged(2_000)), (at(), {"now_ns": 2_000 * MS + 1})),
    ("position", "max_position_size", D(2), (at("1.999"), {}), (at("2"), {}), (at("2.001"), {})),
    ("position", "max_position_size", D(2),
        (at("0.999"), holds("1")), (at("1"), holds("1")), (at("1.001"), holds("1"))),
    ("position", "max_position_size", D(2),
        *[(at(q, side=SELL), holds("-1")) for q in ("0.999", "1", "1.001")]),
    ("position", "max_position_size", D(2),
        *[(at(q), holds("1", working=[resting("0.5")])) for q in ("0.499", "0.5", "0.501")]),
    ("position", "max_position_size", D(2),
        *[(at(q), {"working": [resting("1.5", state=OrderState.UNKNOWN)]}) for q in ("0.499", "0.5", "0.501")]),
    ("position", "max_position_size", D(2),
        *[(at(q), {"working": [resting("5", filled_qty=D("3.5"))]}) for q in ("0.499", "0.5", "0.501")]),
    ("position", "max_position_size", D(2),
        *[(at(q, side=SELL), holds("1")) for q in ("2.999", "3", "3.001")]),
    ("position", "max_position_size", D(2),
        *[(at(q), {"working": [resting("9", SELL, "1010.0")]}) for q in ("1.999", "2", "2.001")]),
    ("position", "max_position_notional", D(2_000),
        *[(at(q), holds("1")) for q in ("0.999", "1", "1.001")]),
    ("position", "max_position_notional", D(2_000),
        *[(at(q, "500.0"), holds("1")) for q in ("2.999", "3", "3.001")]),
    ("portfolio", "max_gross_notional", D(3_000),
        *[(at(q), holds("1", eth="-10")) for q in ("0.999", "1", "1.001")]),
    ("portfolio", "max_net_notional", D(1_000),
        *[(at(q), holds("1", eth="-10")) for q in ("0.999", "1", "1.001")]),
    ("portfolio", "max_net_notional", D(1_000),
        *[(at(q, side=SELL), holds("-1", eth="10")) for q in ("0.999", "1", "1.001")]),
    ("portfolio", "max_leverage", D(2), *[(at(q), {}) for q in ("1.999", "2", "2.001")]),
    ("portfolio", "max_leverage", D(2),
        *[(at(q), {"eth": "10", "balance": "1500"}) for q in ("1.999", "2", "2.001")]),
    ("portfolio", "max_concentration", D("0.6"),
        *[(at(q), {"eth": "10"}) for q in ("1.499", "1.5", "1.501")]),
    ("open_orders", "max_open_orders", 3,
        (at(), many(1, 0)), (at(), many(1, 1)), (at(), many(1, 2))),
    ("open_orders", "max_open_orders_per_symbol", 3,
        (at(), many(1)), (at(), many(2)), (at(), many(3))),
    ("spread", "max_spread_bps", D(20),
        (at(), wide(9_991, 10_009)), (at(), wide(9_990, 10_010)), (at(), wide(9_989, 10_011))),
]  # fmt: skip
IDS = [f"{row[1]}-{number}" for number, row in enumerate(ROWS)]


@pytest.mark.parametrize(("rule", "setting", "limit", "below", "equal", "above"), ROWS, ids=IDS)
def test_row(rule: str, setting: str, limit: object, below: tuple, equal: tuple, above: tuple):
    """A limit is the last value that passes; the first beyond is refused in the rule's name."""
    judge = gate(**{setting: limit})

    assert verdict(judge, below[0], **below[1]) is None
    assert verdict(judge, equal[0], **equal[1]) is None
    refused = judge.check(context(above[0], **above[1]))
    assert isinstance(refused, Refused)
    assert (rule, setting) == (refused.rule, refused.setting)
    assert str(limit) in refused.limit
    assert refused.reading


def one_sided() -> MarketView:
    """A mid is remembered, but nothing is offered."""
    market = view()
    market.ask_ticks = 0
    return market


LARGEST = "0 < qty < 1000000000000"
TOLD = [
    # limit that is on, wish, readings: then rule, limit and reading of the verdict
    ({}, at(), {"state": FsmState.PAUSED}, ("state", "reducing only", "PAUSED")),
    ({}, at("1", None, SELL), holds("1", state=FsmState.INIT), ("state", "no orders", "INIT")),
    ({}, at("0"), {"state": FsmState.PAUSED}, ("state", "reducing only", "PAUSED")),
    ({}, replace(at(), price=None), {}, ("venue_rules", "price", "none")),
    ({}, at("0"), {}, ("venue_rules", LARGEST, "0")),
    ({}, at("1000000000000"), {}, ("venue_rules", LARGEST, "1000000000000")),
    ({}, at("0.0015"), {}, ("venue_rules", "qty in steps of 0.001", "0.0015")),
    ({}, at("0.004"), {"market": view(min_qty=D("0.005"))},
        ("venue_rules", "min_qty 0.005", "0.004")),
    ({}, at("0.049"), {"market": view(min_notional=D(50))},
        ("venue_rules", "min_notional 50", "49.0000")),
    ({}, at(price=None), {"market": view(0, 0, min_notional=D(50))},
        ("stale_price", "a quote", "none")),
    ({}, at(price=None), {"market": one_sided()}, ("stale_price", "a quote", "none")),
    ({"max_price_deviation_bps": D(100)}, at(price="989.0"), {}, ("price_collar", "100", "110")),
    ({"max_price_deviation_bps": D(100)}, at("1", "989.0", SELL), holds("1", market=view(0, 0)),
        ("price_collar", "100", "no mid")),
    ({"max_slippage_bps": D(20)}, at(price=None), wide(9_970, 10_030),
        ("price_collar", "20", "30")),
    ({"max_quote_age_ms": 2_000}, at(), aged(3_500), ("stale_price", "2000 ms", "3500 ms")),
    ({"max_position_size": D(2)}, at("3", side=SELL), {}, ("position", "2", "3")),
    ({"max_net_notional": D(2_000)}, at("3", side=SELL), {}, ("portfolio", "2000", "3000")),
    ({"max_leverage": D(2)}, at("2.5"), {}, ("portfolio", "2", "2.5")),
    ({"max_open_orders": 3}, at(), many(1, 3), ("open_orders", "3", "5")),
    ({"max_open_orders_per_symbol": 3}, at(), many(4), ("open_orders", "3", "5")),
    ({"max_spread_bps": D(20)}, at(), wide(9_985, 10_015), ("spread", "20", "30")),
    ({}, at("1", "999.8", SELL), {"working": [resting(price="999.9")]},
        ("self_trade", "own a-5 at 999.9", "999.8")),
]  # fmt: skip


@pytest.mark.parametrize(("limits", "wish", "readings", "told"), TOLD)
def test_a_verdict_tells_its_limit_and_its_reading(limits, wish, readings, told) -> None:
    """In the journal's words: which rule, what it allows, what it saw; in this order."""
    refused = gate(**limits).check(context(wish, **readings))

    assert isinstance(refused, Refused)
    assert told == (refused.rule, refused.limit, refused.reading)


@pytest.mark.parametrize(("rule", "setting", "limit", "below", "equal", "above"), ROWS, ids=IDS)
def test_none_switches_the_row_off(rule, setting, limit, below, equal, above) -> None:
    """Without the limit the same wish passes; how old a quote may be has no off."""
    if setting != "max_quote_age_ms":
        assert verdict(gate(), above[0], **above[1]) is None


ADDING = [row for row in ROWS if row[1] != "max_price_deviation_bps"]
OLD_AND_WIDE = {"market": view(9_900, 10_100), "now_ns": 10**10}


@pytest.mark.parametrize("setting", sorted({row[1] for row in ADDING}))
def test_reducing_is_not_a_matter_of_appetite(setting: str) -> None:
    """What shrinks a position passes every limit on how much risk one may add."""
    tiny = {"max_quote_age_ms": 1} if setting == "max_quote_age_ms" else {
        setting: 1 if setting.startswith("max_open") else D("0.0001")
    }  # fmt: skip
    crowd = many(5)["working"]
    for reduce_only in (False, True):
        wish = at("5", None, SELL, reduce_only=reduce_only)
        assert verdict(gate(**tiny), wish, position="9", working=crowd, **OLD_AND_WIDE) is None


@pytest.mark.parametrize("reduce_only", [False, True])
def test_the_collar_holds_for_reducing_orders_too(reduce_only: bool) -> None:
    """An exit far from mid is a typing error, not an exit."""
    judge = gate(max_price_deviation_bps=D(100))
    wish = at("1", "989.9", SELL, reduce_only=reduce_only)

    assert "price_collar" == verdict(judge, wish, position="1")


@pytest.mark.parametrize("price", [None, "500.0"], ids=["market", "limit"])
def test_the_house_flattens_through_every_appetite(price: str | None) -> None:
    """The session's own closing is judged by lifecycle and venue rules alone."""
    limits = {row[1]: row[2] for row in ROWS if row[1] != "max_quote_age_ms"}
    wish = at("9", price, SELL, agent="house", reduce_only=True)
    told = {"position": "9", "working": [resting(price="999.9")], **OLD_AND_WIDE}

    assert verdict(gate(**limits), wish, **told) is None


def test_a_limit_of_one_kind_of_order_has_no_say_in_another() -> None:
    """Slippage is what a market order pays, deviation what a limit or trigger price may have."""
    judge = gate(max_slippage_bps=D(20), max_price_deviation_bps=D(20))

    assert verdict(judge, at(price="1000.0"), **wide(9_970, 10_030)) is None
    assert (
        verdict(gate(max_price_deviation_bps=D(20)), at(price=None), **wide(9_970, 10_030)) is None
    )


@pytest.mark.parametrize(
    "wish", [at("9", None, agent="house"), at("9", None, SELL, agent="house")], ids=["buy", "sell"]
)
def test_the_house_may_not_add_unjudged(wish) -> None:
    """The exemption is for flattening: there is no bypass for a larger position (B1)."""
    judge = gate(max_order_notional=D(10), max_position_size=D(1))

    assert verdict(judge, wish, position="1") is not None


VENUE = [
    # wish,                                            passes?
    (at("0.001"),                                      True),
    (at("0.002"),                                      True),
    (at("0.0015"),                                     False),
    (at("0"),                                          False),
    (at("-1"),                                         False),
    (at(price="1000.1"),                               True),
    (at(price="1000.05"),                              False),
    (at(price="0.0"),                                  False),
    (at(price="-1.0"),                                 False),
    (at(price=None, type=OrderType.STOP, trigger_price=D("1000.1")),  True),
    (at(price=None, type=OrderType.STOP, trigger_price=D("1000.15")), False),
    (at(price=None, type=OrderType.STOP, trigger_price=D(0)),         False),
    (at(price=None),                                   True),
    (at(price="1000.05", type=OrderType.MARKET),       False),
    (at(trigger_price=D("1000.05")),                   False),
    (at(trail_bps=D(0)),                               False),
    (at("0.0015", None, type=OrderType.TRAILING, trail_bps=D(50)),    False),
]  # fmt: skip


@pytest.mark.parametrize(("wish", "passes"), VENUE)
def test_venue_rules(wish, passes: bool) -> None:
    """On the tick, on the step, at least the minimum: for the house as for agents."""
    house = at("1", str(wish.price), agent="house") if wish.price else None

    assert (None if passes else "venue_rules") == verdict(gate(), wish)
    if house is not None:
        assert (wish.price % D("0.1") == 0 < wish.price) is (verdict(gate(), house) is None)


@pytest.mark.parametrize(("qty", "passes"), [("0.004", False), ("0.005", True)])
@pytest.mark.parametrize("agent", ["a", "house"])
def test_minimum_quantity_holds_for_everybody(qty: str, agent: str, passes: bool) -> None:
    """A venue takes no smaller order, whoever sends it."""
    found = verdict(gate(), at(qty, agent=agent), market=view(min_qty=D("0.005")))

    assert (None if passes else "venue_rules") == found


@pytest.mark.parametrize(
    ("qty", "position", "passes"),
    [
        ("0.001", "0", False), ("0.049", "0", False), ("0.05", "0", True),
        ("0.049", "-1", True), ("0.049", "1", False),
    ],
)  # fmt: skip
def test_minimum_notional_spares_what_reduces(qty: str, position: str, passes: bool) -> None:
    """A remainder below the venue's minimum can still be closed."""
    market = view(min_notional=D(50))

    assert (None if passes else "venue_rules") == verdict(
        gate(), at(qty), position=position, market=market
    )


@pytest.mark.parametrize(
    "changes",
    [
        {"type": OrderType.LIMIT, "price": None},
        {"type": OrderType.STOP, "price": None, "trigger_price": None},
        {"type": OrderType.TAKE_PROFIT, "price": None, "trigger_price": None},
        {"type": OrderType.TRAILING, "price": None, "trail_bps": None},
    ],
    ids=lambda changes: changes["type"],
)
def test_an_order_without_its_price_is_refused(changes: dict) -> None:
    """A venue would refuse it, and the gate would judge it by a price it does not have."""
    assert "venue_rules" == verdict(gate(), replace(at(), **changes))


def test_a_market_order_is_judged_at_the_touch_whatever_price_it_carries() -> None:
    """The venue ignores the price of a market order, so the gate must: else 0.1 passes any limit."""
    judge = gate(max_order_notional=D(1_000), max_position_notional=D(1_000))

    assert verdict(judge, at("5", "0.1", type=OrderType.MARKET)) is not None


SELF_TRADE = [
    # wish,                                  own order,                                     passes?
    (at(price="1000.0"),                     resting(side=SELL, price="1000.1"),            True),
    (at(price="1000.1"),                     resting(side=SELL, price="1000.1"),            False),
    (at(price="1000.2"),                     resting(side=SELL, price="1000.1"),            False),
    (at(price="999.9", side=SELL),           resting(side=BUY, price="999.8"),              True),
    (at(price="999.8", side=SELL),           resting(side=BUY, price="999.8"),              False),
    (at(price="1000.1"),                     resting(side=BUY, price="1000.1"),             True),
    (at(price=None),                         resting(side=SELL, price="1000.1"),            False),
    (at(price=None, side=SELL),              resting(side=BUY, price="999.9"),              False),
    (at(price="1000.1"),                     resting(side=SELL, price="1000.1", state=OrderState.PENDING_CANCEL), False),
    (at(price="1000.1"),                     resting(side=SELL, type=OrderType.STOP, price=None, trigger_price=D(999)), True),
    (at(price=None, type=OrderType.STOP, trigger_price=D("1000.1")), resting(side=SELL, price="1000.1"), True),
    (at(price=None, type=OrderType.TRAILING, trail_bps=D(50)), resting(side=SELL, price="1000.1"), True),
]  # fmt: skip


@pytest.mark.parametrize(("wish", "own", "passes"), SELF_TRADE)
def test_self_trade(wish, own, passes: bool) -> None:
    """No order may meet one of our own; one that waits for a trigger does not yet."""
    assert (None if passes else "self_trade") == verdict(gate(), wish, working=[own])


def test_an_exit_may_not_meet_our_own_order_either() -> None:
    own = resting(side=BUY, price="999.8")

    assert "self_trade" == verdict(
        gate(), at(price="999.8", side=SELL), position="3", working=[own]
    )


def deep(sync: bool = True, lots: int = 1):
    """One lot of 0.001 at the touch, then asks at 1000.5 and 1002.0, bids at 999.0 and 998.0."""
    market = view(lots=lots)
    bids = ((9_999, lots), (9_990, 1), (9_980, 8))
    asks = ((10_001, lots), (10_005, 1), (10_020, 8))
    if sync:
        market.book.apply(Depth(0, market.symbol, bids, asks, is_snapshot=True, last_seq=1))
    return market


SLIPPAGE = [
    # qty,     side, lots, book?, expected bps of mid 1000: by hand, from the levels above
    ("0.001",  BUY,  1,    True,  "1"),
    ("0.001",  BUY,  5,    True,  "1"),
    ("0.002",  BUY,  1,    True,  "3"),
    ("0.004",  BUY,  1,    True,  "11.5"),
    ("0.010",  SELL, 1,    True,  "17.1"),
    ("0.020",  BUY,  1,    True,  "18.3"),
    ("0.004",  BUY,  1,    False, "1"),
]  # fmt: skip


@pytest.mark.parametrize(("qty", "side", "lots", "has_book", "bps"), SLIPPAGE)
def test_slippage_walks_the_known_book(qty: str, side, lots, has_book: bool, bps: str) -> None:
    """The average over the levels it would take, the last one for what the book does not show."""
    market = deep(sync=has_book, lots=lots)
    wish = at(qty, None, side)

    assert verdict(gate(max_slippage_bps=D(bps)), wish, market=market) is None
    judge = gate(max_slippage_bps=D(bps) - D("0.000001"))
    assert "price_collar" == verdict(judge, wish, market=market)


def test_slippage_fails_closed_without_a_mid() -> None:
    """Asked alone, before `reference_price` could refuse."""
    unseen = context(at(price=None), market=view(0, 0))

    assert slippage(unseen, D(20)) == ("20", "no mid")


@pytest.mark.parametrize("balance", ["50", "100"])
def test_leverage_without_equity_is_refused(balance: str) -> None:
    """Nothing left to lever: a loss as large as the balance ends new risk."""
    market = view(8_999, 9_001)
    reading = context(at("0.001", "900.0"), position="1", balance=balance, market=market)
    reading.portfolio.mark(reading.intent.symbol, 18_000)
    refused = gate(max_leverage=D(2)).check(reading)

    assert isinstance(refused, Refused)
    assert ("portfolio", "no equity") == (refused.rule, refused.reading)


def test_concentration_needs_a_second_instrument() -> None:
    """Alone, an instrument is all of gross; that is no concentration one could avoid."""
    assert verdict(gate(max_concentration=D("0.1")), at("1")) is None


def test_an_amend_opens_no_order() -> None:
    """What replaces a working order does not raise the count."""
    judge = gate(max_open_orders=1, max_open_orders_per_symbol=1)

    assert verdict(judge, at(), is_amend=True, **many(3)) is None


def test_every_rule_has_a_row() -> None:
    """A new limit fails here until someone writes its boundary down."""
    elsewhere = {"needs_arming"}  # test_arming
    assert {row.setting for row in RULES if row.setting} == {row[1] for row in ROWS} | elsewhere
    assert {row.setting for row in RULES if row.setting} <= set(RiskLimits.__dataclass_fields__)
