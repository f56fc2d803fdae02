"""Any instant of a recorded session, however one gets there, is the one a forward run shows."""

import random
from functools import cache
from itertools import pairwise
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from engine.model.errors import JournalDamaged
from engine.session.journal_reader import read_journal
from engine.session.playback.landmarks import Landmark
from engine.session.playback.player import Player
from engine.session.playback.tape import Tape
from engine.session.playback.words import NORMAL, SPEEDS, Ask, Play, Seek, Step
from engine.session.replay import Replay
from tests.engine.session.playback.forward import (
    Instant,
    after,
    cast_of,
    face,
    forward,
    learn,
    open_player,
    settle,
)
from tests.sweeps import counted

SEEKS = counted(200, sample=60)
MAX = len(SPEEDS) - 1
known = cache(forward)


class Clock:
    """A wall clock that a test moves; each look takes a moment, so that no slice is endless."""

    def __init__(self) -> None:
        self.now_s = 0.0

    def __call__(self) -> float:
        self.now_s += 1e-6
        return self.now_s


def test_random_seeks_show_what_a_forward_run_shows(long: Path) -> None:
    """T11: through ten minutes, back and forth, view for view."""
    player = learn(open_player(long))
    dice = random.Random(11)  # noqa: S311 - a test's
    wanted = [dice.randrange(player.tape.length + 1) for _ in range(SEEKS)]
    truth = forward(long, frozenset(wanted))
    assert len(truth) == player.tape.length + 1

    for cursor in wanted:
        shown = after(player, Seek(seq=truth[cursor].seq))
        assert cursor == shown.scrub.cursor
        assert (truth[cursor].seq, truth[cursor].hash) == (shown.scrub.seq, shown.scrub.hash)
        assert truth[cursor].face == face(shown.view), f"instant {cursor} looks different"
        assert 0 == shown.scrub.diverged


def test_it_is_seekable_before_it_is_known(short: Path) -> None:
    """A wish ahead of what is known waits and comes true; one behind it does not wait."""
    truth = known(short)
    player = open_player(short)
    player.ask(Seek(seq=truth[-1].seq))
    player.work(0)
    assert player.frame().scrub.is_seeking
    shown = settle(player)
    assert len(truth) - 1 == shown.scrub.cursor
    assert truth[-1].face == face(shown.view)

    player = open_player(short)
    player.ask(Step(by=1))
    shown = settle(player)
    assert 1 == shown.scrub.cursor
    assert not shown.scrub.is_whole


def test_the_newest_wish_wins(short: Path) -> None:
    """Who changes his mind does not get both."""
    truth = known(short)
    player = open_player(short)
    player.ask(Seek(is_end=True))
    player.work(0)
    player.ask(Seek(seq=truth[5].seq))

    assert 5 == settle(player).scrub.cursor


@settings(max_examples=20, deadline=None, suppress_health_check=list(HealthCheck))
@given(data=st.data())
def test_any_steps_and_seeks_equal_a_forward_run(short: Path, data: st.DataObject) -> None:
    """The player is a model's equal: where it stands, what it shows, what it refuses."""
    truth = known(short)
    player = open_player(short, spacing=64, marks_max=6)
    cursor = 0
    for _ in range(data.draw(st.integers(1, 12))):
        ask = data.draw(asks(truth))
        expected = moved(ask, cursor, truth)
        player.ask(ask)
        shown = settle(player)
        cursor = cursor if expected is None else expected
        assert cursor == shown.scrub.cursor
        assert (expected is None) is bool(shown.scrub.refusal)
        assert truth[cursor].face == face(shown.view)
        assert truth[cursor].decisions == shown.scrub.decisions
        assert (0, truth[cursor].ts_ns) == (shown.scrub.diverged, shown.scrub.ts_ns)


def asks(truth: list[Instant]) -> st.SearchStrategy[Ask]:
    """Every kind of wish, hits and misses."""
    instants = st.sampled_from(truth)
    return st.one_of(
        st.builds(Step, by=st.sampled_from((-1, 1)), to=st.sampled_from((None, *Landmark))),
        st.integers(0, truth[-1].seq + 5).map(lambda seq: Seek(seq=seq)),
        instants.map(lambda instant: Seek(ts_ns=instant.ts_ns)),
        st.builds(
            lambda instant, size: Seek(digits=instant.hash[:size]), instants, st.integers(8, 64)
        ),
        st.just(Seek(is_end=True)),
    )


def moved(ask: Ask, cursor: int, truth: list[Instant]) -> int | None:
    """Where a wish leads, by looking at every instant there is."""
    last = len(truth) - 1
    match ask:
        case Step(by, to):
            way = range(cursor + 1, last + 1) if by > 0 else range(cursor - 1, -1, -1)
            return next((at for at in way if to is None or to in truth[at].landmarks), None)
        case Seek(is_end=True):
            return last
        case Seek(seq=int(seq)):
            return next((at for at in range(last + 1) if truth[at].seq >= seq), None)
        case Seek(ts_ns=int(ts_ns)):
            return max(at for at in range(last + 1) if truth[at].ts_ns <= ts_ns)
        case Seek(digits=digits):
            return next(at for at in range(last + 1) if truth[at].hash.startswith(digits))
        case _:
            raise AssertionError(ask)


