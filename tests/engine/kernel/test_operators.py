"""What a person may ask of the kernel, and what orders, positions and agents do about it."""

from decimal import Decimal

import pytest

from engine.agents.quoter import Quoter, QuoterParams
from engine.kernel.checkpoint import restore, snapshot
from engine.model.events import Operator
from engine.model.operators import AgentWeight, parsed_weight
from engine.risk.lifecycle import FsmEvent
from tests.engine.kernel.rig import BUY, SELL, D, Rig, Scripted, limit, market


def kinds(rig: Rig) -> list[str]:
    return [line["kind"] for line in rig.lines("alert")]


# --- reduce-only ---------------------------------------------------------------------------------


def test_reduce_only_lets_an_agent_out_and_not_in() -> None:
    """Entries are canceled and refused, the exit passes, RESUME lets both pass again."""
    rig = Rig(Scripted("a"))
    rig.ask("a", market(BUY, "0.2"))
    rig.ask("a", limit(BUY, "0.1", "999"))
    rig.tell(Operator.REDUCE_ONLY)
    paused = (rig.state, rig.live)
    rig.ask("a", limit(BUY, "0.1", "999"))
    rig.ask("a", market(SELL, "0.2", reduce_only=True))
    during = (rig.net(), rig.live)
    rig.tell(Operator.RESUME)
    rig.ask("a", limit(BUY, "0.1", "999"))

    assert ("PAUSED", []) == paused
    assert (D(0), []) == during
    assert ("ACTIVE", 1) == (rig.state, len(rig.live))


# --- flatten -------------------------------------------------------------------------------------


def test_flatten_closes_everything_and_waits_for_a_person() -> None:
    """Orders go, protective ones too, positions go; the session stays, PAUSED, and can go on."""
    rig = Rig(Scripted("a"), symbols=("BTC", "ETH"))
    rig.ask("a", market(BUY, "0.2"))
    rig.ask("a", market(SELL, "0.3"), "ETH")
    rig.ask("a", limit(SELL, "0.2", "1005", "target", reduce_only=True))
    rig.tell(Operator.FLATTEN)
    rig.wait(1)
    flat = (rig.state, rig.live, rig.net("BTC"), rig.net("ETH"))
    rig.tell(Operator.RESUME)
    rig.ask("a", market(BUY, "0.2"))
    rig.wait(2)

    assert ("PAUSED", [], D(0), D(0)) == flat
    assert "flat" in kinds(rig)
    assert ("ACTIVE", D("0.2")) == (rig.state, rig.net())
    assert not rig.kernel.is_ending


def test_no_agent_is_asked_while_flattening() -> None:
    """What it wished would be in the way; it is asked again once flat."""
    agent = Scripted("a")
    rig = Rig(agent, by_hand=True)
    rig.ask("a", market(BUY, "0.2"))
    rig.accept("a-1")
    rig.fill("a-1", "0.2")
    rig.tell(Operator.FLATTEN)
    calls = agent.state.calls
    rig.quote()
    during = agent.state.calls
    rig.accept("house-1")
    rig.fill("house-1", "0.2", SELL)
    rig.quote()

    assert calls == during
    assert calls + 1 == agent.state.calls
    assert D(0) == rig.net()


def test_a_flatten_survives_a_restart() -> None:
    """The checkpoint knows that everything is being closed."""
    rig = Rig(Scripted("a"), by_hand=True)
    rig.ask("a", market(BUY, "0.2"))
    rig.accept("a-1")
    rig.fill("a-1", "0.2")
    rig.tell(Operator.FLATTEN)
    rig.restart()

    assert rig.kernel.is_flattening
    assert not rig.kernel.conduct.calls_agents


def test_trading_after_a_reset_is_not_flattened_again() -> None:
    """EMERGENCY, flat, RESET, RESUME: from then on positions are kept."""
    rig = Rig(Scripted("a"), holds_emergency=True)
    rig.ask("a", market(BUY, "0.2"))
    rig.tell(Operator.KILL)
    rig.wait(1)
    rig.tell(Operator.RESET, argument="RESET")
    reset = rig.state
    rig.tell(Operator.RESUME)
    rig.ask("a", market(BUY, "0.2"))
    rig.wait(2)

    assert "READY" == reset
    assert ("ACTIVE", D("0.2")) == (rig.state, rig.net())


# --- agents --------------------------------------------------------------------------------------


def quoter_rig() -> Rig:
    params = QuoterParams(half_spread_bps=5, order_notional=D(1_000))
    return Rig(Quoter(params), by_hand=True)


def sizes(rig: Rig) -> list[str]:
    return [line["qty"] for line in rig.lines("order_submitted")]


