"""The same seed gives the same answers, and a restored venue goes on as if nothing happened."""

import pytest

from tests.brokers.paper.desk import BUY, Desk
from tests.brokers.paper.script import play, steps

DELAYS = {
    "submit_latency_ms": 5.0,
    "amend_latency_ms": 6.0,
    "cancel_latency_ms": 7.0,
    "ack_latency_ms": 4.0,
    "fill_latency_ms": 3.0,
    "latency_jitter": 0.8,
    "reject_rate": 0.05,
}
SETTINGS = [
    DELAYS,
    {"reject_rate": 0.05},
    {**DELAYS, "taker_model": "touch", "maker_model": "touch"},
]


@pytest.mark.parametrize("settings", SETTINGS)
def test_same_seed_same_answers(settings) -> None:
    """Two runs agree byte for byte; another seed does not."""
    script = list(steps(3, 1500))
    one, two = (play(Desk(seed=5, **settings), script) for _ in range(2))
    other = play(Desk(seed=6, **settings), script)

    assert one.events == two.events
    assert one.venue.snapshot() == two.venue.snapshot()
    assert one.events != other.events
    assert len({type(event) for event in one.events}) >= 9


@pytest.mark.parametrize("settings", SETTINGS)
@pytest.mark.parametrize("cut", [1, 400, 900, 1400])
def test_restore_continues(settings, cut) -> None:
    """Stopped anywhere and restored elsewhere, the rest of the day is identical."""
    script = list(steps(4, 1500))
    whole = play(Desk(**settings), script)
    first = play(Desk(**settings), script[:cut])
    second = Desk(seed=999, **settings)
    second.venue.restore(first.venue.snapshot())
    second.now_ns, second.count = first.now_ns, first.count
    assert first.venue.snapshot() == second.venue.snapshot()
    play(second, script[cut:])

    assert whole.events == first.events + second.events
    assert whole.venue.snapshot() == second.venue.snapshot()


def test_answers_under_way_survive() -> None:
    """What the venue had sent, and what it had not yet received, arrives after the restart."""
    desk = Desk(**{**DELAYS, "reject_rate": 0.0, "latency_jitter": 0.0})
    desk.quote()
    desk.place(BUY, 5)
    desk.wait(6)
    desk.place(BUY, 5, 990)
    restored = Desk(**{**DELAYS, "reject_rate": 0.0, "latency_jitter": 0.0})
    restored.venue.restore(desk.venue.snapshot())
    restored.now_ns = desk.now_ns

    assert desk.venue.next_due_ns() == restored.venue.next_due_ns()
    assert ["o1 accepted", "o1 fill 5@1001 taker", "o2 accepted"] == restored.wait(50)


def test_what_we_took_of_the_ladder_stays_taken() -> None:
    """A restart does not put displayed size back."""
    desk, restored = Desk(), Desk()
    desk.quote()
    desk.depth(((1000, 1),), ((1001, 10), (1002, 10), (1003, 9)), is_snapshot=True, last_seq=1)
    desk.place(BUY, 15)
    restored.venue.restore(desk.venue.snapshot())

    assert ["x fill 5@1002 taker", "x fill 1@1003 taker"] == restored.place(BUY, 6, order_id="x")[
        1:
    ]
