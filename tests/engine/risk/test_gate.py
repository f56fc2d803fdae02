"""The gate as a whole: one verdict, its state, and what it must never let through."""

from decimal import Decimal
from itertools import product

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from msgspec.structs import replace

from engine.model.orders import Approved, OrderState, OrderType, Side
from engine.risk.gate import SEEN_MAX, Gate, Refused
from engine.risk.lifecycle import FsmState
from engine.risk.limits import RiskLimits
from tests.engine.factories import BUY, MS, SELL, D, exactly, view
from tests.engine.risk.judged import at, context, gate, resting, verdict

exact = pytest.fixture(autouse=True)(exactly)

MINUTE = 60_000_000_000


def test_approval_carries_the_intent_it_judged() -> None:
    """What was approved is what is sent, to the object."""
    wish = at()
    approved = gate().check(context(wish))

    assert isinstance(approved, Approved)
    assert wish is approved.intent


ADDING_STATES = {FsmState.ACTIVE, FsmState.THROTTLED}


@pytest.mark.parametrize(("state", "house"), list(product(FsmState, [False, True])))
def test_state(state: FsmState, house: bool) -> None:
    """New risk in ACTIVE and THROTTLED only; closing in every state in which something is known."""
    agent = "house" if house else "a"
    adds = at(agent=agent)
    closes = at("1", None, SELL, agent=agent, reduce_only=True)

    assert (state in ADDING_STATES) is (verdict(gate(), adds, state=state) is None)
    assert (state is not FsmState.INIT) is (
        verdict(gate(), closes, position="1", state=state) is None
    )


def test_state_refusal_names_the_state() -> None:
    refused = gate().check(context(at(), state=FsmState.DEGRADED))

    assert Refused("state", "", "reducing only", "DEGRADED") == refused


LADDER = [
    # the rule that refuses, what is mended before the next try
    ("state",        {"state": FsmState.ACTIVE}),
    ("venue_rules",  {"qty": D("100.1")}),
    ("order_size",   {"max_order_notional": D(10**9)}),
    ("price_collar", {"max_price_deviation_bps": D(10**4)}),
    ("stale_price",  {"now_ns": 0}),
    ("position",     {"max_position_size": D(10**6)}),
    ("position",     {"max_position_notional": D(10**9)}),
    ("portfolio",    {"max_gross_notional": D(10**9)}),
    ("portfolio",    {"max_net_notional": D(10**9)}),
    ("portfolio",    {"max_leverage": D(10**6)}),
    ("portfolio",    {"max_concentration": D(1)}),
    ("open_orders",  {"max_open_orders": 10}),
    ("open_orders",  {"max_open_orders_per_symbol": 10}),
    ("spread",       {"max_spread_bps": D(10**4)}),
    ("self_trade",   {"working": [resting("0.001"), resting("0.001")]}),
    ("throttle",     {"max_orders_per_minute": 5}),
    (None,           {}),
]  # fmt: skip


def test_first_failing_rule_wins() -> None:
    """One wish breaks every rule; mended one by one, each next rule in the order names itself."""
    limits: dict = {
        "max_order_notional": D(1), "max_price_deviation_bps": D(1), "max_position_size": D(1),
        "max_position_notional": D(1), "max_gross_notional": D(1), "max_net_notional": D(1),
        "max_leverage": D("0.01"), "max_concentration": D("0.01"), "max_open_orders": 1,
        "max_open_orders_per_symbol": 1, "max_spread_bps": D("0.1"), "max_orders_per_minute": 1,
    }  # fmt: skip
    told: dict = {
        "state": FsmState.PAUSED, "now_ns": 10**10, "eth": "1",
        "working": [resting("0.001"), resting("0.001", SELL, "1000.0")],
    }  # fmt: skip
    wish, seen = at("100.0005", "1001.0"), []
    for _, mend in LADDER:
        judge = gate(**limits)
        judge.commit("earlier", told["now_ns"], is_amend=False, is_house=False)
        seen.append(verdict(judge, wish, **told))
        for name, value in mend.items():
            if name == "qty":
                wish = replace(wish, qty=value)
            else:
                (limits if name.startswith("max") else told)[name] = value

    assert [rule for rule, _ in LADDER] == seen


# --- duplicates, request windows, checkpoints ----------------------------------------------------


def test_a_key_passes_once() -> None:
    """Judging does not use a key up, sending does; also for what the house sends."""
    judge = gate()
    assert [None, None] == [verdict(judge, at()), verdict(judge, at())]
    judge.commit("a-9", 0, is_amend=False, is_house=False)
    judge.commit("house-1", 0, is_amend=False, is_house=True)

    assert Refused("duplicate", "", "once", "a-9") == judge.check(context(at()))
    house = at("1", None, SELL, agent="house", intent_id="house-1", reduce_only=True)
    assert "duplicate" == verdict(judge, house, position="1")
    assert verdict(judge, at(intent_id="a-10")) is None


