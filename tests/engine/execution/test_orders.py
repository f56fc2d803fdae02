"""The order machine, pair by pair; the oracle is domain.md section 4, not the code."""

from itertools import product

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from engine.execution.orders import (
    IN_FLIGHT,
    LATE_FILL_STATES,
    LIVE,
    TERMINAL,
    TRANSITIONS,
    OrderEvent,
)
from engine.model.orders import OrderState

S, E = OrderState, OrderEvent
STATES = {
    "I": S.INITIALIZED, "S": S.SUBMITTED, "A": S.ACCEPTED, "P": S.PARTIALLY_FILLED,
    "U": S.PENDING_UPDATE, "C": S.PENDING_CANCEL, "?": S.UNKNOWN, "D": S.DENIED,
    "R": S.REJECTED, "F": S.FILLED, "X": S.CANCELED, "E": S.EXPIRED,
}  # fmt: skip

# Target of each event in each state; a dot refuses, `w` works on: P where something filled, else A.
ORACLE = """
                 I S A P U C ? D R F X E
SUBMIT           S . . . . . . . . . . .
DENY             D . . . . . . . . . . .
ACCEPT           . A A P U C w . . F . .
REJECT           . R R . . R R . . . . .
FILL_PART        . P P P U C P . R . X E
FILL_ALL         . F F F F F F . F . F F
REQUEST_AMEND    . . U U . . . . . . . .
AMENDED          . . A P w C w . . . . .
AMEND_REJECTED   . . . . w C w . . F X E
REQUEST_CANCEL   . C C C C . C . . . . .
CANCELED         . X X X X X X . . . . .
CANCEL_REJECTED  . . . . . w w . R F X E
EXPIRE           . E E E E E E . . . . .
TRIGGER          . A A P U C w . . . . .
LOSE             . ? ? ? ? ? ? . . . . .
"""

Triple = tuple[OrderState, OrderEvent, bool]


def oracle() -> dict[Triple, OrderState | None]:
    head, *rows = ORACLE.strip().splitlines()
    columns = [STATES[letter] for letter in head.split()]
    working = {False: S.ACCEPTED, True: S.PARTIALLY_FILLED}
    return {
        (state, E[name], has_fills): working[has_fills] if mark == "w" else STATES.get(mark)
        for name, *marks in map(str.split, rows)
        for state, mark in zip(columns, marks, strict=True)
        for has_fills in (False, True)
    }


CASES = oracle()
SEEN_BY_VENUE = set(S) - {S.INITIALIZED, S.DENIED}


@pytest.mark.parametrize("triple", CASES, ids=lambda t: f"{t[0]}-{t[1]}-{t[2]}")
def test_row(triple: Triple) -> None:
    """Each triple of state, event and whether something filled reaches its target or is refused."""
    assert CASES[triple] is TRANSITIONS[triple]


def test_table_is_complete() -> None:
    """A new state or event fails here until someone decides its rows."""
    assert set(product(OrderState, OrderEvent, (False, True))) == set(CASES) == set(TRANSITIONS)


def test_every_state_is_live_terminal_or_not_yet_sent() -> None:
    """Live states count in every limit, so no state may fall between the two sets."""
    assert set(OrderState) == LIVE | TERMINAL | {S.INITIALIZED}
    assert not LIVE & TERMINAL
    assert {S.SUBMITTED, S.PENDING_UPDATE, S.PENDING_CANCEL, S.UNKNOWN} == IN_FLIGHT
    assert {S.CANCELED, S.EXPIRED, S.REJECTED} == LATE_FILL_STATES


@pytest.mark.parametrize("state", sorted(SEEN_BY_VENUE - {S.FILLED}))
def test_fills_are_facts(state: OrderState) -> None:
    """A fill applies wherever the venue can have seen the order: before accept, after cancel."""
    assert TRANSITIONS[state, E.FILL_PART, True] is not None
    assert S.FILLED is TRANSITIONS[state, E.FILL_ALL, True]


@pytest.mark.parametrize("event", sorted(set(OrderEvent) - {E.FILL_PART, E.FILL_ALL}))
@pytest.mark.parametrize("state", sorted(TERMINAL))
def test_only_a_fill_moves_an_ended_order(state: OrderState, event: OrderEvent) -> None:
    """Late answers change nothing: they are refused, or lost a race and leave the state."""
    assert TRANSITIONS[state, event, False] in (None, state)
    assert TRANSITIONS[state, event, True] in (None, state)


@given(st.lists(st.tuples(st.sampled_from(OrderEvent), st.booleans())))
@settings(derandomize=True)
def test_a_lost_order_is_never_forgotten_by_a_second_loss(events: list) -> None:
    """UNKNOWN is left only by a venue's word or by our cancel, never by silence (A3)."""
    state = S.UNKNOWN
    for event, has_fills in events:
        if event is E.LOSE:
            assert TRANSITIONS[state, event, has_fills] in (
                {S.UNKNOWN} if state in LIVE else {None}
            )
        state = TRANSITIONS[state, event, has_fills] or state
    assert state not in (S.INITIALIZED, S.DENIED, S.SUBMITTED)
