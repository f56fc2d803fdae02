"""Leverage and margin mode of a live session: asked again while it runs, each change told once."""

import pytest

from brokers.link.account import Accepted, Refused, Unanswered
from brokers.link.terms import Held
from engine.model.account import MarginMode
from engine.model.venue_events import RejectReason, VenueMargin
from engine.venue import MarginTerms
from tests.brokers.link.desk import START_NS, Desk, settle
from tests.engine.factories import BTC, ETH

S = 1_000_000_000
CROSS, ISOLATED = MarginMode.CROSS, MarginMode.ISOLATED
THREE = MarginTerms(BTC, 3, ISOLATED)
FIVE = MarginTerms(BTC, 5, CROSS)
OTHER = MarginTerms(ETH, 20, None)
SHORT = Refused(RejectReason.INSUFFICIENT_BALANCE)
ROSE = (BTC, 5, CROSS, 3, ISOLATED)
FELL = (BTC, 3, ISOLATED, 5, CROSS)


def minutely(*terms: MarginTerms) -> Desk:
    return Desk(margin=Held(terms or (THREE,), 60.0))


def refused_only() -> Desk:
    return Desk(margin=Held((THREE,), None))


async def lived(desk: Desk, seconds: int) -> list[tuple]:
    """Let time pass, four beats a second; return what was told of margin meanwhile."""
    before = len(desk.told)
    for _ in range(4 * seconds):
        desk.broker.advance(desk.now_ns)
        desk.broker.beat(desk.now_ns)
        await settle()
        desk.now_ns += S // 4
    desk.broker.advance(desk.now_ns)
    return margins(desk, before)


def margins(desk: Desk, since: int = 0) -> list[tuple]:
    found = [event for event in desk.told[since:] if isinstance(event, VenueMargin)]
    return [(e.symbol, e.leverage, e.mode, e.was_leverage, e.was_mode) for e in found]


def asked(desk: Desk) -> int:
    return desk.account.names().count("margin_terms")


# --- what is told ----------------------------------------------------------------------------


async def test_a_change_is_told_once_and_so_is_the_way_back() -> None:
    """With what it was; asked at the first beat, then every minute."""
    async with minutely() as desk:
        desk.script("margin_terms", [THREE], [FIVE], [FIVE], [THREE])
        assert [] == await lived(desk, 60)
        assert [ROSE] == await lived(desk, 60)
        assert [] == await lived(desk, 60)
        assert [FELL] == await lived(desk, 60)
        assert 4 == asked(desk)


@pytest.mark.parametrize(
    ("now", "told"),
    [
        (MarginTerms(BTC, 3, CROSS), (BTC, 3, CROSS, 3, ISOLATED)),
        (MarginTerms(BTC, 4, ISOLATED), (BTC, 4, ISOLATED, 3, ISOLATED)),
        (MarginTerms(BTC, 3, None), (BTC, 3, None, 3, ISOLATED)),
    ],
)
async def test_either_alone_is_a_change(now: MarginTerms, told: tuple) -> None:
    async with minutely() as desk:
        desk.script("margin_terms", [now])
        assert [told] == await lived(desk, 1)


async def test_what_changed_before_the_first_beat_is_told_with_it() -> None:
    """A person may have taken minutes to arm."""
    async with minutely() as desk:
        desk.script("margin_terms", [FIVE])
        assert [ROSE] == await lived(desk, 1)


async def test_an_answer_that_fails_is_nothing_new() -> None:
    async with minutely() as desk:
        desk.script("margin_terms", Unanswered("down"), [FIVE])
        assert [] == await lived(desk, 60)
        assert [ROSE] == await lived(desk, 60)


async def test_an_instrument_that_is_missing_says_nothing_and_a_new_one_is_only_learned() -> None:
    async with minutely() as desk:
        desk.script("margin_terms", [OTHER], [FIVE], [MarginTerms(ETH, 10, CROSS)])
        assert [] == await lived(desk, 60)
        assert [ROSE] == await lived(desk, 60)
        assert [(ETH, 10, CROSS, 20, None)] == await lived(desk, 60)


# --- when it is asked ------------------------------------------------------------------------


async def test_where_they_are_too_many_nothing_is_asked() -> None:
    """An account that told nothing at the start, whatever is refused."""
    async with Desk(margin=Held((), 60.0)) as desk:
        desk.script("place", SHORT)
        await desk.place()
        assert [] == await lived(desk, 300)
        assert 0 == asked(desk)