def test_seen_keys_are_bounded() -> None:
    """The newest SEEN_MAX keys are remembered, no more."""
    judge = gate()
    for number in range(SEEN_MAX + 1):
        judge.commit(f"a-{number}", 0, is_amend=False, is_house=False)

    assert "duplicate" == verdict(judge, at(intent_id="a-1"))
    assert verdict(judge, at(intent_id="a-0")) is None


@pytest.mark.parametrize("is_amend", [False, True], ids=["orders", "amends"])
def test_throttle(is_amend: bool) -> None:
    """The third within a minute is told when to come back; amends and placements count apart."""
    setting = "max_amends_per_minute" if is_amend else "max_orders_per_minute"
    judge = gate(**{setting: 2})
    for number, now_ns in enumerate((5, 10)):
        judge.commit(f"x-{number}", now_ns, is_amend=is_amend, is_house=False)
    market = view()
    market.priced_ns = MINUTE

    refused = judge.check(context(at(), now_ns=MINUTE + 4, is_amend=is_amend, market=market))
    assert Refused("throttle", setting, "2", "3", retry_ns=MINUTE + 5) == refused
    told = {"market": market, "now_ns": MINUTE + 4}
    assert verdict(judge, at(), is_amend=not is_amend, **told) is None
    assert verdict(judge, at(), is_amend=is_amend, market=market, now_ns=MINUTE + 5) is None


def test_the_house_is_never_throttled() -> None:
    """Flattening neither waits for the window nor fills it."""
    judge = gate(max_orders_per_minute=1)
    judge.commit("house-1", 0, is_amend=False, is_house=True)
    assert verdict(judge, at()) is None
    judge.commit("a-1", 0, is_amend=False, is_house=False)

    house = at("1", None, SELL, agent="house", reduce_only=True)
    assert verdict(judge, house, position="1") is None
    assert "throttle" == verdict(judge, at())


def test_cancels_have_a_window_of_their_own() -> None:
    """Placements never delay a cancel (B5); a refused one says by which limit."""
    judge = gate(max_orders_per_minute=1, max_amends_per_minute=1, max_cancels_per_minute=2)
    judge.commit("a-1", 0, is_amend=False, is_house=False)
    judge.commit("a-2", 0, is_amend=True, is_house=False)

    assert [True, True, False] == [judge.may_cancel(0) for _ in range(3)]
    assert Refused("throttle", "max_cancels_per_minute", "2", "3") == judge.refuse_cancel(0)
    assert judge.may_cancel(MINUTE)


def test_unknown_instrument() -> None:
    refused = gate().refuse_unknown("DOGE-USDT")

    assert Refused("instrument", "symbols", "the session's symbols", "DOGE-USDT") == refused


def busy(**limits: object) -> Gate:
    judge = gate(**limits)
    for number in range(2):
        judge.commit(f"a-{number}", number, is_amend=False, is_house=False)
        judge.may_cancel(number)
    return judge


LIMITED = {"max_orders_per_minute": 2, "max_cancels_per_minute": 2}


def test_a_restart_forgets_no_request() -> None:
    """Seen keys and full windows are in the checkpoint."""
    restored = gate(**LIMITED)
    restored.restore(busy(**LIMITED).snapshot())

    assert "duplicate" == verdict(restored, at(intent_id="a-1"))
    assert "throttle" == verdict(restored, at())
    assert not restored.may_cancel(2)


def test_a_restart_with_a_tighter_limit_is_held_to_it() -> None:
    """The checkpoint knows what was sent; how much may be sent is this session's setting (B7)."""
    restored = gate(max_orders_per_minute=3, max_amends_per_minute=1, max_cancels_per_minute=2)
    before = busy(max_orders_per_minute=100, max_amends_per_minute=100, max_cancels_per_minute=100)
    before.commit("a-3", 2, is_amend=True, is_house=False)
    restored.restore(before.snapshot())
    restored.commit("a-2", 2, is_amend=False, is_house=False)

    assert "throttle" == verdict(restored, at())
    assert "throttle" == verdict(restored, at(), is_amend=True)
    assert not restored.may_cancel(2)


# --- fail closed ---------------------------------------------------------------------------------


@pytest.mark.parametrize("wish", [at(), at(price=None), at(price=None, side=SELL)])
def test_without_a_quote_nothing_is_added(wish) -> None:
    """No reference price: refused by that name, with every limit off (B2)."""
    assert "stale_price" == verdict(gate(), wish, market=view(0, 0))


@pytest.mark.parametrize(("price", "rule"), [("1000.0", "price_collar"), (None, None)])
def test_without_a_quote_an_exit_gets_a_verdict(price: str | None, rule: str | None) -> None:
    """After a restart a position may come before its first quote: a market order still leaves."""
    judge = Gate(RiskLimits())
    wish = at("1", price, SELL, reduce_only=True)

    assert rule == verdict(judge, wish, position="1", market=view(0, 0))


def test_without_a_quote_the_house_still_flattens() -> None:
    wish = at("1", None, SELL, agent="house", reduce_only=True)

    assert verdict(Gate(RiskLimits()), wish, position="1", market=view(0, 0)) is None


