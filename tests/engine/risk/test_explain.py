"""Every rule's own verdict, held against the gate's; and changes that do what they say."""

from decimal import Decimal

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from msgspec.structs import replace

from engine.model.orders import OrderType
from engine.risk.attentive_gate import AttentiveGate
from engine.risk.explain import explain
from engine.risk.gate import Gate, Refused
from engine.risk.lifecycle import FsmState
from engine.risk.limits import RiskLimits
from engine.risk.rules import RULES
from tests.engine.factories import BUY, MS, SELL, D, exactly, view
from tests.engine.risk.judged import OFF, at, context, resting
from tests.engine.risk.test_rules import IDS, ROWS

exact = pytest.fixture(autouse=True)(exactly)


def attentive(wish, **limits: object) -> AttentiveGate:
    return AttentiveGate(RiskLimits(**(OFF | limits)), wish.intent_id)


def first_stop(readings):
    return next((row for row in readings if row.passed is False), None)


@pytest.mark.parametrize(("rule", "setting", "limit", "below", "equal", "above"), ROWS, ids=IDS)
def test_rows_say_what_the_rules_say(rule, setting, limit, below, equal, above) -> None:
    """At the limit the row passes and tells its reading; beyond, it stops as the gate does."""
    limits = RiskLimits(**(OFF | {setting: limit}))

    passing = {row.setting: row for row in explain(context(equal[0], **equal[1]), limits)}[setting]
    stopping = first_stop(explain(context(above[0], **above[1]), limits))
    refused = Gate(limits).check(context(above[0], **above[1]))

    assert passing.passed is True
    assert passing.reading
    assert str(limit) in passing.limit
    assert isinstance(refused, Refused)
    assert (refused.rule, refused.setting, refused.limit, refused.reading) == stopping[:4]


def test_every_rule_has_a_row() -> None:
    """A rule added to the table shows up here without anybody's help."""
    rows = attentive(at()).readings(context(at()))

    assert ["duplicate", *(row.name for row in RULES), "throttle"] == [row.name for row in rows]


def test_rules_without_a_say_say_why() -> None:
    """Switched off, out of scope, or about other orders: none of that is a pass."""
    exit_ = at("1", None, SELL, reduce_only=True)
    limits = RiskLimits(**(OFF | {"max_order_notional": D(1)}))
    rows = {(r.name, r.setting): r for r in explain(context(exit_, position="1"), limits)}
    buy = {(r.name, r.setting): r for r in explain(context(at()), RiskLimits())}

    assert rows["order_size", "max_order_notional"][3:] == ("not judged: it adds no risk", None)
    assert rows["position", "max_position_size"][2:] == ("off", "", None)
    assert buy["price_collar", "max_slippage_bps"][3:] == ("does not apply", None)


def test_without_a_price_nothing_is_made_up() -> None:
    """A market nobody has quoted yet has no notional to compare."""
    rows = explain(context(at(price=None), market=view(0, 0)), RiskLimits())

    assert "stale_price" == first_stop(rows).name
    assert {"no price"} == {row.reading for row in rows if row.setting == "max_order_notional"}


def test_a_wish_off_the_grid_stops_there() -> None:
    """What can't be read by one rule is not read by the others."""
    rows = explain(context(at("0.0005")), RiskLimits())

    assert ["venue_rules"] == [row.name for row in rows if row.passed is False]
    assert {None} == {row.passed for row in rows if row.name not in ("venue_rules", "state")}


WISHES = st.builds(
    at,
    qty=st.sampled_from(["0.001", "0.5", "1", "3", "0.0005", "100000"]),
    price=st.sampled_from([None, "1000.0", "990.0", "900.0", "1100.0", "1000.05"]),
    side=st.sampled_from([BUY, SELL]),
    reduce_only=st.booleans(),
    agent=st.sampled_from(["a", "house"]),
)
READINGS = st.fixed_dictionaries(
    {
        "position": st.sampled_from(["0", "1", "-2"]),
        "working": st.sampled_from([(), (resting(),), (resting("2", SELL, "995.0"),)]),
        "market": st.sampled_from([view(), view(9_000, 11_000), view(0, 0)]),
        "eth": st.sampled_from(["0", "10", "-10"]),
        "balance": st.sampled_from(["1000", "100", "0"]),
        "state": st.sampled_from(FsmState),
        "now_ns": st.sampled_from([0, 5_000 * MS]),
        "is_amend": st.booleans(),
    }
)
LIMITS = st.fixed_dictionaries(
    {},
    optional={
        "max_order_notional": st.sampled_from([D(100), D(1_000)]),
        "max_position_size": st.sampled_from([D(1), D(2)]),
        "max_position_notional": st.just(D(1_500)),
        "max_gross_notional": st.just(D(2_500)),
        "max_net_notional": st.just(D(1_200)),
        "max_leverage": st.just(D(2)),
        "max_concentration": st.just(D("0.7")),
        "max_open_orders": st.just(1),
        "max_price_deviation_bps": st.just(D(200)),
        "max_slippage_bps": st.just(D(20)),
        "max_spread_bps": st.just(D(20)),
    },
)


