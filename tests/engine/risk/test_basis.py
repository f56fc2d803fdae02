"""The basis guard, reading by reading; the oracle is domain.md section 8, worked out by hand."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.risk.basis import STEP_NS, Basis

ALPHA, LIMIT = 0.5, 10.0
STEPS = [
    # at (in steps), ours, theirs, changed?, apart?, fair bps behind it
    (0, 10_010, 10_000, False, False, 10.0),  # seeded with the first reading
    (0.5, 10_012, 10_000, False, False, 10.0),  # the average moves once in a step
    (1, 10_012, 10_000, False, False, 11.0),
    (2, 10_021, 10_000, False, False, 16.0),  # 10 from fair: at the limit is not beyond it
    (3, 10_026.1, 10_000, True, True, 16.0),  # and nothing is learnt from what is apart
    (9, 10_026.1, 10_000, False, True, 16.0),
    (10, 10_005, 10_000, False, True, 16.0),  # on the other side of it: still apart
    (11, 10_006.5, 10_000, True, False, 11.25),
    (12, 10_001, 10_000, True, True, 11.25),
]  # fmt: skip


def read(basis: Basis, ours: float, theirs: float, at_ns: int) -> bool:
    return basis.read(ours, theirs, at_ns, alpha=ALPHA, limit_bps=LIMIT)


def test_row_by_row() -> None:
    """Each reading leads to its answer and its average."""
    basis = Basis()
    for at, ours, theirs, changed, apart, fair in STEPS:
        answer = read(basis, ours, theirs, round(at * STEP_NS))

        assert (changed, apart) == (answer, basis.is_apart), at
        assert basis.fair_bps == pytest.approx(fair), at


def test_before_the_first_reading_nothing_deviates() -> None:
    """There is no average to be away from, and none to be replaced."""
    assert 0.0 == Basis().deviation_bps
    assert 0.0 == Basis().accept()


def test_a_person_accepts_a_level_that_lasts() -> None:
    """From then on it is the fair one."""
    basis = Basis()
    read(basis, 10_000, 10_000, 0)
    read(basis, 10_200, 10_000, STEP_NS)
    before = basis.deviation_bps
    fair = basis.accept()

    assert (before, fair) == pytest.approx((200, 0))
    assert (0.0, False) == (basis.deviation_bps, basis.is_apart)
    assert not read(basis, 10_200, 10_000, 2 * STEP_NS)
    assert read(basis, 10_000, 10_000, 3 * STEP_NS)


PRICE = st.floats(0.001, 1e6)
TIMES = st.lists(st.integers(0, 3 * STEP_NS), min_size=1, max_size=30)


@given(PRICE, st.floats(-0.2, 0.2), TIMES, st.floats(0.01, 1.0))
def test_a_constant_basis_is_fair(
    theirs: float, share: float, gaps: list[int], alpha: float
) -> None:
    """Whatever its size and however prices are scaled, it never trips."""
    basis, at_ns = Basis(), 0
    for place, gap in enumerate(gaps):
        at_ns += gap
        scale = 1 + place
        ours = theirs * (1 + share)
        changed = basis.read(ours * scale, theirs * scale, at_ns, alpha=alpha, limit_bps=0.01)

        assert (False, False) == (changed, basis.is_apart)


@given(st.floats(-0.5, 0.5), st.floats(1.0, 500.0), st.floats(0.01, 1.0), st.integers(1, 400))
def test_a_jump_trips_for_as_long_as_it_lasts(
    share: float, limit: float, alpha: float, steps: int
) -> None:
    """One change there, none while it stays, one back: and the level of before is still fair."""
    basis = Basis()
    jump = (limit + 1) / 1e4
    before, after = 1 + share, 1 + share + jump
    changes = [
        basis.read(ours, 1.0, at * STEP_NS, alpha=alpha, limit_bps=limit)
        for at, ours in enumerate([before, before, *[after] * steps, before])
    ]

    assert [False, False, True, *[False] * (steps - 1), True] == changes
    assert basis.fair_bps == pytest.approx(share * 1e4, abs=1e-6)


@given(st.lists(st.floats(0.9, 1.1), min_size=2, max_size=50), st.floats(0.01, 1.0))
def test_the_average_stays_among_its_readings(ours: list[float], alpha: float) -> None:
    """An average that left them would be a wrong formula."""
    basis = Basis()
    for at, price in enumerate(ours):
        basis.read(price, 1.0, at * STEP_NS, alpha=alpha, limit_bps=1e9)

    assert basis.fair_bps is not None
    seen = [(price - 1) * 1e4 for price in ours]
    assert min(seen) - 1e-6 <= basis.fair_bps <= max(seen) + 1e-6
