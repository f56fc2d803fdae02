"""The lifecycle, pair by pair; the oracle is domain.md section 1, not the code."""

from itertools import product

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from msgspec.structs import replace

from engine.model.records import Alert, FsmTransition
from engine.risk.evidence_mark import EvidenceMark
from engine.risk.lifecycle import (
    DOUBTS,
    EXIT_CODES,
    RESET_PHRASE,
    SESSION,
    STOP_REASONS,
    CancelAll,
    CancelScope,
    Finish,
    Flatten,
    FsmEvent,
    FsmState,
    Lifecycle,
    LifecyclePolicy,
    allows,
    clear,
    due,
    is_reset_confirmed,
    is_suspended,
    open_reasons,
    stop_reason,
    transition,
)
from engine.risk.states import TABLE, Move

S, E = FsmState, FsmEvent
BACKOFF = 5_000_000_000
ONE = LifecyclePolicy(symbols=("BTC",))
TWO = LifecyclePolicy(symbols=("BTC", "ETH"))
HOLD = LifecyclePolicy(symbols=("BTC",), on_emergency="hold")

BASES = {
    S.INIT: Lifecycle(),
    S.READY: Lifecycle(state=S.READY),
    S.ACTIVE: Lifecycle(state=S.ACTIVE),
    S.THROTTLED: Lifecycle(state=S.THROTTLED, causes=((E.TOXICITY_MID, SESSION),)),
    S.PAUSED: Lifecycle(state=S.PAUSED, causes=((E.OPERATOR_PAUSE, SESSION),)),
    S.DEGRADED: Lifecycle(
        state=S.DEGRADED, beneath=S.ACTIVE, reasons=((E.FEED_STALE, SESSION),)
    ),
    S.EMERGENCY: Lifecycle(
        state=S.EMERGENCY,
        reasons=((E.MAX_LOSS, SESSION),),
        stop_cause=E.MAX_LOSS,
        is_flattening=True,
    ),
    S.STOPPED: Lifecycle(state=S.STOPPED, stop_cause=E.OPERATOR_STOP),
}  # fmt: skip

# Target of each event from each base above; a dot changes no state.
LETTERS = {state.name[0]: state for state in FsmState}
ORACLE = """
                        I R A T P D E S
HEALTH_OK               R . . . . . . .
START                   . A . . . . . .
TOXICITY_MID            . . T . . . . .
TOXICITY_HIGH           . . P P . . . .
TOXICITY_LOW            . . . A . . . .
OPERATOR_PAUSE          . . P P . . . .
OPERATOR_RESUME         . . . . A . . .
OPERATOR_REDUCE_ONLY    . . P P . . . .
OPERATOR_FLATTEN        . . P P . . . .
BREAKER_PAUSE           . . P P . . . .
BREAKER_REARMED         . . . . . . . .
FEED_STALE              . D D D D . . .
FEED_DISCONNECTED       . D D D D . . .
RULES_CHANGED           . D D D D . . .
BASIS_DEPEG             . D D D D . . .
REFERENCE_LOST          . D D D D . . .
VOLATILITY_HALT         . D D D D . . .
VENUE_DOWN              . D D D D . . .
POSITION_MISMATCH       . D D D D . . .
CLOCK_SKEW              . D D D D . . .
DISK_LOW                . D D D D . . .
DISK_SLOW               . D D D D . . .
MARGIN_SHORT            . D D D D . . .
MARKET_CLOSED           . D D D D . . .
ORDERS_REFUSED          . D D D D . . .
KEY_DOUBTED             . D D D D . . .
RECOVERED               . . . . . . . .
MAX_LOSS                E E E E E E . .
MAX_DRAWDOWN            E E E E E E . .
MAX_CONSECUTIVE_LOSSES  E E E E E E . .
KILL_FILE               E E E E E E . .
OPERATOR_KILL           E E E E E E . .
JOURNAL_FAILURE         E E E E E E . .
RECONCILE_FAILED        E E E E E E . .
KEY_REFUSED             E E E E E E . .
FLAT                    . . . . . . S .
OPERATOR_RESET          . . . . . . . .
DURATION_ELAPSED        S S S S S S S .
END_OF_DATA             S S S S S S S .
MAX_TRADES              S S S S S S S .
OPERATOR_STOP           S S S S S S S .
SIGTERM                 S S S S S S S .
SIGINT                  S S S S S S S .
SIGHUP                  S S S S S S S .
"""


def oracle() -> dict[tuple[FsmState, FsmEvent], FsmState]:
    lines = ORACLE.strip().splitlines()
    columns = [LETTERS[letter] for letter in lines[0].split()]
    return {
        (state, FsmEvent(name)): state if mark == "." else LETTERS[mark]
        for name, *marks in map(str.split, lines[1:])
        for state, mark in zip(columns, marks, strict=True)
    }