def test_a_weight_scales_what_an_agent_opens_with() -> None:
    """A quarter of the size; what rests at the old size is canceled at once."""
    rig = quoter_rig()
    full, placed = sizes(rig), rig.venue.placed()
    for order_id in placed:
        rig.accept(order_id)
    rig.tell(Operator.WEIGH_AGENT, argument="quoter=0.25")
    for order_id in placed:
        rig.confirm_cancel(order_id)
    rig.quote(ms=2_000)

    pairs = zip(full, sizes(rig)[2:], strict=True)
    assert placed == rig.venue.canceled()
    assert all(abs(Decimal(new) * 4 - Decimal(old)) < D("0.004") for old, new in pairs)
    assert ["agent_weight"] == kinds(rig)


def test_a_weight_of_zero_opens_nothing() -> None:
    """It is still asked, and has nothing to open with."""
    rig = quoter_rig()
    placed = rig.venue.placed()
    for order_id in placed:
        rig.accept(order_id)
    rig.tell(Operator.WEIGH_AGENT, argument="quoter=0")
    for order_id in placed:
        rig.confirm_cancel(order_id)
    rig.quote(ms=2_000)

    assert placed == rig.venue.canceled() == rig.venue.placed()


def test_a_weight_and_the_throttle_multiply() -> None:
    """THROTTLED has its own factor; neither replaces the other."""
    rig = quoter_rig()
    rig.tell(Operator.WEIGH_AGENT, argument="quoter=0.5")
    rig.kernel.conduct.raise_event(FsmEvent.TOXICITY_MID, "BTC", rig.now)

    desk = rig.kernel.roster.desk("quoter", "BTC")
    assert desk is not None
    assert D("0.30") == desk.size_factor


def test_a_weight_is_part_of_the_checkpoint() -> None:
    """A restart does not give an agent its size back."""
    rig = quoter_rig()
    rig.tell(Operator.WEIGH_AGENT, argument="quoter=0.5")
    other = quoter_rig()
    restore(other.kernel, snapshot(rig.kernel))

    desk = other.kernel.roster.desk("quoter", "BTC")
    assert desk is not None
    assert D("0.5") == other.kernel.roster.weight("quoter") == desk.size_factor


UNHEARD = [
    # command,               argument
    (Operator.WEIGH_AGENT,  "quoter=1"),
    (Operator.WEIGH_AGENT,  "nobody=0.5"),
    (Operator.WEIGH_AGENT,  "quoter=2"),
    (Operator.WEIGH_AGENT,  "quoter"),
    (Operator.PAUSE_AGENT,  "nobody"),
    (Operator.RESUME_AGENT, "quoter"),
    (Operator.RESUME,       ""),
    (Operator.RESET,        "RESET"),
]  # fmt: skip


@pytest.mark.parametrize(("command", "argument"), UNHEARD)
def test_what_changes_nothing_is_not_told(command: Operator, argument: str) -> None:
    """No record, no cancel: whoever asked learns from that it was in vain."""
    rig = quoter_rig()
    rig.quote()
    before = len(rig.journal.lines)
    rig.tell(command, argument=argument)

    assert before + 1 == len(rig.journal.lines)
    assert [] == rig.venue.canceled()


TOLD = [
    # command,               argument,      what is told
    (Operator.PAUSE_AGENT,  "a",           "agent_paused"),
    (Operator.WEIGH_AGENT,  "a=0.5",       "agent_weight"),
    (Operator.WEIGH_AGENT,  "a=0.0000",    "agent_weight"),
]  # fmt: skip


@pytest.mark.parametrize(("command", "argument", "kind"), TOLD)
def test_what_an_operator_changes_is_told(command: Operator, argument: str, kind: str) -> None:
    """Once; the second time it changes nothing."""
    rig = Rig(Scripted("a"))
    rig.tell(command, argument=argument)
    rig.tell(command, argument=argument)

    assert [kind] == kinds(rig)


WEIGHTS = [
    # text,          means
    ("trend=0.5",    AgentWeight("trend", D("0.5"))),
    ("trend=1",      AgentWeight("trend", D(1))),
    ("a=b=0",        AgentWeight("a=b", D(0))),
    ("trend=1.0001", None),
    ("trend=-0.5",   None),
    ("trend=0.12345", None),
    ("trend=1e-1",   None),
    ("trend=NaN",    None),
    ("trend=\u0661", None),
    ("=0.5",         None),
    ("trend",        None),
    ("",             None),
]  # fmt: skip


@pytest.mark.parametrize(("text", "expected"), WEIGHTS)
def test_parsed_weight(text: str, expected: AgentWeight | None) -> None:
    """0 to 1 with at most four decimals, in plain digits."""
    assert expected == parsed_weight(text)
