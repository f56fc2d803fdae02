"""Copies that go on by themselves: what changes is copied, what never does is shared."""

from collections import deque
from pathlib import Path
from typing import Any

import pytest

from engine.kernel import Kernel
from engine.model.market import Trade
from engine.model.orders import BUY
from engine.session.playback.twin import Twins
from tests.engine.session.playback.forward import cast_of

TRADE = Trade(1, 1, "BTCUSDT", 7, 670_000, 3, BUY)


@pytest.fixture
def kernels(short: Path) -> tuple[Kernel, Kernel]:
    make = cast_of(short).make_kernel
    return make(), make()


class Box:
    """A part as those of a session are: rows bound to its own tails."""

    __module__ = "engine.session.box"
    __slots__ = ("kernel", "rows", "tail")

    def __init__(self, kernel: object) -> None:
        self.kernel = kernel
        self.tail: deque[Any] = deque([TRADE], maxlen=2)
        self.rows = {Trade: (self.tail.append, self.forget)}

    def forget(self) -> None:
        self.tail.clear()


def test_rows_of_a_twin_lead_to_its_own_tails(kernels: tuple[Kernel, Kernel]) -> None:
    """Also where they are methods of a deque, which a plain deep copy shares."""
    ours, theirs = kernels
    box = Box(ours)
    other = Twins(ours, theirs).of(box)
    other.rows[Trade][0](None)

    assert (1, 2) == (len(box.tail), len(other.tail))
    assert other.tail[0] is TRADE
    assert other.tail.maxlen == 2
    other.rows[Trade][1]()
    assert (1, 0) == (len(box.tail), len(other.tail))


def test_what_is_held_of_a_kernel_is_that_of_the_other(kernels: tuple[Kernel, Kernel]) -> None:
    """The kernel, its lasting parts, its table of views."""
    ours, theirs = kernels
    parts = lambda k: [k, k.market, k.market.views, k.portfolio, k.conduct]  # noqa: E731
    found = Twins(ours, theirs).of(Box(parts(ours))).kernel

    assert all(one is other for one, other in zip(found, parts(theirs), strict=True))


def test_a_part_that_nobody_named_is_refused(kernels: tuple[Kernel, Kernel]) -> None:
    """A copy of it would never change again."""
    ours, theirs = kernels
    with pytest.raises(AssertionError, match="a Blotter belongs to a kernel"):
        Twins(ours, theirs).of(Box(ours.blotter))