CASES = oracle()


def walk(*events: FsmEvent | tuple[FsmEvent, str], policy: LifecyclePolicy = ONE) -> Lifecycle:
    """Feed events one nanosecond apart from INIT; a bare event has scope SESSION."""
    lifecycle = Lifecycle()
    for at_ns, item in enumerate(events, 1):
        event, scope = item if isinstance(item, tuple) else (item, SESSION)
        lifecycle, _ = transition(lifecycle, event, scope, at_ns, policy)
    return lifecycle


STARTED = (E.HEALTH_OK, E.START)


@pytest.mark.parametrize(("pair", "target"), CASES.items(), ids=str)
def test_every_pair(pair: tuple[FsmState, FsmEvent], target: FsmState) -> None:
    """Each pair reaches its target, with a record when and only when the state changes."""
    state, event = pair

    after, effects = transition(BASES[state], event, SESSION, 7, ONE)

    records = [effect for effect in effects if isinstance(effect, FsmTransition)]
    assert target is after.state
    assert (1 if target is not state else 0) == len(records)
    for record in records:
        assert (7, state, target, event, SESSION, open_reasons(after)) == (
            record.ts_ns, record.from_state, record.to_state, record.event,
            record.scope, record.reasons,
        )  # fmt: skip
        assert after.since_ns == 7


def test_oracle_is_complete() -> None:
    """A new state or event fails here until someone decides its pairs."""
    assert set(product(FsmState, FsmEvent)) == set(CASES) == set(TABLE)


def test_ignored_pairs_change_nothing() -> None:
    """IGNORE returns the very same value and no effects, so that the kernel can count it."""
    for (state, event), move in TABLE.items():
        after, effects = transition(BASES[state], event, SESSION, 7, ONE)
        if move is Move.IGNORE:
            assert BASES[state] is after
        if after is BASES[state]:
            assert effects == ()


NOTHING_NEW = [
    # a pair that can do something, but not here
    (S.INIT,      E.FLAT),
    (S.PAUSED,    E.OPERATOR_PAUSE),
    (S.READY,     E.OPERATOR_RESUME),
    (S.ACTIVE,    E.FLAT),
    (S.DEGRADED,  E.FLAT),
    (S.DEGRADED,  E.OPERATOR_RESUME),
    (S.DEGRADED,  E.FEED_STALE),
    (S.DEGRADED,  E.RECOVERED),
    (S.EMERGENCY, E.MAX_LOSS),
    (S.EMERGENCY, E.OPERATOR_FLATTEN),
    (S.EMERGENCY, E.OPERATOR_RESET),
    (S.EMERGENCY, E.RECOVERED),
]  # fmt: skip


@pytest.mark.parametrize(("state", "event"), NOTHING_NEW)
def test_what_is_known_already_changes_nothing(state: FsmState, event: FsmEvent) -> None:
    """Said twice, or with nothing to undo, it is as good as ignored: the kernel counts it."""
    after, effects = transition(BASES[state], event, SESSION, 7, ONE)

    assert Move.IGNORE is not TABLE[state, event]
    assert BASES[state] is after
    assert () == effects


