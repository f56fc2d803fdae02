"""What a session shows and hears, without a socket: tails, portraits, and a fault that stays."""

from decimal import Decimal
from pathlib import Path

import msgspec
import pytest

from engine.model.account import MarginMode
from engine.model.events import Operator, Timer
from engine.model.records import Alert, ErrorRecord, FsmTransition
from engine.model.venue_events import VenueMargin
from engine.session.control.address import listen
from engine.session.control.chronicle import EQUITY_MAX, TAIL_MAX, Chronicle
from engine.session.control.control import Control, ScreenConfig
from engine.session.control.frames import ANSWER_BYTES_MAX, encode
from engine.session.control.log_tail import LOG_MAX
from engine.session.control.portrait import Portrait
from engine.session.control.views import View
from engine.session.control.words import Consider
from engine.session.stops import Stops
from engine.venue import Charges
from tests.engine.session.control.test_clients import WELCOME
from tests.engine.session.test_runner import START, Stage, mock

SECOND = 1_000_000_000
MINUTES = 12
"""Whole minutes before the newest 300 of 1,000 seconds."""


def test_tails_are_bounded(tmp_path: Path) -> None:
    """However long the session: the newest stay."""
    chronicle = Chronicle(Stage(tmp_path, mock()).kernel)
    for n in range(1_000):
        chronicle.follow(
            [
                Timer(n * SECOND),
                Timer(n * SECOND + 1),
                FsmTransition(n, "A", "B", f"E{n}", "session", ()),
                Alert(n, "k", "info", f"m{n}"),
            ]
        )

    assert (TAIL_MAX, LOG_MAX, EQUITY_MAX) == (
        len(chronicle.transitions), len(chronicle.log()), len(chronicle.equity()) - MINUTES,
    )  # fmt: skip
    assert "E999" == chronicle.transitions[-1].event
    times = [worth[0] // SECOND for worth in chronicle.equity()]
    assert [*range(0, 700, 60), *range(700, 1_000)] == times


@pytest.mark.parametrize("duration_s", [None, 120])
def test_a_portrait_of_any_session(tmp_path: Path, duration_s: int | None) -> None:
    """Before its first event and after its last; it survives the wire, and drawing moves nothing."""
    stage = Stage(tmp_path, mock(), duration_s=duration_s)
    if duration_s:
        stage.run()
    portrait = Portrait(stage.kernel, stage.record, stage.journal, Chronicle(stage.kernel))
    one, two = portrait.draw(1), portrait.draw(1)
    frame = encode(one)

    assert one == msgspec.json.decode(frame[4:], type=View)
    assert one == msgspec.structs.replace(two, number=1)
    assert len(frame) < ANSWER_BYTES_MAX
    assert ("STOPPED" if duration_s else "INIT") == one.session.state
    assert bool(duration_s) is bool(one.markets[0].bid)
    assert one.session.pnl == sum(msgspec.structs.astuple(one.causes))


def test_a_portrait_has_bars_prints_and_routes(tmp_path: Path) -> None:
    """What the market printed and what became of every wish, by a session that traded."""
    stage = Stage(tmp_path, mock(), duration_s=120)
    chronicle = Chronicle(stage.kernel)
    turn = stage.session._turn
    followed = turn._observe
    turn._observe = lambda events: (followed(events), chronicle.follow(events))
    stage.run()
    shown = Portrait(stage.kernel, stage.record, stage.journal, chronicle).draw(1)
    market, routes = shown.markets[0], stage.record.tally.routed

    assert [1, 5, 60, 900] == [tail.interval_s for tail in market.bars]
    printed = sum(bar.prints for bar in market.bars[3].bars)
    assert stage.kernel.market.prints == market.prints_seen == printed
    assert dict(routes) == {(r.decision, r.reason): r.count for r in shown.router.decisions}
    assert routes["PLACE", "NO_EXISTING_ORDER"]
    assert ["feed", "request", "ack", "fill"] == [name for name, _ in shown.router.hops]
    assert shown.session.pnl == sum(msgspec.structs.astuple(shown.causes))
    assert shown.causes.spread or shown.causes.slippage
    assert stage.kernel.truth.state.answered_ns == shown.health.sync.answered_ns > 0
    assert ({}, 0) == (shown.health.sync.held, shown.health.sync.failures)


def test_a_look_ahead_ties_up_margin_by_what_the_venue_has_now(tmp_path: Path) -> None:
    """Another hand changed its leverage; a screen that asks then is told by the new one."""
    stage = Stage(tmp_path, mock(), duration_s=120)
    stage.run()
    symbol = next(iter(stage.kernel.portfolio.holdings))
    listener = listen(stage.folder.path)
    control = Control(
        listener, WELCOME,
        kernel=stage.kernel, record=stage.record, journal=stage.journal, stops=Stops([]),
        charges=Charges(
            maker_fee_bps=Decimal(2), taker_fee_bps=Decimal(5), leverage=Decimal(5),
            leverages={symbol: 4},
        ),
        screens=ScreenConfig(),
    )  # fmt: skip
    listener.close()

    def margin() -> Decimal:
        question = Consider(
            ask_id="1", command=Operator.PLACE_ORDER, argument=f"BUY 0.01 {symbol} MARKET IOC"
        )
        seen = control._foresee(question).prospect
        assert seen is not None
        return seen.after.margin

    before = margin()
    control.follow([VenueMargin(START, symbol, 2, MarginMode.CROSS, 4, MarginMode.CROSS)])

    assert 2 * before == margin() > 0


def test_a_fault_in_following_stays_there(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The session goes on, its report counts on, and session.log has the trace, once."""
    stage = Stage(tmp_path, mock())
    listener = listen(stage.folder.path)
    control = Control(
        listener, WELCOME,
        kernel=stage.kernel, record=stage.record, journal=stage.journal, stops=Stops([]),
            charges=Charges(maker_fee_bps=Decimal(2), taker_fee_bps=Decimal(5), leverage=Decimal(5)),
            screens=ScreenConfig(),
    )  # fmt: skip

    def broken(_: object) -> None:
        raise ZeroDivisionError

    monkeypatch.setattr(control._docket, "follow", broken)
    for _ in range(2):
        control.follow([ErrorRecord(START, "overfill", "a-1", "0.1")])
    listener.close()
    stage.record.close()

    assert {"overfill": 2} == dict(stage.record.tally.errors)
    log = (stage.folder.path / "session.log").read_text()
    assert 1 == log.count("ZeroDivisionError")
