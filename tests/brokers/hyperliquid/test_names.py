"""Numbers that change under an order: neither a cancel nor a fill is told as what it is not."""

from decimal import Decimal

from hypothesis import given
from hypothesis import strategies as st

from brokers.hyperliquid.names import REMEMBERED_MAX, Names, Succession
from brokers.link.account import OrderReport
from engine.model.orders import Side
from engine.model.venue_events import Standing

WORKING, CANCELED, FILLED = Standing.WORKING, Standing.CANCELED, Standing.FILLED
A, B = "1", "2"


def report(number: str, standing: Standing, qty: str = "5", filled: str = "0") -> OrderReport:
    return OrderReport(
        "x", number, "BTC", Side.BUY, standing, Decimal(qty), Decimal(filled), Decimal(100), 7
    )


def amending() -> Succession:
    succession = Succession()
    succession.begin("x", A)
    return succession


def test_an_order_that_was_never_amended_is_told_as_it_is() -> None:
    """Nothing is kept of it."""
    told = report(A, WORKING)
    assert told is Succession().hear(told)


def test_the_amendments_own_cancel_is_nobodys_end_in_either_order() -> None:
    """Open before canceled, canceled before open."""
    for words in (
        (report(B, WORKING), report(A, CANCELED)),
        (report(A, CANCELED), report(B, WORKING)),
    ):
        succession = amending()
        told = [one for word in words if (one := succession.hear(word)) is not None]
        assert [(B, WORKING, True)] == [
            (one.venue_order_id, one.standing, one.is_amendment) for one in told
        ]  # fmt: skip


def test_a_cancel_that_was_kept_back_is_real_where_the_amendment_failed() -> None:
    """And only then."""
    succession = amending()
    ended = report(A, CANCELED)
    assert succession.hear(ended) is None
    assert ended is succession.failed("x")
    assert succession.failed("x") is None
    assert ended == succession.hear(ended)


def test_what_the_old_number_had_filled_counts() -> None:
    """In total and in what has filled."""
    succession = amending()
    assert succession.hear(report(A, CANCELED, "5", "2")) is None
    told = succession.hear(report(B, WORKING, "4", "1"))
    assert (Decimal(6), Decimal(3)) == (told.qty, told.filled_qty)
    done = succession.hear(report(B, FILLED, "4", "4"))
    assert (Decimal(6), Decimal(6), False) == (done.qty, done.filled_qty, done.is_amendment)


def test_a_late_cancel_of_the_old_number_corrects_what_it_had_filled() -> None:
    """It knows more than we did."""
    succession = amending()
    assert Decimal(0) == succession.amended("x", B)
    assert succession.hear(report(A, CANCELED, "5", "1")) is None
    assert Decimal(1) == succession.hear(report(B, WORKING)).filled_qty


def test_an_answer_settles_an_amendment_of_which_nothing_was_known() -> None:
    """Its number is the old one, so it was not amended."""
    succession = amending()
    assert succession.hear(report(A, CANCELED)) is None
    told = succession.asked(report(A, CANCELED))
    assert (CANCELED, A) == (told.standing, told.venue_order_id)
    assert Succession().asked(told) is told


@given(
    st.lists(st.tuples(st.sampled_from([A, B, "3"]), st.sampled_from([WORKING, CANCELED, FILLED])))
)
def test_no_number_that_was_given_up_is_told_again(words) -> None:
    """Whatever comes in whatever order."""
    succession = amending()
    seen = [A]
    for number, standing in words:
        told = succession.hear(report(number, standing))
        if told is not None:
            assert told.venue_order_id not in seen[:-1] or told.venue_order_id == seen[-1]
            if told.venue_order_id != seen[-1]:
                seen.append(told.venue_order_id)


def test_names() -> None:
    """Ours are read off, hashed ones remembered, strangers' left as they are."""
    names = Names()
    ours, hashed = "20261121T090000Z-test-quoter-1", "x" * 36
    assert ours == names.of(5, names.cloid(ours).upper().replace("0X", "0x"))
    assert hashed == names.of(6, names.cloid(hashed))
    assert "0x" + "ab" * 16 == names.of(7, "0x" + "ab" * 16)
    assert "" == names.of(8, None)
    names.learn("8", ours)
    assert ours == names.of(8, None)
    assert names.is_another(9, ours)
    assert not names.is_another(8, ours)


def test_what_is_remembered_is_bounded() -> None:
    """However long a session."""
    names = Names()
    for number in range(REMEMBERED_MAX + 10):
        names.learn(str(number), f"n{number}")
    assert "" == names.of(0, None)
    assert REMEMBERED_MAX == len(names._by_number) == len(names._numbers)
