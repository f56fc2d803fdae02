"""The quickest answer counts, its error is known, and an old one fades."""

from hypothesis import given
from hypothesis import strategies as st

from brokers.link.offset import KEPT, NS_PER_S, ClockOffset

MS = 1_000_000


def test_nothing_is_known_before_the_first_answer() -> None:
    """Nor after our own clock was set."""
    offset = ClockOffset()
    assert offset.now(0) is None
    offset.sample(sent_ns=0, received_ns=MS, wall_ns=5, venue_ns=9)
    offset.reset()
    assert offset.now(0) is None


@given(
    st.integers(-10 * NS_PER_S, 10 * NS_PER_S),
    st.lists(
        st.tuples(st.integers(0, 400 * MS), st.integers(0, 400 * MS)), min_size=1, max_size=30
    ),
)
def test_the_truth_lies_within_the_error(true_ns: int, trips: list[tuple[int, int]]) -> None:
    """However unequal the two ways of a trip are."""
    offset, mono_ns, epoch_ns = ClockOffset(), 0, 1_700_000_000 * NS_PER_S
    for out_ns, back_ns in trips:
        sent_ns = mono_ns
        venue_ns = epoch_ns + sent_ns + out_ns + true_ns
        mono_ns += out_ns + back_ns
        offset.sample(
            sent_ns=sent_ns, received_ns=mono_ns, wall_ns=epoch_ns + mono_ns, venue_ns=venue_ns
        )
        found = offset.now(mono_ns)
        assert found is not None
        assert abs(found.ns - true_ns) <= found.error_ns + 1
    assert found.error_ns <= sum(trips[-1]) // 2
    assert found.error_ns <= min(sum(trip) for trip in trips[-KEPT:]) // 2 + 1 * MS


def test_a_quick_old_answer_gives_way_to_a_slower_new_one() -> None:
    """Our clock drifts; an hour later a 10 ms trip from then is worth less than a 40 ms one now."""
    offset = ClockOffset()
    offset.sample(sent_ns=0, received_ns=10 * MS, wall_ns=0, venue_ns=100 * MS)
    assert 105 * MS == offset.now(10 * MS).ns
    later = 3_600 * NS_PER_S
    offset.sample(
        sent_ns=later, received_ns=later + 40 * MS, wall_ns=later, venue_ns=later + 300 * MS
    )

    assert 320 * MS == offset.now(later + 40 * MS).ns