CANCEL_ALL, FLATTEN = CancelAll(), Flatten()
EFFECTS = [
    # state,      event,                policy changes,                       what the kernel does
    (S.READY,     E.START,              {},                                   []),
    (S.ACTIVE,    E.TOXICITY_MID,       {},                                   []),
    (S.ACTIVE,    E.OPERATOR_PAUSE,     {},                                   [CancelScope(SESSION)]),
    (S.ACTIVE,    E.OPERATOR_PAUSE,     {"cancel_on_pause": False},           []),
    (S.PAUSED,    E.OPERATOR_RESUME,    {},                                   []),
    (S.ACTIVE,    E.OPERATOR_REDUCE_ONLY, {},                                 [CancelScope(SESSION)]),
    (S.ACTIVE,    E.OPERATOR_REDUCE_ONLY, {"cancel_on_pause": False},         [CancelScope(SESSION)]),
    (S.PAUSED,    E.OPERATOR_REDUCE_ONLY, {"cancel_on_pause": False},         [CancelScope(SESSION)]),
    (S.DEGRADED,  E.OPERATOR_REDUCE_ONLY, {},                                 [CancelScope(SESSION)]),
    (S.INIT,      E.OPERATOR_FLATTEN,   {},                                   [CANCEL_ALL, FLATTEN]),
    (S.ACTIVE,    E.OPERATOR_FLATTEN,   {},                                   [CANCEL_ALL, FLATTEN]),
    (S.PAUSED,    E.OPERATOR_FLATTEN,   {},                                   [CANCEL_ALL, FLATTEN]),
    (S.DEGRADED,  E.OPERATOR_FLATTEN,   {},                                   [CANCEL_ALL, FLATTEN]),
    (S.EMERGENCY, E.OPERATOR_FLATTEN,   {},                                   []),
    (S.ACTIVE,    E.VENUE_DOWN,         {},                                   [CancelScope(SESSION)]),
    (S.ACTIVE,    E.MAX_LOSS,           {},                                   [CANCEL_ALL, FLATTEN]),
    (S.ACTIVE,    E.KILL_FILE,          {"on_emergency": "hold"},             [CANCEL_ALL, FLATTEN]),
    (S.ACTIVE,    E.JOURNAL_FAILURE,    {},                                   [CANCEL_ALL, Finish("journal_failure")]),
    (S.ACTIVE,    E.JOURNAL_FAILURE,    {"on_emergency": "hold"},             [CANCEL_ALL]),
    (S.ACTIVE,    E.JOURNAL_FAILURE,    {"flatten_on_journal_failure": True}, [CANCEL_ALL, FLATTEN]),
    (S.EMERGENCY, E.KILL_FILE,          {},                                   []),
    (S.EMERGENCY, E.FEED_STALE,         {},                                   []),
    (S.EMERGENCY, E.FLAT,               {},                                   [Finish("max_loss")]),
    (S.EMERGENCY, E.DURATION_ELAPSED,   {"flatten_on_stop": False},           [CANCEL_ALL, FLATTEN, Finish("max_loss")]),
    (S.ACTIVE,    E.DURATION_ELAPSED,   {},                                   [CANCEL_ALL, FLATTEN, Finish("duration")]),
    (S.DEGRADED,  E.SIGTERM,            {"flatten_on_stop": False},           [CANCEL_ALL, Finish("signal")]),
]  # fmt: skip


@pytest.mark.parametrize(("state", "event", "changes", "expected"), EFFECTS)
def test_effects(state: FsmState, event: FsmEvent, changes: dict, expected: list) -> None:
    """What must be done follows the record, in the order the kernel does it."""
    policy = LifecyclePolicy(symbols=("BTC",), **changes)

    _, effects = transition(BASES[state], event, SESSION, 1, policy)

    assert expected == [act for act in effects if not isinstance(act, FsmTransition | Alert)]
    assert not any(isinstance(act, FsmTransition) for act in effects[1:])


KEPT = replace(BASES[S.EMERGENCY], is_flattening=False)
ALERTS = [
    # before,           raised or cleared, scope,   policy, kind,                 severity
    (BASES[S.ACTIVE],    E.FEED_STALE,     "BTC",   ONE,    "feed_stale",         "warning"),
    (BASES[S.ACTIVE],    E.FEED_STALE,     "BTC",   TWO,    "feed_stale",         "warning"),
    (BASES[S.DEGRADED],  E.CLOCK_SKEW,     "venue", ONE,    "clock_skew",         "warning"),
    (BASES[S.EMERGENCY], E.FEED_STALE,     "BTC",   ONE,    "feed_stale",         "warning"),
    (BASES[S.DEGRADED],  E.FEED_STALE,     SESSION, None,   "feed_stale_cleared", "info"),
    (BASES[S.PAUSED],    E.TOXICITY_HIGH,  "BTC",   ONE,    "toxicity_high",      "info"),
    (BASES[S.ACTIVE],    E.MAX_LOSS,       SESSION, ONE,    "max_loss",           "critical"),
    (BASES[S.EMERGENCY], E.KILL_FILE,      SESSION, ONE,    "kill_file",          "critical"),
    (KEPT,               E.OPERATOR_FLATTEN, SESSION, HOLD, "operator_flatten",   "warning"),
]  # fmt: skip


@pytest.mark.parametrize(("before", "event", "scope", "policy", "kind", "severity"), ALERTS)
def test_alerts(before: Lifecycle, event, scope: str, policy, kind: str, severity: str) -> None:
    """A person is told what, where and how grave it is; no policy is a doubt taken back."""
    if policy is None:
        _, effects = clear(before, event, scope, 7)
    else:
        _, effects = transition(before, event, scope, 7, policy)

    text = f"{kind.replace('_', ' ')} ({scope})"
    assert [Alert(7, kind, severity, text)] == [act for act in effects if isinstance(act, Alert)]


@pytest.mark.parametrize("event", STOP_REASONS)
def test_stop_reasons_have_an_exit_code(event: FsmEvent) -> None:
    """Whatever ends a session has a name in the report and a code for scripts."""
    after, _ = transition(BASES[S.ACTIVE], event, SESSION, 1, ONE)

    assert STOP_REASONS[event] == stop_reason(after)
    assert EXIT_CODES[STOP_REASONS[event]] in (0, 3, 4, 6, 7)
    assert stop_reason(BASES[S.ACTIVE]) is None


