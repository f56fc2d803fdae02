"""Row 21 of the fault matrix: two real sandboxes disagree, and the session notices.

One is traded on, the other is only looked at. What the first one's ledger says, and the journal's
own fills, decide whether the session did what it says.
"""

import contextlib
import signal
from collections.abc import Iterator
from decimal import Decimal
from pathlib import Path
from typing import Any, NamedTuple

import pytest

from tests.end_to_end.shell import Process, Run, session
from tests.end_to_end.test_live_market import free_port
from tests.end_to_end.test_live_trading import VENUES, Exchange, agree, exchange
from tests.engine.kernel.reference_checker import Watcher

RESTING = ("--agents", "quoter", "--set", "agents.quoter.half_spread_bps=20")
"""Two orders that rest at the venue and hardly ever fill."""
BUSY = ("--set", "agents.quoter.half_spread_bps=0.5", "--set", "risk.max_consecutive_losses=1000")
DEPEG, AGREED = "BASIS_DEPEG", "RECOVERED"
PATIENCE_S = 40.0


class Pair(NamedTuple):
    """Where is traded, and what that is held against."""

    here: Exchange
    there: Exchange

    @property
    def symbol(self) -> str:
        return VENUES[self.here.venue]

    @property
    def words(self) -> tuple[str, ...]:
        """How a session is told of the second one."""
        return ("--set", f"reference.source={self.there.venue}", *self.there.words)

    def paper(self, home: Path, *words: str) -> Process:
        return Process(
            home, "--headless", "--duration", "5", "--source", self.here.venue, "--symbols",
            self.symbol, *self.here.words, *self.words, *words,
        )  # fmt: skip

    def live(self, home: Path, *words: str) -> Process:
        return self.here.live(
            home, "--mode", "live", "--source", self.here.venue, "--symbols", self.symbol,
            "--duration", "5", "--set", "live.unknown_withdraw=true", "--set", "live.leverage=3",
            "--set", "live.margin_mode=isolated", *self.here.words, *self.words, *words,
        )  # fmt: skip

    async def jump(self, bps: int) -> None:
        await self.there.break_it("price_jump", bps=bps)


@contextlib.contextmanager
def pair(here: str, there: str, folder: Path, port: int = 0) -> Iterator[Pair]:
    """Two running sandboxes, each with a ledger of its own."""
    for name in (here, there):
        (folder / name).mkdir(exist_ok=True)
    with (
        exchange(here, folder / here, "--seed", "1") as traded,
        exchange(there, folder / there, "--seed", "2", "--port", str(port)) as looked_at,
    ):
        yield Pair(traded, looked_at)


def transitions(run: Run, event: str) -> list[dict[str, Any]]:
    return [x for x in run.lines_so_far("fsm_transition") if x["data"]["event"] == event]


def is_told(process: Process, event: str, times: int = 1) -> None:
    process.until(lambda: len(transitions(process.run, event)) >= times, PATIENCE_S)


def resting(run: Run, before: int = 2**62) -> set[str]:
    """Orders that worked at the venue before a line, by the journal."""
    ends = ("order_filled", "order_canceled", "order_rejected", "order_expired", "order_denied")
    lines = [x for x in run.lines_so_far("order_accepted", *ends) if x["seq"] < before]
    gone = {x["data"]["order_id"] for x in lines if x["type"] in ends}
    return {x["data"]["order_id"] for x in lines if x["type"] == "order_accepted"} - gone


def working(at: Exchange) -> set[str]:
    """Orders that work there, by the venue's own word."""
    ends = ("fill", "canceled", "expired", "rejected")
    gone = {line["order_id"] for kind in ends for line in at.wrote(kind)}
    return {line["order_id"] for line in at.wrote("new")} - gone


def only_reduces(run: Run, after: int, before: int) -> None:
    """Hold every order sent between two lines against the position of that moment."""
    position = Decimal(0)
    for line in run.lines("fill", "order_submitted"):
        data, sign = line["data"], 1 if line["data"]["side"] == "BUY" else -1
        if line["type"] == "fill":
            position += sign * Decimal(data["qty"])
        elif after < line["seq"] < before:
            assert position * sign < 0, line
            assert Decimal(data["qty"]) <= abs(position), line


