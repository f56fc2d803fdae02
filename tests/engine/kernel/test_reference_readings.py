"""How far a reference market is from each of its limits, and when a limit is passed."""

import pytest

from engine.model.events import Timer
from tests.engine.kernel.rig import SECOND, D, Rig, Scripted
from tests.engine.kernel.test_reference import Pair, begun


def test_the_readings_name_the_worst_instrument() -> None:
    """Three rows: the furthest basis, the longest silence, the first line down."""
    pair = begun(symbols=("BTC", "ETH"))
    pair.jump(100, "ETH")
    pair.quote("ETH")
    pair.line(is_up=False)
    pair.silent = {"BTC"}
    pair.wait(0.5)
    pair.line(is_up=False, name="there.public")
    pair.wait(0.5)
    basis, lag, gap = pair.kernel.reference.readings(pair.now)

    assert ("max_basis_deviation_bps", D(75), True, D(0), "agreed") == (
        basis.name, basis.limit, basis.is_tripped, basis.headroom, basis.rearm,
    )  # fmt: skip
    assert 98 < basis.reading < 100
    assert ("max_reference_lag_s", D("2.0"), False, "heard") == (
        lag.name, lag.limit, lag.is_tripped, lag.rearm,
    )  # fmt: skip
    assert D("0.9") < lag.reading <= D("1.1")
    assert D("0.45") <= lag.headroom < D("0.55")
    assert ("max_reference_down_s", D("10.0"), False) == (gap.name, gap.limit, gap.is_tripped)
    assert D("0.9") < gap.reading <= D("1.1")


def test_the_readings_of_a_line_that_is_down() -> None:
    """Zero while all are up; past its limit it says that it tripped."""
    pair = begun(limits={"max_reference_lag_s": 30.0})
    *_, before = pair.kernel.reference.readings(pair.now)
    pair.line(is_up=False)
    pair.wait(11)
    _, lag, after = pair.kernel.reference.readings(pair.now)

    assert (D(0), D(1), False) == (before.reading, before.headroom, before.is_tripped)
    assert (False, True, D(0)) == (lag.is_tripped, after.is_tripped, after.headroom)


def test_silence_counts_from_the_first_timer_where_nothing_was_ever_heard() -> None:
    """Before it there is no time to count from."""
    pair = Pair(Scripted("a"))
    pair.silent = {"BTC"}
    pair.quote()
    _, at_first, _ = pair.kernel.reference.readings(pair.now)
    pair.wait(1)
    _, later, _ = pair.kernel.reference.readings(pair.now)

    assert D(0) == at_first.reading
    assert D("0.7") < later.reading <= D(1)


@pytest.mark.parametrize("references", [(), ("DOGE",)])
def test_beside_nothing_there_is_nothing_to_read(references: tuple[str, ...]) -> None:
    """No reference, or one of an instrument that is not traded."""
    rig = Rig(Scripted("a"), references=references, limits={"max_basis_deviation_bps": D(75)})

    assert {} == rig.kernel.reference.state.counterparts
    assert () == rig.kernel.reference.readings(rig.now)


@pytest.mark.parametrize(("late_ns", "is_lost"), [(0, False), (1, True)])
def test_silence_may_last_as_long_as_its_limit(late_ns: int, is_lost: bool) -> None:
    """One nanosecond more, and the reference is lost."""
    pair = begun()
    pair.turn.input(Timer(pair.now + 2 * SECOND + late_ns))

    assert (["max_reference_lag_s"] if is_lost else []) == [name for name, *_ in pair.trips()]


@pytest.mark.parametrize(("late_ns", "is_read"), [(0, True), (1, False)])
def test_our_price_may_be_as_old_as_the_reference(late_ns: int, is_read: bool) -> None:
    """One nanosecond more, and it says nothing about the other market."""
    pair = begun()
    pair.now += 2 * SECOND + late_ns
    pair.jump(100)
    pair.tell_there()

    assert is_read is ("BASIS_DEPEG:BTC" in pair.open_reasons())


def test_a_lost_reference_is_not_read() -> None:
    """Its line is down too long: what still comes over another is held against nothing."""
    pair = begun()
    pair.line(is_up=False)
    pair.wait(11)
    pair.jump(100)
    pair.wait(1)
    lost = pair.open_reasons()
    pair.line(is_up=True)
    pair.wait(1)

    assert ("REFERENCE_LOST:BTC",) == lost
    assert ("BASIS_DEPEG:BTC",) == pair.open_reasons()


def test_silence_is_told_before_a_line_that_is_down() -> None:
    """Where both pass their limits with the same timer, the nearer cause is named."""
    pair = begun(limits={"max_reference_lag_s": 10.0})
    pair.line(is_up=False)
    pair.silent = {"BTC"}
    pair.wait(10.5)

    assert [("max_reference_lag_s", "BTC", True)] == pair.trips()