HOSTILE = [
    "0", "-1", "-0.001", "NaN", "-NaN", "sNaN", "Infinity", "-Infinity", "1E+58", "1E+80",
    "1E-58", "0." + "1" * 58, "100000.000000000000000000000000000000000000000000000000000000001",
]  # fmt: skip


@pytest.mark.parametrize("number", HOSTILE)
@pytest.mark.parametrize("field", ["qty", "price", "trigger_price"])
def test_a_number_no_venue_can_take_is_refused(field: str, number: str) -> None:
    """Whatever it is, the gate answers with a refusal and not with an exception (B2)."""
    wish = at("0.5", None, type=OrderType.STOP, trigger_price=D(1_000))
    wish = at("0.5", "1000.1") if field == "price" else wish
    wish = replace(wish, **{field: Decimal(number)})

    for position in ("0", "3", "-3"):
        judged = Gate(RiskLimits()).check(context(wish, position=position))
        assert isinstance(judged, Refused)


# --- whatever the agents wish --------------------------------------------------------------------

LOTS = st.integers(1, 40)
HELD = st.integers(-40, 40)
WORKING = st.lists(
    st.builds(
        lambda side, qty, filled, state: resting(
            str(qty + filled), side, "900.0" if side is BUY else "1100.0",
            filled_qty=D(filled), state=state,
        ),
        st.sampled_from(Side), LOTS, st.integers(0, 5),
        st.sampled_from([OrderState.ACCEPTED, OrderState.UNKNOWN, OrderState.PENDING_CANCEL]),
    ),
    max_size=4,
)  # fmt: skip
WISHES = st.builds(
    lambda side, qty, price, reduce_only: at(str(qty), price, side, reduce_only=reduce_only),
    st.sampled_from(Side), LOTS, st.sampled_from(["990.0", "1000.0", "1009.9", None]), st.booleans(),
)  # fmt: skip


def extremes(position: int, working: list, wish) -> tuple[Decimal, Decimal]:
    """Lowest and highest position over every set of our orders that may fill, counted one by one."""
    low = high = D(position)
    for side, qty in [(o.side, o.qty - o.filled_qty) for o in working] + [(wish.side, wish.qty)]:
        if side is BUY:
            high += qty
        else:
            low -= qty
    return low, high


@given(WISHES, HELD, WORKING, LOTS, st.booleans())
@settings(derandomize=True, max_examples=400, deadline=None)
def test_no_approval_lets_the_worst_case_pass_the_limit(wish, position, working, limit, by_value):
    """Position plus everything live on its side stays within the limit once the wish adds risk."""
    setting = (
        {"max_position_notional": D(limit * 1_010)} if by_value else {"max_position_size": D(limit)}
    )
    told = {"position": str(position), "working": working}
    approved = verdict(gate(**setting), wish, **told) is None
    low, high = extremes(position, working, wish)
    worst = abs(high if wish.side is BUY else low)
    reduces = verdict(gate(), wish, **told, state=FsmState.DEGRADED) is None

    if approved and not reduces:
        assert worst * 990 <= limit * (1_010 if by_value else 990)
    if not approved:
        assert worst > limit or by_value
        assert not reduces
    if reduces and not wish.reduce_only:
        assert worst <= abs(position)


@given(WISHES, HELD, WORKING, st.sampled_from(sorted(set(FsmState) - ADDING_STATES)))
@settings(derandomize=True, max_examples=300, deadline=None)
def test_no_state_but_trading_lets_risk_in(wish, position, working, state) -> None:
    """Approved outside ACTIVE and THROTTLED, an order can only shrink what is held (B4)."""
    if verdict(gate(), wish, position=str(position), working=working, state=state) is not None:
        return
    low, high = extremes(position, working, wish)
    after = high if wish.side is BUY else low

    assert state is not FsmState.INIT
    assert wish.side.sign * position < 0
    if not wish.reduce_only:
        assert abs(after) <= abs(position)
        assert after * position >= 0


@given(st.lists(st.tuples(st.integers(0, 30_000), st.sampled_from(["order", "amend", "cancel"]))))
@settings(derandomize=True, max_examples=100, deadline=None)
def test_no_minute_sees_more_than_its_limit(asks: list) -> None:
    """Counted over everything that left, kind by kind, in any sixty seconds."""
    limits = {"order": 3, "amend": 2, "cancel": 4}
    judge = gate(**{f"max_{kind}s_per_minute": n for kind, n in limits.items()})
    left, now_ns = [], 0
    for number, (gap_ms, kind) in enumerate(asks):
        now_ns += gap_ms * MS
        if kind == "cancel":
            if judge.may_cancel(now_ns):
                left.append((now_ns, kind))
            continue
        market, is_amend = view(), kind == "amend"
        market.priced_ns = now_ns
        wish = at(intent_id=f"a-{number}")
        if verdict(judge, wish, now_ns=now_ns, market=market, is_amend=is_amend) is None:
            judge.commit(wish.intent_id, now_ns, is_amend=is_amend, is_house=False)
            left.append((now_ns, kind))
    for start, kind in left:
        within = [ts for ts, k in left if k == kind and start <= ts < start + MINUTE]
        assert len(within) <= limits[kind]
