"""What a recorded session looked like at every instant, by running it forward once: the oracle."""

import hashlib
import time
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import msgspec

from engine.session.control.views import View
from engine.session.journal_reader import Line, read_journal
from engine.session.playback.landmarks import Landmark, landmarks
from engine.session.playback.player import Player
from engine.session.playback.rerun import Cast, Rerun
from engine.session.playback.turns import turns
from engine.session.playback.words import Ask, Shown
from laptop_agents.recorded_kernel import kernel_maker, started_with

ROUNDS_MAX = 100_000


class Instant(NamedTuple):
    """One cursor's worth of truth."""

    seq: int
    hash: str
    ts_ns: int
    decisions: int
    landmarks: frozenset[Landmark]
    face: bytes
    """Digest of the view; empty where it was not wanted."""


def cast_of(journal: Path, **changes: object) -> Cast:
    started = started_with(journal, next(read_journal(journal)))
    started.settings.update(changes)
    symbols = tuple(instrument.symbol for instrument in started.instruments)
    instruments = tuple(started.instruments)
    return Cast(kernel_maker(started), symbols, tuple(started.agents), instruments)


def open_player(journal: Path, **how: object) -> Player:
    cast = cast_of(journal)
    return Player(journal, lambda _: cast, **({"monotonic_s": time.monotonic} | how))


def face(view: View) -> bytes:
    return hashlib.sha256(msgspec.json.encode(view)).digest()


def forward(journal: Path, wanted: frozenset[int] | None = None) -> list[Instant]:
    """Run to the end, looking at every instant, or at the wanted ones only."""
    return list(_instants(journal, wanted))


def _instants(journal: Path, wanted: frozenset[int] | None) -> Iterator[Instant]:
    lines = read_journal(journal)
    first: Line = next(lines)
    rerun = Rerun(cast_of(journal), first)
    yield _instant(rerun, frozenset(), wanted)
    for turn in turns(lines, rerun.place):
        taken = rerun.take(turn)
        assert taken.mismatch is None
        yield _instant(rerun, frozenset(landmarks(taken.records)), wanted)


def _instant(rerun: Rerun, kinds: frozenset[Landmark], wanted: frozenset[int] | None) -> Instant:
    is_wanted = wanted is None or rerun.cursor in wanted
    digest = face(rerun.draw()) if is_wanted else b""
    place = rerun.place
    return Instant(place.seq, place.hash, rerun.now_ns, rerun.decisions, kinds, digest)


def settle(player: Player) -> Shown:
    """Let a player work until what was wished for is shown, or nowhere."""
    for _ in range(ROUNDS_MAX):
        if player.is_settled:
            return player.frame()
        player.work(0.01)
    raise AssertionError("it never settles")


def learn(player: Player) -> Player:
    """Let it know the whole journal."""
    for _ in range(ROUNDS_MAX):
        if player.tape.is_whole:
            return player
        player.work(0.01)
    raise AssertionError("it never ends")


def after(player: Player, *asks: Ask) -> Shown:
    """Make wishes one after the other, and return what is shown then."""
    for ask in asks:
        player.ask(ask)
        settle(player)
    return player.frame()
