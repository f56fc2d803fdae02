"""Rounds of several agents, by policy; then the same rounds in every order of arrival."""

from collections import Counter
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.agents.supervisor import POLICIES, resolve
from engine.model.orders import CancelIntent, OrderIntent, OrderType, Side, TimeInForce
from engine.model.records import MetaDecision
from tests.engine.agents.build import SYMBOL, D, order_intent

B, S = Side.BUY, Side.SELL
LIMIT = {"type": OrderType.LIMIT, "price": D(1)}


def wish(agent: str, side: Side, qty: object, number: int = 1, **fields: object) -> OrderIntent:
    return order_intent(agent, number, side=side, qty=D(qty), **fields)


def stop(agent: str, number: int = 9, slot: str = "stop") -> CancelIntent:
    return CancelIntent(1, f"{agent}-{number}", agent, SYMBOL, slot)


def settle(
    intents: list, policy: str = "net", priorities: dict | None = None
) -> tuple[dict[str, Decimal | None], MetaDecision | None]:
    """Return what passes as id to quantity, in order, and the decision."""
    chosen, decision = resolve(intents, policy, priorities or {}, 7, SYMBOL)
    return {i.intent_id: getattr(i, "qty", None) for i in chosen}, decision


# --- One voice -----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "intents",
    [
        [],
        [wish("a", B, 1)],
        [stop("a")],
        [wish("a", B, 1), wish("a", S, 2, 2)],
        [wish("a", B, 1), stop("a", 2)],
    ],
)
def test_one_agent_passes_as_it_is(intents: list) -> None:
    """No decision is recorded where there was nothing to decide."""
    chosen, decision = resolve(intents, "net", {}, 7, SYMBOL)

    assert chosen is intents
    assert decision is None


def test_the_last_wish_for_a_slot_wins() -> None:
    """By number, not by text or arrival; and the drop is recorded, even of a lone agent."""
    intents = [wish("a", B, 1, 10, slot="x"), wish("a", B, 2, 9, slot="x"), wish("a", B, 3, 1)]

    passing, decision = settle(intents)

    assert passing == {"a-1": D(3), "a-10": D(1)}
    assert decision is not None
    assert decision.overridden == ("a-9",)
    assert decision.rationale == "no conflict; superseded in their slots: a-9"


def test_slots_are_each_agents_own() -> None:
    """Two agents may name a slot alike."""
    passing, _ = settle([wish("a", B, 1, slot="x"), wish("b", B, 1, slot="x")])

    assert list(passing) == ["a-1", "b-1"]


@pytest.mark.parametrize(
    ("intents", "passing"),
    [
        ([wish("a", B, 1, 1, slot="x"), stop("a", 2, "x")], ["a-2"]),
        ([stop("a", 1, "x"), wish("a", B, 1, 2, slot="x")], ["a-1", "a-2"]),
        ([stop("a", 1, "x"), stop("a", 2, "x")], ["a-1", "a-2"]),
    ],
)
def test_cancels_always_pass(intents: list, passing: list) -> None:
    """A cancel outlives a later wish, and silences an earlier one."""
    assert list(settle(intents)[0]) == passing


# --- Conflicts -----------------------------------------------------------------------------------

NO_CONFLICT = [
    [wish("a", B, 1), wish("b", B, 2)],
    [wish("a", B, 1), wish("b", S, 2, **LIMIT)],  # resting
    [wish("a", B, 1), wish("b", S, 2, type=OrderType.STOP, trigger_price=D(1))],
    [wish("a", B, 1), wish("b", S, 2, reduce_only=True)],
    [wish("a", B, 1, reduce_only=True), wish("b", S, 2, reduce_only=True)],
    [wish("a", B, 1), wish("a", S, 2, 2), stop("b")],  # an agent against itself
    [wish("a", B, 1), stop("b")],
]


