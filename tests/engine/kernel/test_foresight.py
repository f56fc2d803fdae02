"""A look ahead at an order: its figures, its verdict, and that asking changes nothing."""

from decimal import Decimal
from typing import Any

import pytest
from msgspec.structs import replace

from engine.kernel.checkpoint import snapshot
from engine.kernel.foresight import Foresight
from engine.model.account import MarginMode
from engine.model.events import Operator
from engine.model.market import Depth
from engine.model.prospect import Prospect
from engine.model.venue_events import VenueMargin
from engine.venue import Charges
from tests.engine.kernel.rig import BUY, SELL, D, Rig, Scripted, limit, market

PLACE, AMEND = Operator.PLACE_ORDER, Operator.AMEND_ORDER
CHARGES = Charges(maker_fee_bps=D(2), taker_fee_bps=D(5), leverage=D(5))


def look(rig: Rig, argument: str, command: Operator = PLACE) -> Prospect:
    seen = Foresight(rig.kernel, CHARGES).of(command, argument)
    assert isinstance(seen, Prospect), seen
    return seen


def deep(**how: Any) -> Rig:
    """A book of 1 BTC at each of five levels from 1000.0 / 1000.1, one tick apart."""
    rig = Rig(Scripted("a"), **how)
    bids = tuple((10_000 - i, 1_000) for i in range(5))
    asks = tuple((10_001 + i, 1_000) for i in range(5))
    rig.now += 1
    rig.turn.market(Depth(rig.now, "BTC", bids, asks, is_snapshot=True))
    rig.quote(lots=1_000)
    return rig


COSTS = [
    # order,                        taken,    unseen, avg bps off mid, worst,    fee
    ("BUY 1 BTC MARKET IOC",        "1",      "0",    "0.05",          "1000.1", "0.500050"),
    ("BUY 2.5 BTC MARKET IOC",      "2.5",    "0",    "0.13",          "1000.3", "1.250225"),
    ("BUY 7 BTC MARKET IOC",        "7",      "2",    "0.307143",      "1000.5", "3.501250"),
    ("SELL 2 BTC MARKET IOC",       "2",      "0",    "0.1",           "999.9",  "0.999950"),
    ("BUY 3 BTC LIMIT 1000.2 GTC",  "2",      "0",    "0.1",           "1000.2", "1.200190"),
    ("BUY 3 BTC LIMIT 1000.2 IOC",  "2",      "0",    "0.1",           "1000.2", "1.000150"),
    ("BUY 3 BTC LIMIT 999 GTC",     "0",      "0",    None,            None,     "0.5994"),
    ("BUY 1 BTC LIMIT 1000.2 GTC post_only", "0", "0", None,           None,     "0.200040"),
]  # fmt: skip


@pytest.mark.parametrize(("order", "taken", "unseen", "bps", "worst", "fee"), COSTS)
def test_costs(
    order: str, taken: str, unseen: str, bps: str | None, worst: str | None, fee: str
) -> None:
    """Walked level by level; a taker pays 5 bps, what rests 2, what is dropped nothing."""
    costs = look(deep(), order).costs
    off = costs.slippage_bps

    assert (D(taken), D(unseen)) == (costs.taken_qty, costs.unseen_qty)
    assert (None if worst is None else D(worst)) == costs.worst_price
    assert (bps is None) is (off is None)
    assert off is None or abs(off * D("1000.05") / 1000 - D(bps or 0) * 10) < D("0.001")
    assert D(fee) == costs.fee
    assert costs.worst_fee >= costs.fee


def test_positions_margin_and_liquidation_after() -> None:
    """Net, one's own, what is tied up, and the price that would end it; checked by hand."""
    rig = Rig(Scripted("a"))
    rig.ask("a", market(SELL, "0.5"))
    after = look(rig, "BUY 2 BTC LIMIT 1000 GTC post_only").after

    assert (D("-0.5"), D("1.5"), D(2)) == (after.position_before, after.position, after.own)
    assert D("1.5") * D("1000.05") / 5 == after.margin
    assert after.liquidation_price is None, "10,000 of equity carry 1.5 BTC at 1,000 to zero"
    short = look(rig, "SELL 20 BTC MARKET IOC").after
    price = short.liquidation_price
    assert price is not None
    lost = short.position * (price - D("1000.05"))
    assert abs(short.equity + lost - abs(short.position) * price * D("0.004")) < D(3)
    assert short.equity + lost >= abs(short.position) * price * D("0.004")


def test_margin_is_by_the_least_leverage_at_the_venue() -> None:
    """As told at the start, then as another hand has it."""
    rig = deep()
    charges = replace(CHARGES, leverages={"BTC": 4, "ETH": 3})
    foresight = Foresight(rig.kernel, charges)

    def margin() -> Decimal:
        seen = foresight.of(PLACE, "BUY 1 BTC LIMIT 999 GTC post_only")
        assert isinstance(seen, Prospect)
        return seen.after.margin

    def told(symbol: str, leverage: int, was: int) -> VenueMargin:
        return VenueMargin(rig.now, symbol, leverage, MarginMode.CROSS, was, MarginMode.CROSS)

    whole = D("1000.05")
    assert whole / 3 == margin()
    foresight.heard(told("ETH", 10, 3))
    assert whole / 4 == margin()
    foresight.heard(told("BTC", 2, 4))
    assert whole / 2 == margin()


