"""What the account's stream says: scenarios event by event, forced orders, strange and torn ones."""

import json
from decimal import Decimal

import pytest

from brokers.binance.answers import BROKEN
from brokers.binance.fees import Fees
from brokers.binance.user_stream import Told, read
from brokers.link.account import FillReport, FundingReport, OrderReport
from engine.model.account import Liquidity, OtherFee
from engine.model.orders import Side
from engine.model.venue_events import RejectReason, Standing
from tests.brokers.binance.payloads import event, funding


def told(data: bytes, fees: Fees | None = None) -> Told:
    return read(data, "USDT", (fees or Fees("USDT")).of)


def order(data: bytes) -> OrderReport:
    (report,) = told(data).reports
    return report


def fill(cumulative: str, last: str, trade_id: int, status: str = "PARTIALLY_FILLED") -> bytes:
    return event(
        x="TRADE", X=status, z=cumulative, l=last, L="60000.0", t=trade_id, n="0.024", N="USDT",
        m=True,
    )  # fmt: skip


def test_a_new_order() -> None:
    """Everything in the venue's numbers, time in nanoseconds."""
    assert (
        OrderReport(
            "run1-quoter-7", "283194212", "BTCUSDT", Side.BUY, Standing.WORKING, Decimal("0.010"),
            Decimal(0), Decimal("60000.0"), 1_700_000_000_123_000_000, detail="NEW NEW",
        )
        == order(event())
    )  # fmt: skip


def test_a_fill_comes_before_how_the_order_stands() -> None:
    """Partial, then whole; the same trade told again is the same trade."""
    partial = told(fill("0.004", "0.004", 5)).reports
    assert (
        FillReport(
            "run1-quoter-7", "283194212", "BTCUSDT", "5", Side.BUY, Decimal("60000.0"),
            Decimal("0.004"), Decimal("0.024"), Liquidity.MAKER, 1_700_000_000_123_000_000,
        )
        == partial[0]
    )  # fmt: skip
    assert (Standing.WORKING, Decimal("0.004")) == (partial[1].standing, partial[1].filled_qty)
    whole = told(fill("0.010", "0.006", 6, "FILLED")).reports
    assert ("6", Standing.FILLED) == (whole[0].trade_id, whole[1].standing)
    assert partial == told(fill("0.004", "0.004", 5)).reports


@pytest.mark.parametrize(
    ("changes", "standing", "reason"),
    [
        ({"x": "CANCELED", "X": "CANCELED"}, Standing.CANCELED, None),
        ({"x": "EXPIRED", "X": "EXPIRED", "f": "IOC"}, Standing.EXPIRED, None),
        ({"x": "EXPIRED", "X": "EXPIRED_IN_MATCH"}, Standing.EXPIRED, None),
        (
            {"x": "EXPIRED", "X": "EXPIRED", "f": "GTX"},
            Standing.EXPIRED,
            RejectReason.POST_ONLY_WOULD_CROSS,
        ),
        ({"x": "EXPIRED", "X": "EXPIRED", "f": "GTX", "z": "0.001"}, Standing.EXPIRED, None),
        ({"x": "NEW", "X": "REJECTED"}, Standing.REJECTED, RejectReason.INVALID_ORDER),
        ({"x": "CALCULATED", "X": "NEW_INSURANCE"}, Standing.WORKING, None),
        ({"x": "SOMETHING", "X": "CANCELED"}, Standing.CANCELED, None),
        ({"x": "SOMETHING", "X": "ELSE"}, Standing.UNANSWERED, None),
    ],
)
def test_how_orders_end(changes: dict, standing: Standing, reason: RejectReason | None) -> None:
    """A post-only order that ends unfilled would have crossed; a word nobody knows is no end."""
    report = order(event(**changes))
    assert (standing, reason) == (report.standing, report.reason)


def test_an_amend_races_a_fill() -> None:
    """The amended size and price, what had filled before included."""
    report = order(event(x="AMENDMENT", X="PARTIALLY_FILLED", q="0.020", p="59999.9", z="0.004"))
    assert report.is_amendment
    assert (Decimal("0.020"), Decimal("59999.9"), Decimal("0.004")) == (
        report.qty, report.price, report.filled_qty,
    )  # fmt: skip
    assert not order(event()).is_amendment


def test_a_cancel_loses_against_a_fill() -> None:
    """The fill counts, and the end that is told is the fill's."""
    reports = told(fill("0.010", "0.010", 9, "FILLED")).reports
    assert [FillReport, OrderReport] == [type(report) for report in reports]
    assert Standing.FILLED is reports[1].standing


@pytest.mark.parametrize(
    "client_id", ["autoclose-1700000000123456", "adl_autoclose", "settlement_autoclose-17"]
)
def test_forced_orders_have_a_name_of_their_own(client_id: str) -> None:
    """The engine knows a liquidation by it."""
    data = event(
        c=client_id, x="CALCULATED", X="FILLED", z="0.010", l="0.010", L="50000", t=8, S="SELL",
    )  # fmt: skip
    fill_report, report = told(data).reports
    assert "liquidation-283194212" == fill_report.client_id == report.client_id
    assert (Side.SELL, Decimal(50000)) == (fill_report.side, fill_report.price)