def test_exit_codes_are_those_of_the_interface() -> None:
    """0 as planned, 3 a limit, 4 a person or signal, 6 state or journal, 7 the key."""
    expected = {
        0: {"duration", "end_of_data"},
        1: {"shutdown_deadline"},
        3: {"max_trades", "max_loss", "max_drawdown", "max_consecutive_losses"},
        4: {"kill_file", "operator_kill", "operator_stop", "signal"},
        6: {"journal_failure", "reconcile_failed"},
        7: {"key_refused"},
    }

    assert {name: code for code, names in expected.items() for name in names} == EXIT_CODES


def test_first_cause_names_the_end() -> None:
    """The planned end of a session already in EMERGENCY does not turn its exit code to 0."""
    lifecycle = walk(*STARTED, E.MAX_DRAWDOWN, E.DURATION_ELAPSED)

    assert S.STOPPED is lifecycle.state
    assert stop_reason(lifecycle) == "max_drawdown"


def test_an_emergency_that_got_flat_ends_flat() -> None:
    """By the default policy FLAT ends it, and the end remembers that nothing was left."""
    lifecycle = walk(*STARTED, E.MAX_DRAWDOWN, E.FLAT)

    assert (S.STOPPED, True) == (lifecycle.state, lifecycle.is_flat)
    assert not is_reset_confirmed(lifecycle, RESET_PHRASE)


def test_an_emergency_has_no_state_beneath() -> None:
    """Nothing is gone back to: the way out is a reset."""
    assert walk(*STARTED, E.FEED_STALE, E.MAX_LOSS).beneath is None


def test_kill_after_a_journal_failure_flattens() -> None:
    """The position kept by policy is closed once somebody asks for it."""
    kept = walk(*STARTED, E.JOURNAL_FAILURE)

    after, effects = transition(kept, E.KILL_FILE, SESSION, 9, ONE)

    assert Flatten() in effects
    assert (False, True) == (kept.is_flattening, after.is_flattening)


def test_a_journal_failure_does_not_call_a_flatten_back() -> None:
    """What a person had begun to close is closed to its end, and asked for once."""
    closing = walk(*STARTED, E.OPERATOR_FLATTEN)

    after, effects = transition(closing, E.JOURNAL_FAILURE, SESSION, 9, HOLD)

    assert after.is_flattening
    assert Flatten() not in effects


# --- Pausing -------------------------------------------------------------------------------------

PAUSES = [
    # causes,                                                 event,                                  state
    ([E.TOXICITY_HIGH],                                       E.TOXICITY_LOW,                         S.ACTIVE),
    ([E.TOXICITY_HIGH, E.OPERATOR_PAUSE],                     E.TOXICITY_LOW,                         S.PAUSED),
    ([E.TOXICITY_HIGH, E.OPERATOR_PAUSE],                     E.OPERATOR_RESUME,                      S.ACTIVE),
    ([(E.TOXICITY_HIGH, "BTC")],                              (E.TOXICITY_LOW, "ETH"),                S.PAUSED),
    ([(E.TOXICITY_HIGH, "BTC"), (E.TOXICITY_MID, "ETH")],     (E.TOXICITY_LOW, "BTC"),                S.THROTTLED),
    ([E.TOXICITY_MID, E.TOXICITY_HIGH],                       E.TOXICITY_LOW,                         S.ACTIVE),
    ([(E.BREAKER_PAUSE, "a")],                                (E.BREAKER_REARMED, "a"),               S.ACTIVE),
    ([(E.BREAKER_PAUSE, "a"), (E.BREAKER_PAUSE, "b")],        (E.BREAKER_REARMED, "a"),               S.PAUSED),
    ([(E.BREAKER_PAUSE, "a"), E.OPERATOR_PAUSE],              (E.BREAKER_REARMED, "a"),               S.PAUSED),
    ([(E.BREAKER_PAUSE, "a")],                                E.OPERATOR_RESUME,                      S.ACTIVE),
    ([E.OPERATOR_PAUSE],                                      E.TOXICITY_HIGH,                        S.PAUSED),
    ([E.OPERATOR_REDUCE_ONLY],                                E.OPERATOR_RESUME,                      S.ACTIVE),
    ([E.OPERATOR_REDUCE_ONLY, E.TOXICITY_HIGH],               E.TOXICITY_LOW,                         S.PAUSED),
    ([E.OPERATOR_FLATTEN],                                    E.FLAT,                                 S.PAUSED),
    ([E.OPERATOR_FLATTEN, E.FLAT],                            E.OPERATOR_RESUME,                      S.ACTIVE),
]  # fmt: skip


@pytest.mark.parametrize(("causes", "event", "state"), PAUSES)
def test_pause_ends_with_its_last_cause(causes: list, event: object, state: FsmState) -> None:
    """What one cause ends, another still holds; a person's resume ends all."""
    assert state is walk(*STARTED, *causes, event).state