def sent_all_the_same(run: Run) -> list[str]:
    """Orders that a second reader of the journal would have forbidden."""
    started, *_ = run.lines("session_started")
    (ours,) = started["data"]["instruments"]
    (theirs,) = started["data"]["references"].values()
    ticks = float(ours["tick_size"]), float(theirs["tick_size"])
    return Watcher(ticks, {}).read(run.lines()).looked_away


def ended(process: Process) -> None:
    process.send(signal.SIGTERM)
    ending = process.end()
    assert 4 == ending.code, ending.err


def is_identical(home: Path) -> bool:
    again = Process(home, "replay").end()
    return (0, True) == (again.code, "identical" in again.out)


@pytest.mark.timeout(240)
@pytest.mark.parametrize(
    ("here", "there"), [("binance", "hyperliquid"), ("hyperliquid", "bitunix")]
)
async def test_a_live_session_stands_aside_while_two_venues_disagree(
    here: str, there: str, tmp_path: Path
) -> None:
    """Orders are canceled at the venue, none is placed, also by a resume; then it goes on."""
    with pair(here, there, tmp_path) as venues:
        process = venues.live(tmp_path, *RESTING)
        process.until(lambda: len(resting(process.run)) >= 2, PATIENCE_S)
        await venues.jump(150)
        is_told(process, DEPEG)
        depeg = transitions(process.run, DEPEG)[0]
        rested = resting(process.run, before=depeg["seq"])
        process.until(lambda: not working(venues.here), PATIENCE_S)
        process.send(signal.SIGKILL)
        process._process.communicate()
        process = venues.here.live(tmp_path, "--resume")
        process.until(lambda: process.run.lines_so_far("session_resumed") != [], PATIENCE_S)
        process.until(lambda: _beats_since(process.run, "session_resumed") > 7, PATIENCE_S)
        still = {x["data"]["state"] for x in process.run.lines_so_far("heartbeat")[-6:]}
        assert not working(venues.here)
        placed = len(venues.here.wrote("new"))
        why = Process(tmp_path, "audit", "why", "--last").end()
        await venues.jump(0)
        is_told(process, AGREED)
        recovered = transitions(process.run, AGREED)[0]
        process.until(lambda: len(venues.here.wrote("new")) >= placed + 2, PATIENCE_S)
        ended(process)

    run = process.run
    assert rested
    assert {"DEGRADED"} == still
    assert f"{DEPEG}:{venues.symbol}" in depeg["data"]["reasons"]
    trip = next(x for x in run.lines("breaker") if x["seq"] < depeg["seq"])["data"]
    assert ("max_basis_deviation_bps", venues.symbol, "75", True) == tuple(
        trip[name] for name in ("breaker", "scope", "limit", "is_tripped")
    )
    assert 100 < Decimal(trip["reading"]) < 200
    between = [
        x for x in run.lines("order_submitted") if depeg["seq"] < x["seq"] < recovered["seq"]
    ]
    assert [] == between
    assert [] == sent_all_the_same(run)
    assert f"held back by: {DEPEG}:{venues.symbol}" in why.out
    assert (0, []) == (why.code, run.report()["positions_at_end"])
    agree(venues.here, run)
    assert is_identical(tmp_path)


def _beats_since(run: Run, name: str) -> int:
    lines = run.lines_so_far(name, "heartbeat")
    return len(lines) - max(place for place, line in enumerate(lines) if line["type"] == name)