@pytest.mark.parametrize("policy", POLICIES)
@pytest.mark.parametrize("intents", NO_CONFLICT)
def test_no_conflict(intents: list, policy: str) -> None:
    """Resting, reducing and canceling stand in nobody's way; the round is recorded all the same."""
    passing, decision = settle(intents, policy)

    ids = tuple(intent.intent_id for intent in intents)
    assert passing == {i.intent_id: getattr(i, "qty", None) for i in intents}
    assert decision == MetaDecision(7, SYMBOL, policy, ids, ids, (), "no conflict")


IOC, FOK = {**LIMIT, "tif": TimeInForce.IOC}, {**LIMIT, "tif": TimeInForce.FOK}
NET = [
    # intents,                                                                priorities, what passes
    ([wish("a", B, 3), wish("b", S, 1)],                                      {},         {"a-1": 2}),
    ([wish("a", B, 1), wish("b", S, 3)],                                      {},         {"b-1": 2}),
    ([wish("a", B, 2), wish("b", S, 2)],                                      {},         {}),
    ([wish("a", B, 3, **IOC), wish("b", S, 1, **FOK)],                        {},         {"a-1": 2}),
    ([wish("a", B, 3), wish("b", B, 2), wish("c", S, 4)],                     {},         {"a-1": 1}),
    ([wish("a", B, 3), wish("b", B, 2), wish("c", S, 4)],                     {"b": 1},   {"b-1": 1}),
    ([wish("a", B, 3), wish("b", B, 2), wish("c", S, 1)],                     {},         {"a-1": 3, "b-1": 1}),
    ([wish("a", B, 3), wish("b", S, 1), wish("c", S, "0.5")],                 {"b": 9},   {"a-1": "1.5"}),
    ([wish("a", B, 1), wish("a", S, 5, 2, reduce_only=True), wish("b", S, 3)], {},        {"a-2": 5, "b-1": 2}),
    ([wish("a", S, 1, reduce_only=True), wish("b", B, 9), wish("c", S, 2)],   {},         {"a-1": 1, "b-1": 7}),
    ([wish("a", B, 3), wish("b", S, 1), stop("b"), wish("a", S, 8, 2, **LIMIT)], {},      {"a-1": 2, "a-2": 8, "b-9": None}),
]  # fmt: skip


@pytest.mark.parametrize(("intents", "priorities", "passing"), NET)
def test_net(intents: list, priorities: dict, passing: dict) -> None:
    """The smaller side is dropped whole, the larger cut by it from the lowest rank up."""
    found, decision = settle(intents, "net", priorities)

    assert found == {key: None if qty is None else D(qty) for key, qty in passing.items()}
    assert decision is not None
    assert decision.chosen == tuple(found)
    assert sorted((*decision.chosen, *decision.overridden)) == sorted(decision.inputs)
    assert decision.rationale.startswith("net: buy ")


PRIORITY = [
    # intents,                                                                 priorities,        what passes
    ([wish("a", B, 1), wish("b", S, 9)],                                       {"a": 2, "b": 1},  {"a-1": 1}),
    ([wish("a", B, 1), wish("b", S, 9)],                                       {"b": 1},          {"b-1": 9}),
    ([wish("a", B, 1), wish("b", S, 9)],                                       {},                {"a-1": 1}),
    ([wish("a", B, 1), wish("b", S, 9), wish("c", B, 4)],                      {"c": 1},          {"c-1": 4, "a-1": 1}),
    ([wish("a", B, 1), wish("a", S, 2, 2), wish("b", S, 9)],                   {"a": 1},          {"a-1": 1, "a-2": 2}),
    ([wish("a", B, 1), wish("b", S, 9, reduce_only=True), wish("c", S, 1)],    {"a": 1},          {"a-1": 1, "b-1": 9}),
    ([wish("a", B, 1), wish("b", S, 9), wish("b", S, 5, 2, **LIMIT), stop("b", 3)], {"a": 1},     {"a-1": 1, "b-2": 5, "b-3": None}),
]  # fmt: skip


@pytest.mark.parametrize(("intents", "priorities", "passing"), PRIORITY)
def test_priority(intents: list, priorities: dict, passing: dict) -> None:
    """The highest has its way; what others want against it at once is overridden."""
    found, decision = settle(intents, "priority", priorities)

    assert found == {key: None if qty is None else D(qty) for key, qty in passing.items()}
    assert list(found) == list(passing)
    assert decision is not None
    assert decision.rationale.startswith("priority: ")


