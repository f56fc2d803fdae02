"""A kernel restored from a snapshot goes on exactly as the one it was taken from."""

import random
from typing import Any

import pytest

from engine.kernel import KernelConfig
from engine.kernel.checkpoint import restore, snapshot
from engine.model.events import INPUT_TYPES, Operator
from engine.model.market import FeedStatus, RulesChanged
from engine.model.venue_events import VenueUnknown
from tests.engine.kernel.replaying import as_input, as_line, fresh_kernel, parsed, played
from tests.engine.kernel.rig import BUY, SELL, D, Rig, Scripted, cancel, limit, market
from tests.engine.kernel.test_replay import SOURCES, TIGHT, agents


@pytest.mark.parametrize("config", [KernelConfig(), TIGHT], ids=["defaults", "tight"])
@pytest.mark.parametrize("source", SOURCES)
def test_a_session_survives_any_number_of_restarts(source: str, config: KernelConfig) -> None:
    """Restored at 60 random inputs of a session, every later decision is byte-identical."""
    feed = SOURCES[source]()
    lines = [parsed(line) for line in played(feed, agents(), seconds=120, config=config)]
    inputs = [line for line in lines if line.name in INPUT_TYPES]
    cuts = set(random.Random(source).sample(range(len(inputs)), 60))  # noqa: S311 - reproducible
    kernel = fresh_kernel(feed.instruments, agents(), config)
    decided = []
    for number, line in enumerate(inputs):
        if number in cuts:
            content = snapshot(kernel)
            kernel = fresh_kernel(feed.instruments, agents(), config)
            restore(kernel, content)
        decided += [as_line(record) for record in kernel.step(as_input(line)).records]

    on_disk = [line for line in lines if line.name not in INPUT_TYPES]
    assert on_disk == decided


def _scenario(seed: int, *, restarts: bool) -> Rig:
    """A bad day of two agents; `restarts` reloads the kernel after about every third action."""
    rng, when = random.Random(seed), random.Random(-seed)  # noqa: S311 - reproducible
    rig = Rig(
        Scripted("a", timer_s=3.0),
        Scripted("b", trades=True, bar_intervals_s=(1,)),
        symbols=("BTC", "ETH"),
        paper={"submit_latency_ms": 80, "cancel_latency_ms": 120, "ack_latency_ms": 60,
               "fill_latency_ms": 90, "amend_latency_ms": 70, "reject_rate": 0.05},
        limits={"max_orders_per_minute": 30, "throttle_wait_ms": 30_000, "cooldown_s": 4.0,
                "max_consecutive_losses": 2, "max_position_size": D(2), "max_feed_lag_s": 2.0,
                "resume_backoff_s": 2.0, "max_rejects_per_minute": 3},
    )  # fmt: skip
    for _ in range(120):
        _act(rig, rng)
        if restarts and when.random() < 0.35:
            rig.restart()
    rig.tell(rng.choice((Operator.KILL, Operator.DURATION_ELAPSED)))
    if restarts:
        rig.restart()
    rig.wait(3)
    return rig


def _act(rig: Rig, rng: random.Random) -> None:
    agent, symbol = rng.choice("ab"), rng.choice(rig.symbols)
    side, slot = rng.choice((BUY, SELL)), rng.choice("xyz")
    bid, ask = rig.touch[symbol]
    tick = (bid - rng.randrange(30)) if side is BUY else (ask + rng.randrange(30))
    qty = f"0.{rng.randrange(1, 9)}"
    match rng.randrange(13):
        case 0 | 1 | 2:
            rig.ask(agent, limit(side, qty, str(D(tick) / 10), slot), symbol)
        case 3 | 4:
            rig.ask(agent, market(side, qty, slot), symbol)
        case 5:
            rig.ask(agent, market(side, qty, "exit", reduce_only=True), symbol)
        case 6:
            rig.ask(agent, cancel(slot), symbol)
        case 7:
            step = rng.randrange(-25, 26)
            rig.quote(symbol, bid + step, ask + step, ms=5)
        case 8:
            rig.trade(side, tick, rng.randrange(1, 2_000), symbol)
        case 9:
            rig.wait(rng.choice((0.1, 0.5, 1.0, 3.0)), quotes=rng.random() < 0.7)
        case 10:
            pauses = (Operator.PAUSE, Operator.PAUSE_AGENT)
            winds_down = (Operator.REDUCE_ONLY, Operator.FLATTEN)
            resumes = (Operator.RESUME, Operator.RESUME_AGENT)
            command = rng.choice((*pauses, *winds_down, *resumes, *resumes, Operator.WEIGH_AGENT))
            is_weight = command is Operator.WEIGH_AGENT
            rig.tell(command, argument=f"{agent}=0.{rng.randrange(10)}" if is_weight else agent)
        case 11:
            is_changed = rng.random() < 0.3
            steps = rng.choice(((None, None), (D("0.5"), D("0.3"))))
            rig.turn.input(RulesChanged(rig.now, symbol, "", is_changed, *steps))
        case _:
            rig.turn.input(FeedStatus(rig.now, "mock", rng.random() < 0.95))