@pytest.mark.parametrize("before", [(), (E.HEALTH_OK,)])
def test_pause_before_start_is_kept(before: tuple[FsmEvent, ...]) -> None:
    """START does not run over a pause asked for while connecting or ready."""
    rest = [event for event in STARTED if event not in before]

    assert S.PAUSED is walk(*before, E.OPERATOR_PAUSE, *rest).state
    assert S.ACTIVE is walk(*before, E.OPERATOR_PAUSE, E.OPERATOR_RESUME, *rest).state


def test_a_flatten_lasts_until_flat_and_can_be_asked_again() -> None:
    """Asked twice at once it is one; once flat, the next one closes what has come since."""
    flattening = walk(*STARTED, E.OPERATOR_FLATTEN)
    assert (flattening, ()) == transition(flattening, E.OPERATOR_FLATTEN, SESSION, 9, ONE)

    flat, told = transition(flattening, E.FLAT, SESSION, 10, ONE)
    again, effects = transition(flat, E.OPERATOR_FLATTEN, SESSION, 11, ONE)

    assert (True, False, True) == tuple(x.is_flattening for x in (flattening, flat, again))
    assert ["flat"] == [act.kind for act in told if isinstance(act, Alert)]
    assert [CANCEL_ALL, FLATTEN] == [act for act in effects if not isinstance(act, Alert)]
    assert ["operator_flatten"] == [act.kind for act in effects if isinstance(act, Alert)]


def test_a_flatten_closes_what_a_journal_failure_kept() -> None:
    """EMERGENCY holds the position by policy; a person may still have it closed."""
    held = walk(*STARTED, E.JOURNAL_FAILURE, policy=HOLD)

    after, effects = transition(held, E.OPERATOR_FLATTEN, SESSION, 9, HOLD)

    assert (S.EMERGENCY, True) == (after.state, after.is_flattening)
    assert (CANCEL_ALL, FLATTEN) == effects[:2]


# --- Doubts --------------------------------------------------------------------------------------


def recover(lifecycle: Lifecycle, at_ns: int, policy: LifecyclePolicy = ONE) -> Lifecycle:
    event = due(lifecycle, at_ns, policy)
    assert event is E.RECOVERED
    after, effects = transition(lifecycle, event, SESSION, at_ns, policy)
    assert effects
    return after


BENEATH = [
    # before the doubt,                    while DEGRADED,                          returns to
    ([E.HEALTH_OK],                        [],                                      S.READY),
    ([E.HEALTH_OK],                        [E.START],                               S.ACTIVE),
    ([*STARTED],                           [],                                      S.ACTIVE),
    ([*STARTED],                           [E.OPERATOR_PAUSE],                      S.PAUSED),
    ([*STARTED],                           [E.OPERATOR_PAUSE, E.OPERATOR_RESUME],   S.ACTIVE),
    ([*STARTED],                           [(E.BREAKER_PAUSE, "a")],                S.PAUSED),
    ([*STARTED],                           [E.OPERATOR_REDUCE_ONLY],                S.PAUSED),
    ([*STARTED],                           [E.OPERATOR_FLATTEN, E.FLAT],            S.PAUSED),
    ([*STARTED, E.TOXICITY_MID],           [],                                      S.THROTTLED),
    ([*STARTED, E.OPERATOR_PAUSE],         [],                                      S.PAUSED),
    ([*STARTED, E.OPERATOR_PAUSE],         [E.OPERATOR_RESUME],                     S.ACTIVE),
    ([*STARTED],                           [E.OPERATOR_RESUME],                     S.ACTIVE),
]  # fmt: skip


@pytest.mark.parametrize(("before", "during", "target"), BENEATH)
def test_degraded_returns_to_the_state_beneath(
    before: list, during: list, target: FsmState
) -> None:
    """DEGRADED comes back to where it was, moved by what was asked in the meantime."""
    lifecycle = walk(*before, (E.FEED_STALE, "BTC"), *during)
    assert S.DEGRADED is lifecycle.state

    cleared, _ = clear(lifecycle, E.FEED_STALE, "BTC", 100)

    assert len(before) + 1 == cleared.since_ns
    assert due(cleared, 99 + BACKOFF, ONE) is None
    recovered = recover(cleared, 100 + BACKOFF)
    assert (target, None) == (recovered.state, recovered.beneath)


def test_pause_while_degraded_cancels_the_rest() -> None:
    """The orders a doubt about one symbol left alone are canceled by the pause."""
    degraded = walk(*STARTED, (E.FEED_STALE, "BTC"))

    paused, effects = transition(degraded, E.OPERATOR_PAUSE, SESSION, 9, ONE)

    assert CancelScope(SESSION) in effects
    assert ("FEED_STALE:BTC", "OPERATOR_PAUSE") == open_reasons(paused)


