"""What must hold before a live session: all of it, each row with its own refusal."""

import itertools
from typing import Any

import pytest

from brokers.link.account import Facts
from engine.model.errors import (
    CredentialsRefused,
    DataUnavailable,
    LaptopAgentsError,
    UsageError,
)
from engine.model.venue_events import VenueHolding
from laptop_agents.admission import CONDITIONS, FLAT, Asked, examine, insist
from tests.engine.factories import D
from tests.laptop_agents.test_arming import FACTS, live

HOLDS = (VenueHolding("BTCUSDT", D("0.5")),)
MISSING: dict[str, tuple[dict[str, Any], tuple[str, ...], type[LaptopAgentsError], str]] = {
    # what is missing: the facts, the settings, the refusal, its words
    "may trade": ({"can_trade": False}, (), CredentialsRefused, "4321 can't trade"),
    "can't withdraw": ({"can_withdraw": True}, (), CredentialsRefused, "withdraw money"),
    "known scope": ({"can_withdraw": None}, (), CredentialsRefused, "unknown_withdraw=true"),
    "clock": ({"clock_offset_ns": -1_001_000_000}, (), DataUnavailable, "1001 ms off"),
    "sentinel": ({}, ("sentinel.enabled=false",), DataUnavailable, "needs its sentinel"),
    "one-way": ({"is_one_way": False}, (), UsageError, "switch it to one-way"),
    "flat": ({"positions": HOLDS}, (), UsageError, "holds 0.5 BTCUSDT already"),
    "money": ({"balance": D(0)}, (), UsageError, "no money"),
}  # fmt: skip
TOGETHER = [
    gone
    for count in range(1, len(MISSING) + 1)
    for gone in itertools.combinations(MISSING, count)
    if not {"can't withdraw", "known scope"} <= set(gone)  # one field can't be both
]


def asked(*gone: str) -> Asked:
    facts: Facts = FACTS
    words = ["symbols=BTCUSDT"]
    for name in gone:
        changes, pairs, _, _ = MISSING[name]
        facts = facts._replace(**changes)
        words += pairs
    return Asked(live(*words), facts)


def test_all_of_it_is_enough() -> None:
    examine(asked())


def test_every_row_is_in_this_table() -> None:
    broken = {
        next(at for at, row in enumerate(CONDITIONS) if not row.holds(asked(name)))
        for name in MISSING
    }
    assert set(range(len(CONDITIONS))) == broken


@pytest.mark.parametrize("gone", TOGETHER, ids=", ".join)
def test_with_anything_missing_nothing_begins(gone: tuple[str, ...]) -> None:
    """Every subset; the first row of the table is what is told."""
    _, _, refusal, words = MISSING[gone[0]]
    with pytest.raises(refusal, match=words):
        examine(asked(*gone))


@pytest.mark.parametrize("offset_ms", [1_000, -1_000])
def test_a_clock_within_its_limit_is_fine(offset_ms: int) -> None:
    found = asked()
    facts = found.facts._replace(clock_offset_ns=offset_ms * 1_000_000)
    examine(found._replace(facts=facts))


def test_an_unknown_scope_can_be_vouched_for_and_a_known_one_can_t() -> None:
    settings = live("symbols=BTCUSDT", "live.unknown_withdraw=true")
    examine(Asked(settings, FACTS._replace(can_withdraw=None)))
    with pytest.raises(CredentialsRefused, match="withdraw money"):
        examine(Asked(settings, FACTS._replace(can_withdraw=True)))


def test_a_position_elsewhere_is_nobodys_business() -> None:
    found = asked()
    other = (VenueHolding("XRPUSDT", D(5)),)
    examine(found._replace(facts=found.facts._replace(positions=other)))


@pytest.mark.parametrize("gone", MISSING)
def test_a_resumed_session_may_hold_what_is_its_own_and_nothing_else_is_let_go(gone: str) -> None:
    if gone == "flat":
        examine(asked(gone), is_resumed=True)
        assert not FLAT.holds(asked(gone))
        return
    with pytest.raises(LaptopAgentsError, match=MISSING[gone][3]):
        examine(asked(gone), is_resumed=True)


def test_live_mode_insists() -> None:
    """Whatever was set: a person arms it, all is on disk before it is sent, a crash cancels."""
    loose = live(
        "risk.needs_arming=false", "journal.sync=batched", "journal.detail=decisions",
        "sentinel.on_crash=keep", "session.starting_balance=77",
    )  # fmt: skip
    found = insist(loose, FACTS)
    assert (True, "live", "inputs", "cancel", D(1_000)) == (
        found.risk.needs_arming, found.journal.sync, found.journal.detail,
        found.sentinel.on_crash, found.session.starting_balance,
    )  # fmt: skip