def test_a_market_order_has_no_price() -> None:
    """The venue writes nought."""
    assert order(event(o="MARKET", p="0")).price is None


def test_a_fee_in_another_asset_costs_what_that_is_worth() -> None:
    """It leaves the quote wallet alone; without a price it is told all the same."""
    fees, paid = Fees("USDT"), ("BNB", Decimal("0.0004"))
    data = event(x="TRADE", X="FILLED", l="0.01", z="0.01", L="60000", t=5, n="0.0004", N="BNB")
    unpriced = told(data, fees).reports[0]
    fees.learn("BNB", Decimal("650.5"))
    priced = told(data, fees).reports[0]

    assert (Decimal(0), OtherFee(*paid, None)) == (unpriced.fee, unpriced.other_fee)
    worth = Decimal("0.2602")
    assert (worth, OtherFee(*paid, worth)) == (priced.fee, priced.other_fee)
    assert not told(data.replace(b"BNB", b"USDT"), fees).reports[0].other_fee


@pytest.mark.parametrize(
    ("amount", "price", "worth"),
    [
        ("1", "30", "30"), ("1", "30.01", None), ("-1", "30.01", None), ("-0.1", "30", "-3"),
        (str(10**19), str(10**7), None), ("0.1", str(10**19), None), ("0.00000001", "1e-9", "0"),
    ],
)  # fmt: skip
def test_a_fee_beyond_belief_has_no_worth(amount: str, price: str, worth: str | None) -> None:
    """More than a twentieth of the 600 that were traded, whoever is wrong; the fill counts."""
    fees = Fees("USDT")
    fees.learn("BNB", Decimal(price))
    data = event(x="TRADE", X="FILLED", l="0.01", z="0.01", L="60000", t=5, n=amount, N="BNB")
    report = told(data, fees).reports[0]
    expected = None if worth is None else Decimal(worth)
    assert (expected or 0, expected) == (report.fee, report.other_fee.worth)


def test_only_so_many_assets_are_asked_for() -> None:
    """BNB always; what has no name never."""
    fees = Fees("USDT")
    for asset in ("", "A", "B", "C", "D", "USDT"):
        fees.of(asset, Decimal(1), Decimal(100))
    assert ("BNB", "A", "B", "C") == fees.assets


def test_funding() -> None:
    """Signed; without an instrument in cross margin; in the quote asset alone."""
    assert (FundingReport("", Decimal("-0.5"), 2_000_000),) == told(funding()).reports
    assert "BTCUSDT" == told(funding(("BTCUSDT",), "0.25")).reports[0].symbol
    assert "" == told(funding(("BTCUSDT", "ETHUSDT"))).reports[0].symbol
    assert () == told(funding(asset="BNB")).reports
    other = json.dumps({"e": "ACCOUNT_UPDATE", "T": 1, "a": {"m": "ORDER", "B": [], "P": []}})
    assert () == told(other.encode()).reports


def test_a_key_that_expires_is_told() -> None:
    """Nothing more comes on that line."""
    assert told(b'{"e":"listenKeyExpired","E":1,"listenKey":"abc"}').is_key_gone


@pytest.mark.parametrize(
    "data",
    [
        event("TRADE_LITE"), event("MARGIN_CALL"), event("ALGO_UPDATE"), event("NEVER_SEEN"),
        event().replace(b'"st": 1', b'"st": 2'),
    ],
)  # fmt: skip
def test_what_is_none_of_our_business_is_skipped(data: bytes) -> None:
    """A faster duplicate of fills, unknown kinds, another product."""
    assert ((), False) == (told(data).reports, told(data).is_key_gone)


@pytest.mark.parametrize(
    "data",
    [
        b"", b"{", b"[]", b"null", b'{"e":5}', b'{"E":1}', b"\xff\xfe", b"[" * 100_000,
        b'{"e":"ORDER_TRADE_UPDATE"}', event(q="NaN"), event(p="1e999"), event(z="Infinity"),
        event(p=None), event(S="BOTH"), event(i=-1), event(T=10**20), event(l="9" * 5_000),
        event(p="0x10"), event(q=""), event(i=10**30), event(q=True), event(q=1.5),
        funding(amount="nan"), funding(amount="--1"),
    ],
)  # fmt: skip
def test_what_cannot_be_read_says_so(data: bytes) -> None:
    """It is never half believed: whoever listens must ask for the whole account."""
    with pytest.raises(BROKEN):
        told(data)


def test_hostile_text_is_harmless() -> None:
    """Names from others' orders reach screens."""
    report = order(event(c="\x1b]0;pwn\x07[@click=app.quit]", x="\u202eevil"))
    assert report.client_id.isprintable()
    assert report.detail.isprintable()
    assert "\x1b" not in told(event("\x1b[2J")).event