def test_a_new_doubt_restarts_the_backoff() -> None:
    """Recovery counts from the last doubt cleared, whenever the others were."""
    lifecycle = walk(*STARTED, E.FEED_STALE)
    lifecycle, _ = clear(lifecycle, E.FEED_STALE, SESSION, 10)
    lifecycle, effects = transition(lifecycle, E.CLOCK_SKEW, SESSION, 20, ONE)
    assert [act.severity for act in effects if isinstance(act, Alert)] == ["warning"]
    assert due(lifecycle, 10 * BACKOFF, ONE) is None

    lifecycle, _ = clear(lifecycle, E.CLOCK_SKEW, SESSION, 30)

    assert due(lifecycle, 29 + BACKOFF, ONE) is None
    assert S.ACTIVE is recover(lifecycle, 30 + BACKOFF).state


@pytest.mark.parametrize("event", DOUBTS)
def test_recovered_too_early_is_ignored(event: FsmEvent) -> None:
    """Neither an open doubt nor a running backoff can be talked away."""
    lifecycle = walk(*STARTED, event)
    same, effects = transition(lifecycle, E.RECOVERED, SESSION, 10 * BACKOFF, ONE)
    assert (lifecycle, ()) == (same, effects)

    cleared, _ = clear(lifecycle, event, SESSION, 10)
    same, effects = transition(cleared, E.RECOVERED, SESSION, 9 + BACKOFF, ONE)

    assert (cleared, ()) == (same, effects)


def test_clear_takes_back_only_what_is_open() -> None:
    """An unknown doubt, a halt and a stopped session are left alone."""
    degraded = walk(*STARTED, E.FEED_STALE)
    emergency = walk(*STARTED, E.MAX_LOSS)
    stopped = walk(*STARTED, E.FEED_STALE, E.OPERATOR_STOP)

    assert (degraded, ()) == clear(degraded, E.CLOCK_SKEW, SESSION, 9)
    assert (emergency, ()) == clear(emergency, E.MAX_LOSS, SESSION, 9)
    assert (stopped, ()) == clear(stopped, E.FEED_STALE, SESSION, 9)


def test_a_symbol_cancels_its_own_orders_only() -> None:
    """The scope of the cancel is the symbol, or the session when it is a venue."""
    _, by_symbol = transition(BASES[S.ACTIVE], E.FEED_STALE, "BTC", 1, ONE)
    degraded, by_venue = transition(BASES[S.ACTIVE], E.VENUE_DOWN, "binance", 1, TWO)

    assert CancelScope("BTC") in by_symbol
    assert CancelScope(SESSION) in by_venue
    assert S.DEGRADED is degraded.state


# --- One instrument of several -------------------------------------------------------------------


def test_fan_out_instrument_suspends_one_symbol() -> None:
    """The other symbol trades on; the suspended one waits for the backoff after clearing."""
    lifecycle = walk(*STARTED, policy=TWO)
    lifecycle, effects = transition(lifecycle, E.FEED_STALE, "BTC", 5, TWO)
    assert S.ACTIVE is lifecycle.state
    assert CancelScope("BTC") in effects
    assert (is_suspended(lifecycle, "BTC"), is_suspended(lifecycle, "ETH")) == (True, False)
    assert not allows(lifecycle, "BTC", is_reducing=False)
    assert allows(lifecycle, "BTC", is_reducing=True)
    assert allows(lifecycle, "ETH", is_reducing=False)
    assert open_reasons(lifecycle) == ("FEED_STALE:BTC",)

    lifecycle, _ = clear(lifecycle, E.FEED_STALE, "BTC", 10)

    assert is_suspended(lifecycle, "BTC")
    assert due(lifecycle, 9 + BACKOFF, TWO) is None
    lifecycle = recover(lifecycle, 10 + BACKOFF, TWO)
    assert S.ACTIVE is lifecycle.state
    assert not is_suspended(lifecycle, "BTC")
    assert due(lifecycle, 99 * BACKOFF, TWO) is None


def test_a_suspended_symbol_needs_all_its_doubts_cleared() -> None:
    """A second doubt, also one raised during the backoff, keeps the symbol out."""
    lifecycle = walk(*STARTED, (E.FEED_STALE, "BTC"), (E.VOLATILITY_HALT, "BTC"), policy=TWO)
    lifecycle, _ = clear(lifecycle, E.FEED_STALE, "BTC", 10)
    assert due(lifecycle, 10 * BACKOFF, TWO) is None
    lifecycle, _ = clear(lifecycle, E.VOLATILITY_HALT, "BTC", 20)
    lifecycle, _ = transition(lifecycle, E.FEED_STALE, "BTC", 30, TWO)

    assert due(lifecycle, 10 * BACKOFF, TWO) is None
    assert is_suspended(lifecycle, "BTC")


