"""Weights, the share for cancels, the venue's own count, 429 and 418."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from brokers.link.budget import Budget, Lane, Limit
from engine.model.errors import UsageError

LIMITS = (Limit("weight", 100, 60.0), Limit("orders", 10, 10.0))


def test_placements_stop_at_their_share_and_cancels_go_on() -> None:
    """A fifth of every window is for cancels; they come to an end too."""
    budget = Budget(LIMITS)
    for _ in range(8):
        assert 0.0 == budget.wait_s({"orders": 1}, Lane.PLACE, 0.0)
        budget.spend({"orders": 1}, 0.0)

    assert 10.0 == budget.wait_s({"orders": 1}, Lane.PLACE, 0.0)
    assert 2.5 == budget.wait_s({"orders": 1}, Lane.READ, 7.5)
    for _ in range(2):
        assert 0.0 == budget.wait_s({"orders": 1}, Lane.CANCEL, 0.0)
        budget.spend({"orders": 1}, 0.0)
    assert 10.0 == budget.wait_s({"orders": 1}, Lane.CANCEL, 0.0)


@given(
    st.lists(
        st.tuples(st.floats(0.0, 5.0), st.integers(1, 5), st.sampled_from(list(Lane))), max_size=120
    )
)
def test_no_window_ever_holds_more_than_its_limit(
    asked: list[tuple[float, int, Lane]],
) -> None:
    """Whoever waits as told never exceeds a limit, and placements never take the cancels' share."""
    budget, now_s, log = Budget(LIMITS), 0.0, []
    for gap_s, weight, lane in asked:
        now_s += gap_s
        costs = {"weight": weight, "orders": 1}
        wait_s = budget.wait_s(costs, lane, now_s)
        if lane is Lane.CANCEL or wait_s <= 10.0:
            now_s += wait_s
            assert budget.wait_s(costs, lane, now_s) <= 1e-9
            budget.spend(costs, now_s)
            log.append((now_s, weight, lane))

    for at_s, _, __ in log:
        recent = [row for row in log if at_s - 10.0 + 1e-6 < row[0] <= at_s]
        assert len(recent) <= 10
        if recent[-1][2] is not Lane.CANCEL:
            assert len(recent) <= 8
        minute = [row for row in log if at_s - 60.0 + 1e-6 < row[0] <= at_s]
        assert sum(weight for _, weight, __ in minute) <= 100


def test_what_is_spent_beyond_a_limit_costs_no_memory() -> None:
    """Whoever does not wait is counted in full, for as long as their last request."""
    budget = Budget((Limit("orders", 10, 10.0),))
    for tenth in range(100):
        budget.spend({"orders": 1}, tenth / 10)

    assert pytest.approx(10.0) == budget.wait_s({"orders": 1}, Lane.CANCEL, 9.9)
    assert 10 == budget.left("orders", Lane.CANCEL, 20.0)


def test_the_venues_count_is_believed_where_it_is_higher() -> None:
    """Somebody else uses the address too; a lower count is an old one."""
    budget = Budget(LIMITS)
    budget.spend({"weight": 30}, 0.0)
    budget.heed("weight", 10, 1.0)
    assert 50 == budget.left("weight", Lane.PLACE, 1.0)
    budget.heed("weight", 79, 1.0)
    assert 1 == budget.left("weight", Lane.PLACE, 1.0)
    assert 21 == budget.left("weight", Lane.CANCEL, 1.0)
    budget.heed("no such limit", 5_000, 1.0)

    assert 0.0 == budget.wait_s({"weight": 1}, Lane.PLACE, 1.0)
    assert 31 == budget.left("weight", Lane.PLACE, 60.5)


def test_what_others_have_spent_counts_until_the_venue_says_that_it_is_over() -> None:
    """A resumed session finds what it spent before its crash, which is over before a minute is."""
    budget = Budget(LIMITS)
    budget.heed("weight", 90, 0.0)
    assert 60.0 == budget.wait_s({"weight": 5}, Lane.READ, 0.0)
    budget.spend({"weight": 5}, 10.0)
    budget.heed("weight", 45, 20.0)
    assert 0.0 == budget.wait_s({"weight": 5}, Lane.READ, 20.0)
    assert 5 == budget.left("weight", Lane.READ, 20.0)
    assert 50.0 == budget.wait_s({"weight": 10}, Lane.READ, 20.0)
    budget.heed("weight", 90, 30.0)
    assert 0.0 == budget.wait_s({"weight": 5}, Lane.READ, 90.0)


def test_after_429_cancels_go_and_in_a_ban_nothing_does() -> None:
    """A shorter one later does not shorten the first."""
    budget = Budget(LIMITS)
    budget.back_off(5.0, 0.0)
    budget.back_off(1.0, 0.0)
    assert 5.0 == budget.wait_s({"orders": 1}, Lane.PLACE, 0.0)
    assert 0.0 == budget.wait_s({"orders": 1}, Lane.CANCEL, 0.0)
    budget.back_off(120.0, 10.0, is_ban=True)

    assert 120.0 == budget.banned_s(10.0)
    assert 120.0 == budget.wait_s({"orders": 1}, Lane.CANCEL, 10.0)
    assert 0.0 == budget.wait_s({"orders": 1}, Lane.PLACE, 130.0)
    assert 3 == budget.refusals


def test_a_request_larger_than_its_share_waits_a_whole_window() -> None:
    """And is never let out by rounding."""
    assert 60.0 == Budget(LIMITS).wait_s({"weight": 101}, Lane.CANCEL, 0.0)


@pytest.mark.parametrize("reserve", [0.0, 0.19, 1.0])
def test_the_share_for_cancels_has_a_floor(reserve: float) -> None:
    """A fifth."""
    with pytest.raises(UsageError, match="share for cancels"):
        Budget(LIMITS, reserve)


def test_questions_leave_half_to_orders() -> None:
    """However much is asked; a window of one still takes a question."""
    budget = Budget((Limit("weight", 100, 60.0), Limit("one", 1, 1.0)))
    budget.spend({"weight": 50}, 0.0)

    assert 0.0 < budget.wait_s({"weight": 1}, Lane.READ, 1.0)
    assert 0.0 == budget.wait_s({"weight": 30}, Lane.PLACE, 1.0)
    assert 0.0 == budget.wait_s({"one": 1}, Lane.READ, 1.0)
    assert Lane.CANCEL is Lane.of_order(is_reducing=True)
    assert Lane.PLACE is Lane.of_order(is_reducing=False)