VERDICTS = [
    # limits,                           order,                                  rule,           route
    ({},                                "BUY 0.1 BTC MARKET IOC",               "",             "PLACE NO_EXISTING_ORDER"),
    ({"max_order_notional": D(50)},     "BUY 0.1 BTC MARKET IOC",               "order_size",   "BLOCK RISK_GATE"),
    ({"max_orders_per_minute": 1},      "BUY 0.1 BTC MARKET IOC",               "throttle",     "BLOCK RISK_GATE"),
    ({},                                "BUY 0.0001 BTC MARKET IOC",            "venue_rules",  "BLOCK CONSTRAINT_VIOLATION"),
    ({},                                "BUY 0.1 BTC LIMIT 1000.05 GTC",        "venue_rules",  "BLOCK CONSTRAINT_VIOLATION"),
    ({},                                "SELL 0.1 BTC MARKET IOC reduce_only",  "venue_rules",  "BLOCK CONSTRAINT_VIOLATION"),
    ({},                                "SELL 0.1 BTC LIMIT 999 GTC",           "self_trade",   "BLOCK RISK_GATE"),
]  # fmt: skip


@pytest.mark.parametrize(("limits", "order", "rule", "route"), VERDICTS)
def test_the_verdict_is_the_gates(
    limits: dict[str, Any], order: str, rule: str, route: str
) -> None:
    """What is foreseen is what then happens."""
    rig = Rig(Scripted("a"), limits=limits)
    rig.ask("a", limit(BUY, "0.1", "999.5"))
    seen = look(rig, order)
    rig.tell(PLACE, argument=order)
    (said,) = [v for v in rig.lines("gate_verdict") if v["intent_id"] == "operator-1"]
    (done,) = [r for r in rig.lines("router_decision") if r["intent_id"] == "operator-1"]

    verdict = seen.verdict
    assert (rule, route) == (verdict.rule, verdict.route)
    if not said["is_waiting"]:
        assert (said["rule"], said["limit"], said["reading"]) == (
            verdict.rule, verdict.limit, verdict.reading,
        )  # fmt: skip
    assert route == f"{done['decision']} {done['reason']}"


def test_every_limit_says_how_close() -> None:
    """The reading of each rule that has a say, in the order of the gate."""
    seen = look(Rig(Scripted("a"), limits={"max_position_size": D(2)}), "BUY 0.5 BTC MARKET IOC")
    rows = {row.setting or row.name: row for row in seen.verdict.readings}

    size = rows["max_position_size"]
    assert ("2", "0.5", True) == (size.limit, size.reading, size.passed)
    assert rows["max_leverage"].passed is None, "switched off"


def test_an_amend_is_foreseen_as_one() -> None:
    """Without the size it already has working."""
    rig = Rig(Scripted("a"), by_hand=True, limits={"max_position_size": D("0.3")})
    rig.tell(PLACE, argument="BUY 0.2 BTC LIMIT 999 GTC")
    rig.accept("operator-1")
    seen = look(rig, "operator-1 0.3 999.1", AMEND)

    assert (True, "AMEND SMALL_CHANGE") == (seen.verdict.is_approved, seen.verdict.route)


def test_asking_changes_nothing() -> None:
    """Not a byte of the state, not a line, not an id: a run that was asked is the run that was not."""
    quiet, asked = deep(), deep()
    for rig in (quiet, asked):
        rig.ask("a", limit(BUY, "0.1", "999"))
        rig.ask("a", market(BUY, "0.3"))
    before = snapshot(asked.kernel)
    for order in [row[0] for row in COSTS] * 20 + [row[1] for row in VERDICTS] * 20:
        Foresight(asked.kernel, CHARGES).of(PLACE, order)
    Foresight(asked.kernel, CHARGES).of(PLACE, "BUY 1 XRP MARKET IOC")
    after = snapshot(asked.kernel)
    for rig in (quiet, asked):
        rig.tell(PLACE, argument="BUY 0.1 BTC LIMIT 999 GTC")
        rig.ask("a", limit(SELL, "0.1", "1001"))
        rig.wait(2)

    assert before == after
    assert quiet.journal.lines == asked.journal.lines


def test_nothing_is_foreseen_of_nonsense() -> None:
    """In words, not by an error."""
    rig = Rig(Scripted("a"))
    for words in ("", "BUY", "BUY 1 XRP MARKET IOC"):
        assert "no order" in str(Foresight(rig.kernel, CHARGES).of(PLACE, words))


@pytest.mark.parametrize("priced", [True, False])
def test_without_a_price(priced: bool) -> None:
    """The gate refuses for want of a quote; figures that can't be known are None."""
    rig = Rig(Scripted("a"), priced=priced)
    seen = look(rig, "BUY 0.1 BTC MARKET IOC")

    assert priced is seen.verdict.is_approved
    assert priced is (seen.quote.age_ms is not None) is (seen.costs.slippage_bps is not None)
    assert Decimal(0) <= seen.costs.notional