def test_symbols_cool_one_by_one() -> None:
    """A symbol whose backoff has passed resumes while another still waits."""
    lifecycle = walk(*STARTED, (E.FEED_STALE, "BTC"), (E.FEED_STALE, "ETH"), policy=TWO)
    lifecycle, _ = clear(lifecycle, E.FEED_STALE, "BTC", 10)
    lifecycle, _ = clear(lifecycle, E.FEED_STALE, "ETH", 20)

    lifecycle = recover(lifecycle, 10 + BACKOFF, TWO)

    assert (is_suspended(lifecycle, "BTC"), is_suspended(lifecycle, "ETH")) == (False, True)
    unready, effects = transition(lifecycle, E.RECOVERED, SESSION, 19 + BACKOFF, TWO)
    assert (lifecycle, ()) == (unready, effects)


def test_fan_out_session_degrades_it() -> None:
    """By policy, a doubt about one symbol of several stops them all."""
    policy = LifecyclePolicy(symbols=("BTC", "ETH"), fan_out="session")

    lifecycle = walk(*STARTED, (E.FEED_STALE, "BTC"), policy=policy)

    assert S.DEGRADED is lifecycle.state


def test_a_suspension_survives_an_emergency() -> None:
    """A doubt about a symbol raised in EMERGENCY cancels nothing that flattens, and stays."""
    lifecycle = walk(*STARTED, E.MAX_LOSS, policy=TWO)

    lifecycle, effects = transition(lifecycle, E.FEED_STALE, "BTC", 9, TWO)

    assert is_suspended(lifecycle, "BTC")
    assert [Alert] == [type(effect) for effect in effects]


# --- Leaving EMERGENCY ---------------------------------------------------------------------------


def test_reset_needs_flat_and_the_typed_phrase() -> None:
    """A person leaves a held EMERGENCY only flat, and by typing what it takes."""
    emergency = walk(*STARTED, E.OPERATOR_PAUSE, E.MAX_LOSS, policy=HOLD)
    assert emergency is transition(emergency, E.OPERATOR_RESET, SESSION, 9, HOLD)[0]
    assert not is_reset_confirmed(emergency, RESET_PHRASE)

    flat, _ = transition(emergency, E.FLAT, SESSION, 10, HOLD)
    again, effects = transition(flat, E.FLAT, SESSION, 11, HOLD)
    reset, _ = transition(flat, E.OPERATOR_RESET, SESSION, 12, HOLD)

    assert S.EMERGENCY is flat.state
    assert (flat, ()) == (again, effects)
    assert is_reset_confirmed(flat, RESET_PHRASE)
    assert not is_reset_confirmed(flat, "yes")
    mark = EvidenceMark("evidence/emergency-4", 4, 1)
    assert Lifecycle(state=S.READY, since_ns=12, evidence=mark) == reset


def test_reset_waits_for_open_doubts() -> None:
    """READY means connected and reconciled, so a doubt raised meanwhile bars the way."""
    lifecycle = walk(*STARTED, E.MAX_LOSS, E.FLAT, E.VENUE_DOWN, policy=HOLD)
    assert lifecycle is transition(lifecycle, E.OPERATOR_RESET, SESSION, 9, HOLD)[0]

    cleared, _ = clear(lifecycle, E.VENUE_DOWN, SESSION, 10)

    assert S.READY is transition(cleared, E.OPERATOR_RESET, SESSION, 11, HOLD)[0].state


def test_emergency_names_each_cause_once() -> None:
    """A second halt is held and told; the same one again is ignored."""
    emergency = walk(*STARTED, E.MAX_LOSS)

    both, effects = transition(emergency, E.KILL_FILE, SESSION, 9, ONE)

    assert both.reasons == ((E.KILL_FILE, SESSION), (E.MAX_LOSS, SESSION))
    assert open_reasons(both) == ("KILL_FILE", "MAX_LOSS")
    assert "max_loss" == stop_reason(both)
    assert [act.severity for act in effects if isinstance(act, Alert)] == ["critical"]
    assert (both, ()) == transition(both, E.KILL_FILE, SESSION, 10, ONE)


# --- What may be sent ----------------------------------------------------------------------------

ALLOWED = [
    # state,      new risk, reducing
    (S.INIT,      False,    False),
    (S.READY,     False,    True),
    (S.ACTIVE,    True,     True),
    (S.THROTTLED, True,     True),
    (S.PAUSED,    False,    True),
    (S.DEGRADED,  False,    True),
    (S.EMERGENCY, False,    True),
    (S.STOPPED,   False,    True),
]  # fmt: skip


