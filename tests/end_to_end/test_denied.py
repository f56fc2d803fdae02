"""A live session in a real process whose key is revoked while it trades (reliability.md row 42)."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.end_to_end.shell import Run
from tests.end_to_end.test_live_trading import Exchange, agree, exchange


@pytest.fixture
def there(tmp_path: Path) -> Iterator[Exchange]:
    with exchange("binance", tmp_path) as opened:
        yield opened


def moves(run: Run) -> list[str]:
    """What changed the session's state, in order, from trading on."""
    events = [line["data"]["event"] for line in run.lines("fsm_transition")]
    return events[events.index("START") + 1 :]


async def test_a_key_that_stays_revoked_is_an_emergency(there: Exchange, tmp_path: Path) -> None:
    """Degraded first; what is open is named; from the refusal on nothing happens at the venue."""
    process = there.start(tmp_path, "1", "--set", "sync.escalate_s=3")
    process.until_trading()
    await there.break_it("revoke_key")
    ending = process.end()

    report, placed = ending.run.report(), ending.run.lines("order_submitted")
    assert ["KEY_DOUBTED", "KEY_REFUSED"] == moves(ending.run)[:2]
    doubted = next(
        line["seq"] for line in ending.run.lines("fsm_transition")
        if line["data"]["event"] == "KEY_DOUBTED"
    )  # fmt: skip
    assert all(line["data"]["reduce_only"] for line in placed if line["seq"] > doubted)
    codes = {"key_refused": 7, "shutdown_deadline": 1}
    assert codes[report["stop_reason"]] == ending.code, ending.err
    assert not report["positions_at_end"] or "shutdown_deadline" == report["stop_reason"]
    theirs = [str(line["trade_id"]) for line in there.wrote("fill")]  # what is left there may go on
    ours = [line["data"]["trade_id"] for line in ending.run.lines("fill")]
    assert ours
    assert set(ours) <= set(theirs)


async def test_a_key_that_is_taken_again_goes_on(there: Exchange, tmp_path: Path) -> None:
    """A venue's slip costs a pause, no session."""
    process = there.start(tmp_path, "0.4")
    process.until_trading()
    await there.break_it("revoke_key", seconds=6)  # one look at the account in it
    ending = process.end()

    assert 0 == ending.code, ending.err
    assert ["KEY_DOUBTED", "RECOVERED"] == moves(ending.run)[:2]
    assert [] == ending.run.report()["positions_at_end"]
    assert agree(there, ending.run)