@pytest.mark.parametrize("seed", range(1, 13))
def test_a_bad_day_with_and_without_restarts(seed: int) -> None:
    """The whole journal, the venue's answers included, is the same byte for byte."""
    whole, broken = (_scenario(seed, restarts=restarts) for restarts in (False, True))

    pairs = zip(whole.journal.lines, broken.journal.lines, strict=False)
    assert [] == [pair for pair in pairs if pair[0] != pair[1]][:1]
    assert len(whole.journal.lines) == len(broken.journal.lines)


def _parked(rig: Rig) -> None:
    for number in range(4):
        rig.ask("a", limit(BUY, "0.1", "999", f"s{number}"))


def _replacing(rig: Rig) -> None:
    rig.ask("a", limit(BUY, "0.1", "999"))
    rig.wait(0.5)
    rig.ask("a", limit(BUY, "0.1", "993"))


def _unknown(rig: Rig) -> None:
    rig.ask("a", limit(BUY, "0.1", "999"))
    rig.answer(VenueUnknown(rig.now, "BTC", "a-1"))


def _quarantined(rig: Rig) -> None:
    rig.ask("a", lambda desk: 1)


def _amending(rig: Rig) -> None:
    rig.ask("a", limit(BUY, "0.1", "999"))
    rig.wait(0.5)
    rig.ask("a", limit(BUY, "0.3", "999"))


def _closing(rig: Rig) -> None:
    rig.ask("a", market(BUY, "0.5"))
    rig.wait(0.5)
    rig.tell(Operator.DURATION_ELAPSED)


MOMENTS: dict[str, Any] = {
    "fresh": lambda rig: None,
    "silent": lambda rig: rig.wait(6, quotes=False),
    "cooling": lambda rig: (rig.wait(6, quotes=False), rig.quote(), rig.wait(1)),
    "parked": _parked,
    "replacing": _replacing,
    "unknown": _unknown,
    "quarantined": _quarantined,
    "amending": _amending,
    "paused": lambda rig: rig.tell(Operator.PAUSE),
    "agent paused": lambda rig: rig.tell(Operator.PAUSE_AGENT, argument="a"),
    "closing": _closing,
}


@pytest.mark.parametrize("moment", MOMENTS)
def test_every_delicate_moment_survives(moment: str) -> None:
    """What waits, what is in doubt and who may not speak is the same after a restart."""
    journals = []
    for restarts in (False, True):
        rig = Rig(
            Scripted("a", timer_s=10.0),
            paper={"submit_latency_ms": 100, "cancel_latency_ms": 100, "amend_latency_ms": 100},
            limits={"max_orders_per_minute": 2, "throttle_wait_ms": 120_000},
        )
        MOMENTS[moment](rig)
        if restarts:
            rig.restart()
        rig.quote()
        rig.ask("a", market(SELL, "0.1", "later"))
        rig.wait(8)
        rig.ask("a", market(BUY, "0.1", "last"))
        rig.wait(61)
        journals.append((rig.journal.lines, rig.agents["a"].state))

    assert journals[0] == journals[1]


def test_a_snapshot_of_a_restored_kernel_is_the_same_snapshot() -> None:
    """Nothing is lost or added by the way through bytes."""
    rig = _scenario(3, restarts=False)
    before = snapshot(rig.kernel)
    rig.restart()

    assert before == snapshot(rig.kernel)