def test_it_plays_at_the_chosen_speed_and_stops_at_the_end(short: Path) -> None:
    """Recorded seconds per wall second; at the end it stops by itself."""
    truth = known(short)
    clock = Clock()
    player = open_player(short, monotonic_s=clock)
    learn(player)
    for place, speed in enumerate(SPEEDS[:-1]):
        player.ask(Seek(seq=0))
        settle(player)
        player.ask(Play(is_on=True, speed=place))
        clock.now_s += 0.2
        for _ in range(50):
            player.work(0.001)
        began_ns = truth[0].ts_ns
        shown = player.frame()
        assert shown.scrub.is_playing or speed >= 100
        reached = max(
            at for at, one in enumerate(truth) if one.ts_ns <= began_ns + 0.2 * speed * 1e9
        )
        assert abs(reached - shown.scrub.cursor) <= 2 + 0.05 * reached
    clock.now_s += 1_000
    for _ in range(200):
        player.work(0.01)
    shown = player.frame()
    assert (len(truth) - 1, False) == (shown.scrub.cursor, shown.scrub.is_playing)
    assert not player.is_busy


def test_at_full_speed_it_passes_every_instant(long: Path) -> None:
    """Max runs the inputs as fast as they come, it does not leap to the end."""
    player = learn(open_player(long))
    player.ask(Play(is_on=True, speed=MAX))
    seen = [0]
    while player.is_busy:
        player.work(0)
        seen.append(player.shown_cursor)

    assert sorted(seen) == seen
    assert max(b - a for a, b in pairwise(seen)) <= 64
    assert player.tape.length == seen[-1]


def test_speed_is_kept_while_paused(short: Path) -> None:
    """Faster, then play."""
    player = open_player(short)

    assert NORMAL == player.frame().scrub.speed
    assert 7 == after(player, Play(is_on=False, speed=7)).scrub.speed


REFUSALS = [
    (Step(by=-1), "no event before this"),
    (Step(by=-1, to=Landmark.FILL), "no fill before this"),
    (Seek(seq=10**9), "there is no event 1,000,000,000: the last is"),
    (Seek(digits="f" * 64), "no event's hash begins with ffff"),
    (Seek(ts_ns=1), "the session began at"),
    (Seek(ts_ns=2**62), "the session ended at"),
]


@pytest.mark.parametrize(("ask", "words"), REFUSALS)
def test_what_leads_nowhere_says_so_and_moves_nothing(short: Path, ask: Ask, words: str) -> None:
    """In words, and only until the next wish."""
    player = learn(open_player(short))
    shown = after(player, ask)
    assert shown.scrub.refusal.startswith(words)
    assert 0 == shown.scrub.cursor

    assert "" == after(player, Step(by=1)).scrub.refusal


def test_a_hash_is_compared_whole(short: Path) -> None:
    """More digits than are kept in memory are read from the file: one wrong one is no match."""
    truth = known(short)
    player = learn(open_player(short))
    right = truth[40].hash
    wrong = right[:-1] + ("0" if right[-1] != "0" else "1")

    assert 40 == after(player, Seek(digits=right)).scrub.cursor
    assert after(player, Seek(digits=wrong)).scrub.refusal


def test_marks_are_bounded(short: Path) -> None:
    """However long a session is, so many instants are kept at most, and every seek still works."""
    truth = known(short)
    player = learn(open_player(short, spacing=4, marks_max=10))

    assert len(player.tape._marks) <= 10
    for cursor in (len(truth) - 1, 3, len(truth) // 2):
        assert truth[cursor].face == face(after(player, Seek(seq=truth[cursor].seq)).view)


def test_a_journal_of_many_files_is_one(sealed: Path) -> None:
    """Seeks lead into packed segments as into the open file."""
    dice = random.Random(5)  # noqa: S311 - a test's
    player = learn(open_player(sealed))
    wanted = [dice.randrange(player.tape.length + 1) for _ in range(15)]
    truth = forward(sealed, frozenset(wanted))

    for cursor in wanted:
        assert truth[cursor].face == face(after(player, Seek(seq=truth[cursor].seq)).view)


def test_what_differs_is_counted_and_the_first_is_named(short: Path) -> None:
    """A program that decides otherwise is found out, at the very line `replay` names."""
    other = cast_of(short, **{"agents.quoter.half_spread_bps": "0.7"})
    lines = read_journal(short)
    first = next(lines)
    expected = Replay(other.make_kernel(), first).run(lines).mismatch
    player = Player(short, lambda _: other, Clock())
    learn(player)
    shown = after(player, Seek(is_end=True))

    assert expected is not None
    assert player.tape.mismatch is not None
    assert expected.line == player.tape.mismatch.line
    assert shown.scrub.diverged > 0
    assert after(player, Seek(seq=0)).scrub.diverged == shown.scrub.diverged, "found stays found"


def test_damage_is_named_by_file_and_line(short: Path, tmp_path: Path) -> None:
    """As `replay` names it; up to there nothing is held back."""
    lines = short.read_bytes().splitlines(keepends=True)
    lines[300] = lines[300].replace(b'"ts":', b'"ts":1', 1)
    journal = tmp_path / "events.jsonl"
    journal.write_bytes(b"".join(lines))
    player = open_player(journal)

    with pytest.raises(JournalDamaged, match=r"events\.jsonl:301"):
        learn(player)
    assert 0 < player.tape.lines <= 300


def test_a_journal_that_changes_meanwhile_is_found_out(short: Path, tmp_path: Path) -> None:
    """Every line that is made again is proven again."""
    journal = tmp_path / "events.jsonl"
    content = bytearray(short.read_bytes())
    journal.write_bytes(content)
    player = learn(open_player(journal))
    content[len(content) // 2] ^= 1
    journal.write_bytes(content)

    with pytest.raises(JournalDamaged):
        after(player, Seek(seq=player.tape.lines // 2 + 200))


def test_the_tape_finds_no_line_before_the_first(short: Path) -> None:
    """Line 0 does not exist, and eight zero digits are nobody's hash."""
    tape: Tape = learn(open_player(short)).tape

    assert tape.with_hash("0" * 16) is None
    assert 0 == tape.at_line(1)