@pytest.mark.timeout(240)
async def test_a_paper_session_only_makes_its_position_smaller(tmp_path: Path) -> None:
    """By the fills of the journal, worked out here; and then it goes on as before."""
    with pair("bitunix", "binance", tmp_path) as venues:
        process = venues.paper(tmp_path, *BUSY)
        process.until(lambda: bool(_held(process.run)), PATIENCE_S)
        await venues.jump(-150)
        is_told(process, DEPEG)
        process.until(lambda: _beats_since(process.run, "fsm_transition") > 3, PATIENCE_S)
        await venues.jump(0)
        is_told(process, AGREED)
        recovered = transitions(process.run, AGREED)[0]["seq"]
        process.until(
            lambda: any(x["seq"] > recovered for x in process.run.lines_so_far("fill")), PATIENCE_S
        )
        ended(process)

    run = process.run
    depeg = transitions(run, DEPEG)[0]["seq"]
    only_reduces(run, depeg, recovered)
    quotes = {x["data"]["symbol"] for x in run.lines("quote")}
    assert {venues.symbol} == quotes
    assert run.lines("reference_quote")
    assert is_identical(tmp_path)


def _held(run: Run) -> Decimal:
    signs = {"BUY": 1, "SELL": -1}
    fills = [x["data"] for x in run.lines_so_far("fill")]
    return sum((signs[x["side"]] * Decimal(x["qty"]) for x in fills), Decimal(0))


@pytest.mark.timeout(240)
async def test_a_person_accepts_a_level_that_lasts(tmp_path: Path) -> None:
    """`status` names the breaker; `resume` makes the new level the fair one, and says so."""
    with pair("binance", "bitunix", tmp_path) as venues:
        process = venues.paper(tmp_path, *RESTING)
        process.until(lambda: len(resting(process.run)) >= 2, PATIENCE_S)
        before = Process(tmp_path, "status").end()
        await venues.jump(150)
        is_told(process, DEPEG)
        after = Process(tmp_path, "status").end()
        resumed = Process(tmp_path, "resume").end()
        is_told(process, AGREED)
        ended(process)

    assert "tripped" not in before.out
    assert f"DEGRADED ({DEPEG}:BTCUSDT)" in after.out
    assert "max_basis_deviation_bps" in after.out
    assert "of 75, tripped" in after.out
    assert (0, True) == (resumed.code, "resumed" in resumed.out), resumed.out + resumed.err
    assert [] == sent_all_the_same(process.run)
    assert 1 == sum(x["data"]["kind"] == "basis_accepted" for x in process.run.lines("alert"))
    assert is_identical(tmp_path)


@pytest.mark.timeout(240)
async def test_a_reference_that_goes_away_and_comes_back(tmp_path: Path) -> None:
    """A guard that is blind says so, and trades on once it sees again."""
    port = free_port()
    with contextlib.ExitStack() as here:
        (tmp_path / "here").mkdir()
        traded = here.enter_context(exchange("binance", tmp_path / "here", "--seed", "1"))
        with contextlib.ExitStack() as there:
            looked_at = there.enter_context(
                exchange("bitunix", tmp_path, "--seed", "1", "--port", str(port))
            )
            process = Pair(traded, looked_at).paper(tmp_path, *RESTING)
            process.until(lambda: len(resting(process.run)) >= 2, PATIENCE_S)
        is_told(process, "REFERENCE_LOST")
        process.until(lambda: resting(process.run) == set(), PATIENCE_S)
        with exchange("bitunix", tmp_path, "--seed", "1", "--port", str(port)):
            is_told(process, AGREED)
            process.until(lambda: len(resting(process.run)) >= 2, PATIENCE_S)
            ended(process)

    lost = transitions(process.run, "REFERENCE_LOST")[0]["data"]
    assert ["REFERENCE_LOST:BTCUSDT"] == lost["reasons"]
    assert [] == sent_all_the_same(process.run)
    gaps = {gap["source"] for gap in process.run.report()["data_gaps"]}
    assert gaps
    assert all(source.startswith("bitunix.") for source in gaps)
    assert {"max_reference_lag_s"} == {
        x["data"]["breaker"] for x in process.run.lines("breaker") if x["data"]["is_tripped"]
    }
    assert is_identical(tmp_path)