@settings(max_examples=400, deadline=None)
@given(WISHES, READINGS, LIMITS)
def test_the_first_stop_is_the_gates_refusal(wish, readings, limits) -> None:
    """Whatever is judged, the table and the gate never disagree."""
    limits = {"max_spread_bps": None, **limits}
    gate = attentive(wish, **limits)
    verdict = gate.check(context(wish, **readings))
    (judged,) = gate.judgements
    stop = first_stop(judged.readings)

    if isinstance(verdict, Refused):
        assert (verdict.rule, verdict.setting, verdict.limit, verdict.reading) == stop[:4]
    else:
        assert stop is None
        assert () == judged.changes


@settings(max_examples=400, deadline=None)
@given(WISHES, READINGS, LIMITS)
def test_changes_do_what_they_say(wish, readings, limits) -> None:
    """Each change alone lets the wish pass; a quantity one lot past its bound does not."""
    limits = {"max_spread_bps": None, **limits}
    gate = attentive(wish, **limits)
    gate.check(context(wish, **readings))

    for change in gate.judgements[0].changes:
        name, sign, value = change.split()
        if name.startswith("risk."):
            setting = name.removeprefix("risk.")
            number = int(value) if isinstance(getattr(RiskLimits(), setting), int) else D(value)
            assert passes(wish, readings, limits | {setting: number})
            continue
        assert passes(replace(wish, **{name: D(value)}), readings, limits)
        if name == "qty" and sign != "=":
            lot = D("0.001") if sign == "<=" else -D("0.001")
            assert not passes(replace(wish, qty=D(value) + lot), readings, limits)


def passes(wish, readings, limits) -> bool:
    return not isinstance(attentive(wish, **limits).check(context(wish, **readings)), Refused)


CHANGES = [
    # limits, wish, readings, what would have let it pass
    ({"max_order_notional": D(1_000)}, at("1.5"), {},
        ("qty <= 1.000", "risk.max_order_notional >= 1500")),
    ({"max_position_size": D(2)}, at("2"), {"position": "1"},
        ("qty <= 1.000", "risk.max_position_size >= 3")),
    ({"max_price_deviation_bps": D(100)}, at(price="900.0"), {},
        ("price >= 990.0", "risk.max_price_deviation_bps >= 1000")),
    ({"max_price_deviation_bps": D(100)}, at(price="1100.0", side=SELL), {},
        ("price <= 1010.0", "risk.max_price_deviation_bps >= 1000")),
    ({}, at(price="1000.0"), {"working": [resting("1", SELL, "999.0")]}, ("price <= 998.9",)),
    ({"max_spread_bps": D(20)}, at(), {"market": view(9_989, 10_011)},
        ("risk.max_spread_bps >= 22",)),
    ({"max_order_notional": D(50)}, at(), {"market": view(min_notional=D(100))},
        ("risk.max_order_notional >= 1000",)),
    ({}, at("0.05"), {"market": view(min_notional=D(100))}, ("qty >= 0.100",)),
    ({}, at("1.0005"), {}, ("qty = 1.000",)),
    ({}, at(price="1000.04"), {}, ("price = 1000.0",)),
    ({}, at(), {"state": FsmState.PAUSED}, ()),
    ({}, at("2", None, SELL), {"position": "1", "state": FsmState.DEGRADED}, ("qty <= 1.000",)),
    ({"max_order_notional": D(500), "max_spread_bps": D(1)}, at(), {}, ()),
]  # fmt: skip


@pytest.mark.parametrize(("limits", "wish", "readings", "expected"), CHANGES)
def test_smallest_change(limits, wish, readings, expected) -> None:
    """One thing at a time: the wish's own numbers first, then the limit; or nothing at all."""
    gate = attentive(wish, **limits)
    gate.check(context(wish, **readings))

    assert expected == gate.judgements[0].changes


def test_a_throttled_wish_waits() -> None:
    """How long, to the tenth of a second, never too short."""
    wish = at()
    gate = attentive(wish, max_orders_per_minute=1, max_quote_age_ms=100_000)
    gate.commit("a-1", 0, is_amend=False, is_house=False)
    refused = gate.check(context(wish, now_ns=46_750 * MS))

    assert isinstance(refused, Refused)
    assert "throttle" == refused.rule
    assert ("wait 13.3 s for a token",) == gate.judgements[0].changes


def test_a_second_time_is_a_duplicate() -> None:
    """The gate's own rows are judged as the gate does: nothing helps an id that was used."""
    gate = attentive(at())
    gate.commit("a-9", 0, is_amend=False, is_house=False)
    refused = gate.check(context(at()))

    assert isinstance(refused, Refused)
    assert ("duplicate", False) == (refused.rule, gate.judgements[0].readings[0].passed)
    assert () == gate.judgements[0].changes


def test_only_the_intent_looked_for_is_kept() -> None:
    """A replay of a day asks the gate a million times."""
    gate = AttentiveGate(RiskLimits(), "a-1")
    gate.check(context(at()))

    assert [] == gate.judgements


def test_asking_leaves_the_readings_alone() -> None:
    """The search for a change puts everything back: the gate's own verdict comes after it."""
    wish = at("1.5", type=OrderType.LIMIT)
    asked, plain = context(wish), context(wish)
    limits = {"max_order_notional": D(1_000)}

    assert attentive(wish, **limits).check(asked) == Gate(RiskLimits(**(OFF | limits))).check(plain)
    assert wish is asked.intent
    assert plain.notional == asked.notional == Decimal(1_500)