def test_nothing_else_of_a_cut_intent_changes() -> None:
    """Only the quantity is cut: id, slot, reason and the rest are the agent's."""
    intent = wish("a", B, 3, slot="entry", reason="because")

    chosen, _ = resolve([intent, wish("b", S, 1)], "net", {}, 7, SYMBOL)

    assert chosen == [wish("a", B, 2, slot="entry", reason="because")]


# --- Any round, any order ------------------------------------------------------------------------

SHAPES = st.sampled_from([{}, {"reduce_only": True}, LIMIT, IOC])


@st.composite
def rounds(draw: st.DrawFn) -> list:
    """Up to three agents with rising numbers, slots that collide, and cancels."""
    intents: list = []
    for agent in draw(st.lists(st.sampled_from("abc"), unique=True)):
        for number in range(draw(st.integers(0, 4))):
            slot = draw(st.sampled_from("xyz"))
            if draw(st.integers(0, 4)) == 0:
                intents.append(stop(agent, number + 8, slot))
                continue
            qty = draw(st.decimals("0.001", 9, places=3))
            fields = draw(SHAPES)
            side = draw(st.sampled_from(Side))
            intents.append(wish(agent, side, qty, number + 8, slot=slot, **fields))
    return intents


PRIORITIES = st.dictionaries(st.sampled_from("abc"), st.integers(-2, 2))


@given(rounds(), st.data(), st.sampled_from(sorted(POLICIES)), PRIORITIES)
def test_arrival_order_does_not_matter(
    intents: list, data: st.DataObject, policy: str, priorities: dict
) -> None:
    """Any permutation of a round of several agents gives the same decision."""
    shuffled = data.draw(st.permutations(intents))
    chosen, decision = resolve(intents, policy, priorities, 7, SYMBOL)
    again, same = resolve(shuffled, policy, priorities, 7, SYMBOL)

    assert same == decision
    if decision is not None:
        assert list(again) == list(chosen)
    else:
        assert Counter(map(repr, again)) == Counter(map(repr, chosen))


@given(rounds(), st.sampled_from(sorted(POLICIES)), PRIORITIES)
def test_nothing_is_invented(intents: list, policy: str, priorities: dict) -> None:
    """Nothing grows, cancels and reducing orders stay whole, every input is accounted for."""
    chosen, decision = resolve(intents, policy, priorities, 7, SYMBOL)

    wished = {intent.intent_id: intent for intent in intents}
    latest = {
        (i.agent, i.slot): i.intent_id for i in sorted(intents, key=lambda i: int(i.intent_id[2:]))
    }
    passed = {intent.intent_id: intent for intent in chosen}
    for key, intent in passed.items():
        if isinstance(intent, OrderIntent):
            assert 0 < intent.qty <= wished[key].qty
    for key, intent in wished.items():
        is_last = latest[intent.agent, intent.slot] == key
        if isinstance(intent, CancelIntent) or (intent.reduce_only and is_last):
            assert passed[key] == intent
    if decision is not None:
        assert set(decision.inputs) == set(wished)
        assert not set(decision.chosen) & set(decision.overridden)
        assert {*decision.chosen, *decision.overridden} == set(wished)
        assert tuple(passed) == decision.chosen


@given(rounds(), PRIORITIES)
def test_net_trades_the_sum(intents: list, priorities: dict) -> None:
    """Netting changes what the account pays, never what it ends up holding."""
    orders = [intent for intent in intents if isinstance(intent, OrderIntent)]
    immediate = [o for o in orders if o.price is None or o.tif is TimeInForce.IOC]
    unique = list({(i.agent, i.slot): i for i in immediate}.values())

    chosen, _ = resolve(unique, "net", priorities, 7, SYMBOL)

    def total(orders: list) -> Decimal:
        return sum((order.qty * order.side.sign for order in orders), D(0))

    assert total(list(chosen)) == total(unique)