@pytest.mark.timeout(240)
async def test_a_resume_does_not_wait_for_its_reference(tmp_path: Path) -> None:
    """It looks after what it holds, takes no new risk, and trades once the reference is there."""
    port = free_port()
    (tmp_path / "here").mkdir()
    with exchange("binance", tmp_path / "here", "--seed", "1") as traded:
        with exchange("bitunix", tmp_path, "--seed", "1", "--port", str(port)) as looked_at:
            process = Pair(traded, looked_at).paper(tmp_path, *BUSY)
            process.until(lambda: bool(_held(process.run)), PATIENCE_S)
            process.send(signal.SIGKILL)
            process._process.communicate()
        process = Process(tmp_path, "--headless", "--resume")
        process.until(lambda: process.run.lines_so_far("session_resumed") != [], PATIENCE_S)
        process.until(lambda: _beats_since(process.run, "session_resumed") > 4, PATIENCE_S)
        without = process.run.lines_so_far("heartbeat")[-1]["data"]
        with exchange("bitunix", tmp_path, "--seed", "1", "--port", str(port)):
            is_told(process, AGREED)
            recovered = transitions(process.run, AGREED)[-1]["seq"]
            process.until(
                lambda: any(x["seq"] > recovered for x in process.run.lines_so_far("fill")),
                PATIENCE_S,
            )
            ended(process)

    run = process.run
    resumed = run.lines("session_resumed")[0]["seq"]
    assert "DEGRADED" == without["state"]
    lost = next(x for x in transitions(run, "REFERENCE_LOST") if x["seq"] > resumed)
    only_reduces(run, lost["seq"], recovered)
    away = [x["data"] for x in run.lines("reference_status") if x["seq"] > resumed]
    assert (False, "bitunix can't be reached") == (
        away[0]["is_connected"], away[0]["reason"][:24],
    )  # fmt: skip
    assert away[-1]["is_connected"]
    assert [] == run.report()["positions_at_end"]
    assert is_identical(tmp_path)


def test_what_can_be_no_reference_is_refused(tmp_path: Path) -> None:
    """Nobody who asks for a guard is left without one; each line says what to do."""
    (tmp_path / "here").mkdir()
    with exchange("binance", tmp_path / "here") as traded:
        words = ("--source", "binance", "--symbols", "BTCUSDT", *traded.words)
        for code, said, more in (
            (5, "without reference.source there is no guard",
             ("--set", "reference.source=bitunix", "--set", "session.fallback_after_s=0.6",
              "--set", f"bitunix.rest_url=http://127.0.0.1:{free_port()}")),
            (2, "reference.source: binance is the session's own market",
             ("--set", "reference.source=binance")),
            (2, "is not OURS=THEIRS",
             ("--set", "reference.source=bitunix", "--set", "reference.symbols=BTCUSDT")),
            (2, "reference.source", ("--set", "reference.source=mock")),
        ):  # fmt: skip
            ending = session(tmp_path, *words, *more)
            assert (code, True) == (ending.code, said in ending.err), ending.err
            assert not ending.run.exists
        with exchange("bitunix", tmp_path) as looked_at:
            ending = session(
                tmp_path, *words, *looked_at.words, "--set", "reference.source=bitunix",
                "--set", "reference.symbols=BTCUSDT=BTCUSDX",
            )  # fmt: skip
            assert (2, True) == (ending.code, "--set reference.symbols=BTCUSDT=..." in ending.err)
    ending = session(tmp_path, "--source", "mock", "--set", "reference.source=bitunix")
    assert (2, True) == (ending.code, "needs a session on a live source" in ending.err)


def test_invented_prices_are_held_against_nothing(tmp_path: Path) -> None:
    """A session that falls back is SIMULATED and has no reference; its journal says so."""
    ending = session(
        tmp_path, "--duration", "0.02", "--source", "binance", "--symbols", "BTCUSDT",
        "--set", f"binance.rest_url=http://127.0.0.1:{free_port()}",
        "--set", "session.fallback_after_s=0.6", "--set", "reference.source=bitunix",
    )  # fmt: skip

    assert 0 == ending.code
    assert "mock market, SIMULATED" in ending.err
    (started,) = ending.run.lines("session_started")
    assert "references" not in started["data"]
    assert started["data"]["settings"]["reference.source"] is None
    assert [] == ending.run.lines("reference_quote", "reference_status")
    assert is_identical(tmp_path)
