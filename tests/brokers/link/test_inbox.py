"""Between the lines and the session: order, the newest quote, the end of room."""

from hypothesis import given
from hypothesis import strategies as st

from brokers.link.inbox import Inbox
from engine.model.market import FeedEvent, Quote, Trade
from engine.model.orders import Side


def quote(seq: int, symbol: str = "BTCUSDT") -> Quote:
    return Quote(seq, symbol, 1, 1, 2, 1, seq=seq)


def trade(seq: int, symbol: str = "BTCUSDT") -> Trade:
    return Trade(seq, symbol, 1, 1, Side.BUY, seq)


def test_a_few_are_all_kept_in_order() -> None:
    """And taken once."""
    inbox = Inbox(busy=10)
    events = [quote(1), trade(2), quote(3), quote(4, "ETHUSDT")]
    assert all(map(inbox.put, events))

    assert events == inbox.take()
    assert [] == inbox.take()
    assert 0 == inbox.conflated


@given(st.lists(st.tuples(st.booleans(), st.sampled_from(["A", "B"])), max_size=80))
def test_of_many_quotes_the_newest_of_each_is_kept_and_every_trade(
    kinds: list[tuple[bool, str]],
) -> None:
    """What is taken is in order; dropped quotes are counted, and each had a newer one."""
    inbox, put = Inbox(busy=8), []
    for seq, (is_quote, symbol) in enumerate(kinds, 1):
        event: FeedEvent = quote(seq, symbol) if is_quote else trade(seq, symbol)
        put.append(event)
        assert inbox.put(event)
    taken = inbox.take()

    assert taken == [event for event in put if event in taken]
    assert [e for e in put if isinstance(e, Trade)] == [e for e in taken if isinstance(e, Trade)]
    for symbol in ("A", "B"):
        last = [e for e in put if isinstance(e, Quote) and e.symbol == symbol][-1:]
        assert last == [e for e in taken if isinstance(e, Quote) and e.symbol == symbol][-1:]
    assert len(put) - len(taken) == inbox.conflated
    assert inbox.conflated == 0 or len(put) > 8
    if len(put) > 20 and all(is_quote for is_quote, _ in kinds):
        assert len(taken) <= 8 + 2


def test_no_room_empties_it_and_says_so() -> None:
    """Then it takes again."""
    inbox = Inbox(busy=2, waiting_max=3)
    assert all(inbox.put(trade(seq)) for seq in range(3))

    assert not inbox.put(trade(4))
    assert 1 == inbox.overflows
    assert inbox.put(trade(5))
    assert [trade(5)] == inbox.take()


def test_what_was_taken_is_forgotten() -> None:
    """A new quote takes the place of none that has left."""
    inbox = Inbox(busy=1)
    for _ in range(2):
        assert inbox.put(trade(1))
        assert inbox.put(quote(2))
        assert [trade(1), quote(2)] == inbox.take()