@pytest.mark.parametrize(("state", "new_risk", "reducing"), ALLOWED)
def test_allows(state: FsmState, new_risk: bool, reducing: bool) -> None:
    """New risk only while trading; STOPPED still closes what its graceful end must close."""
    assert new_risk is allows(BASES[state], "BTC", is_reducing=False)
    assert reducing is allows(BASES[state], "BTC", is_reducing=True)


# --- Any sequence --------------------------------------------------------------------------------

SCOPES = st.sampled_from([SESSION, "BTC", "ETH", "venue"])
EVENTS = st.tuples(st.sampled_from(FsmEvent), SCOPES)
ACTS = st.lists(st.tuples(st.sampled_from(["raise", "clear"]), EVENTS), max_size=40)
POLICIES = st.builds(
    LifecyclePolicy,
    symbols=st.sampled_from([("BTC",), ("BTC", "ETH")]),
    fan_out=st.sampled_from(["instrument", "session"]),
    resume_backoff_ns=st.sampled_from([0, 3]),
    on_emergency=st.sampled_from(["stop", "hold"]),
    flatten_on_journal_failure=st.booleans(),
    flatten_on_stop=st.booleans(),
    cancel_on_pause=st.booleans(),
)


def perform(lifecycle: Lifecycle, act: tuple, at_ns: int, policy: LifecyclePolicy):
    kind, (event, scope) = act
    if kind == "clear":
        return clear(lifecycle, event, scope, at_ns)
    return transition(lifecycle, event, scope, at_ns, policy)


@given(ACTS, POLICIES)
@settings(max_examples=300)
def test_no_change_is_silent(acts: list, policy: LifecyclePolicy) -> None:
    """A state change leaves exactly one record, any other change an alert, no change nothing."""
    lifecycle = Lifecycle()
    for at_ns, act in enumerate(acts):
        after, effects = perform(lifecycle, act, at_ns, policy)
        records = [effect for effect in effects if isinstance(effect, FsmTransition)]
        assert int(after.state is not lifecycle.state) == len(records)
        assert (after != lifecycle) == bool(effects)
        assert after.is_flattening or Flatten() not in effects
        if records:
            assert open_reasons(after) == records[0].reasons
        elif effects:
            assert any(isinstance(effect, Alert) for effect in effects)
        assert after == msgspec.msgpack.decode(msgspec.msgpack.encode(after), type=Lifecycle)
        lifecycle = after


@given(ACTS, POLICIES)
def test_stopped_is_final(acts: list, policy: LifecyclePolicy) -> None:
    """No sequence of events changes a stopped session, whatever waited for its backoff."""
    cooling = replace(BASES[S.ACTIVE], cooling=(("BTC", 0),), blocked=("BTC",))
    stopped, _ = transition(cooling, E.OPERATOR_STOP, SESSION, 0, policy)
    for at_ns, act in enumerate(acts):
        assert (stopped, ()) == perform(stopped, act, at_ns, policy)
    assert due(stopped, 10**18, policy) is None


@given(ACTS, POLICIES)
@settings(max_examples=300)
def test_emergency_trades_again_only_by_reset(acts: list, policy: LifecyclePolicy) -> None:
    """Whatever happens, new risk needs OPERATOR_RESET after a halt."""
    lifecycle, _ = transition(BASES[S.ACTIVE], E.OPERATOR_KILL, SESSION, 0, policy)
    for at_ns, act in enumerate(acts):
        if act[1][0] is E.OPERATOR_RESET:
            continue
        lifecycle, _ = perform(lifecycle, act, at_ns, policy)
        assert lifecycle.state in (S.EMERGENCY, S.STOPPED)
        assert not any(allows(lifecycle, name, is_reducing=False) for name in ("BTC", "ETH"))


@given(st.sets(st.tuples(st.sampled_from(DOUBTS), SCOPES), min_size=1), st.randoms())
def test_every_doubt_must_clear(doubts: set, random) -> None:
    """Held as a set: raised and cleared in any order, trading resumes with the last one."""
    policy = LifecyclePolicy(symbols=("BTC", "ETH"), fan_out="session", resume_backoff_ns=0)
    order = sorted(doubts)
    random.shuffle(order)
    lifecycle = walk(*STARTED, *order, *order, policy=policy)
    random.shuffle(order)

    for at_ns, (event, scope) in enumerate(order, 100):
        assert due(lifecycle, 10**9, policy) is None
        assert S.DEGRADED is lifecycle.state
        lifecycle, _ = clear(lifecycle, event, scope, at_ns)

    assert S.ACTIVE is recover(lifecycle, 10**9, policy).state


def test_blocked_matches_suspensions() -> None:
    """`blocked` is the one list the gate reads, each symbol in it once."""
    lifecycle = walk(*STARTED, (E.FEED_STALE, "BTC"), (E.CLOCK_SKEW, "BTC"), policy=TWO)

    assert lifecycle.blocked == ("BTC",)
    assert lifecycle == replace(lifecycle)