async def test_the_more_instruments_the_less_often() -> None:
    """Some venues are asked about one at a time: six seconds each."""
    many = [MarginTerms(f"X{number}", 3, CROSS) for number in range(20)]
    async with minutely(*many) as desk:
        desk.script("margin_terms", *[many] * 9)
        await lived(desk, 360)
        assert 3 == asked(desk)
        await lived(desk, 1)
        desk.script("place", SHORT)
        await desk.place()
        await lived(desk, 59)
        assert 3 + 1 == asked(desk), "a refusal: three seconds each"
        await lived(desk, 1)
        assert 3 + 2 == asked(desk)


async def test_nothing_is_asked_in_a_rerun() -> None:
    desk = minutely()
    desk.broker.beat(START_NS)
    await settle()
    assert 0 == asked(desk)


async def test_refusals_for_want_of_margin_ask_once_and_soon() -> None:
    """However many there are; placed or amended, and only of that reason."""
    async with minutely() as desk:
        await lived(desk, 10)
        desk.script("place", *[SHORT] * 5)
        for number in range(1, 6):
            await desk.place(number)
        await lived(desk, 4)
        assert 2 == asked(desk)
        await lived(desk, 30)
        assert 2 == asked(desk)
        desk.script("place", Accepted("v9"))
        await desk.place(9)
        desk.script("amend", Refused(RejectReason.INVALID_ORDER), SHORT)
        await desk.amend("1001.0", "1", 9)
        await lived(desk, 1)
        assert 2 == asked(desk)
        await desk.amend("1001.0", "1", 9)
        await lived(desk, 1)
        assert 3 == asked(desk)


async def test_a_storm_of_refusals_asks_every_five_seconds_at_most() -> None:
    async with refused_only() as desk:
        desk.script("place", *[SHORT] * 20)
        for number in range(1, 21):
            await desk.place(number)
            await lived(desk, 1)
        assert 4 == asked(desk)


async def test_without_a_span_it_is_asked_after_a_refusal_alone() -> None:
    async with refused_only() as desk:
        await lived(desk, 300)
        assert 0 == asked(desk)
        desk.script("place", SHORT)
        desk.script("margin_terms", [FIVE])
        await desk.place()
        assert [ROSE] == await lived(desk, 1)


async def test_a_question_under_way_is_not_asked_again() -> None:
    """It may take longer than the time between two."""
    async with minutely() as desk:
        coming = desk.later("margin_terms")
        await lived(desk, 300)
        assert 1 == asked(desk)
        coming.set_result([FIVE])
        await settle()
        assert [ROSE] == await lived(desk, 1)
        assert 2 == asked(desk)


# --- over a resume ---------------------------------------------------------------------------


async def test_what_a_session_was_told_is_not_told_to_its_resume() -> None:
    """From a checkpoint, and from the lines behind it; what changed since is."""
    async with minutely() as desk:
        desk.script("margin_terms", [FIVE])
        before = desk.broker.snapshot()
        await lived(desk, 1)
        kept, lines = desk.broker.snapshot(), list(desk.told)
    for snapshot, recalled in ((kept, []), (before, lines), (None, lines)):
        again = minutely()
        if snapshot is not None:
            again.broker.restore(snapshot)
        for line in recalled:
            again.broker.recall(line)
        async with again:
            again.script("margin_terms", [FIVE], [THREE])
            assert [] == await lived(again, 1)
            assert [FELL] == await lived(again, 60)


async def test_what_a_crash_kept_from_a_session_is_told_to_its_resume() -> None:
    """The venue had answered, and nobody had taken it when the checkpoint was made."""
    async with minutely() as desk:
        desk.script("margin_terms", [FIVE])
        desk.broker.beat(desk.now_ns)
        await settle()
        kept = desk.broker.snapshot()
        assert [] == desk.told
    again = minutely(FIVE)
    again.broker.restore(kept)
    async with again:
        again.script("margin_terms", [FIVE])
        assert [ROSE] == await lived(again, 1)


async def test_an_older_checkpoint_leaves_what_the_start_was_told() -> None:
    """One of a release that kept nothing of it."""
    desk = minutely()
    kept = desk.broker.snapshot()
    older = kept[: kept.index(b',"terms"')] + b"}"
    desk.broker.restore(older)
    async with desk:
        desk.script("margin_terms", [FIVE])
        assert [ROSE] == await lived(desk, 1)
