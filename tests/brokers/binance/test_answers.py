"""Answers about an account: orders, fills, money, terms; good ones, strange ones, torn ones."""

import json
from decimal import Decimal

import pytest

from brokers.binance import answers, names, terms
from brokers.binance.answers import BROKEN
from brokers.binance.fees import Fees
from brokers.link.account import FillReport, OrderReport
from brokers.link.budget import Limit
from engine.model.account import Liquidity, MarginMode
from engine.model.orders import Side
from engine.model.venue_events import RejectReason, Standing, VenueHolding
from tests.brokers.binance.payloads import answer, trade

STATUSES = {
    "NEW": Standing.WORKING, "PARTIALLY_FILLED": Standing.WORKING, "FILLED": Standing.FILLED,
    "CANCELED": Standing.CANCELED, "REJECTED": Standing.REJECTED, "EXPIRED": Standing.EXPIRED,
    "EXPIRED_IN_MATCH": Standing.EXPIRED, "NEW_INSURANCE": Standing.WORKING,
    "NEW_ADL": Standing.WORKING, "PENDING_SOMETHING": Standing.UNANSWERED,
}  # fmt: skip


def test_an_order() -> None:
    """In the venue's numbers, unknown keys skipped."""
    assert (
        OrderReport(
            "run1-quoter-7", "283194212", "BTCUSDT", Side.BUY, Standing.WORKING, Decimal("0.010"),
            Decimal(0), Decimal("60000.0"), 1_700_000_000_123_000_000,
        )
        == answers.report(answer())
    )  # fmt: skip


def test_a_market_order_has_no_price() -> None:
    """The venue writes nought."""
    assert answers.report(answer(type="MARKET", price="0")).price is None


def test_only_so_many_names_are_remembered(monkeypatch: pytest.MonkeyPatch) -> None:
    """The oldest go; one that is told again is not forgotten for it."""
    monkeypatch.setattr(names, "REMEMBERED_MAX", 2)
    known = names.Names()
    for number in (1, 2, 3):
        known.learn(answers.report(answer(orderId=number)))
    assert [None, "run1-quoter-7", "run1-quoter-7"] == [
        known.of("BTCUSDT", number) for number in ("1", "2", "3")
    ]


@pytest.mark.parametrize(("status", "standing"), STATUSES.items())
def test_statuses(status: str, standing: Standing) -> None:
    """A new one is no end of anything, and is named."""
    report = answers.report(answer(status=status))
    assert standing is report.standing
    assert ("status PENDING_SOMETHING" if standing is Standing.UNANSWERED else "") == report.detail


def test_why_an_order_ended() -> None:
    """A post-only order that expired unfilled would have crossed."""
    crossed = answers.report(answer(status="EXPIRED", timeInForce="GTX"))
    assert RejectReason.POST_ONLY_WOULD_CROSS is crossed.reason
    for changes in (
        {"status": "EXPIRED", "timeInForce": "GTX", "executedQty": "0.001"},
        {"status": "EXPIRED", "timeInForce": "IOC"},
        {"status": "CANCELED", "timeInForce": "GTX"},
    ):
        assert answers.report(answer(**changes)).reason is None


def test_what_only_reduces_is_known() -> None:
    """For whoever clears up."""
    body = b"[" + answer(reduceOnly=True) + b"," + answer() + b"]"
    assert [True, False] == [is_reducing for _, is_reducing in answers.restraints(body)]


def test_a_fill_is_named_by_whoever_knows_its_order() -> None:
    """The venue names it by number alone."""
    (told,) = answers.trades(json.dumps([trade()]).encode())
    assert (
        FillReport(
            "run1-quoter-7", "283194212", "BTCUSDT", "698759", Side.SELL, Decimal("60000.1"),
            Decimal("0.002"), Decimal("0.024"), Liquidity.MAKER, 1_700_000_000_500_000_000,
        )
        == answers.fill(told, "run1-quoter-7", Fees("USDT").of)
    )  # fmt: skip


def test_open_positions_are_signed() -> None:
    """Flat rows are left out; the two of a hedged account stay two."""
    rows = [("BTCUSDT", "0.000", "BOTH"), ("ETHUSDT", "-1.5", "BOTH"), ("XRPUSDT", "2", "LONG"),
            ("XRPUSDT", "-3", "SHORT")]  # fmt: skip
    body = [{"symbol": s, "positionAmt": qty, "positionSide": side} for s, qty, side in rows]
    assert (
        VenueHolding("ETHUSDT", Decimal("-1.5")),
        VenueHolding("XRPUSDT", Decimal(2)),
        VenueHolding("XRPUSDT", Decimal(-3)),
    ) == answers.holdings(json.dumps(body).encode())


def test_the_wallet_of_the_quote_asset() -> None:
    """Not the available part of it; one that is missing is no nought."""
    body = json.dumps(
        [{"asset": "BNB", "balance": "3"}, {"asset": "USDT", "balance": "12.5", "crossUnPnl": "9"}]
    ).encode()
    assert Decimal("12.5") == answers.balance(body, "USDT")
    with pytest.raises(ValueError, match="no wallet of USDC"):
        answers.balance(body, "USDC")


def test_terms() -> None:
    """Fees as basis points, leverage, mode, permissions, key, clock."""
    fees = b'{"symbol":"BTCUSDT","makerCommissionRate":"-0.0001","takerCommissionRate":"0.00045"}'
    assert (Decimal(-1), Decimal("4.5")) == terms.fees_bps(fees)
    words = ("CROSSED", "ISOLATED", "PORTFOLIO")
    settings = [{"symbol": one, "marginType": one, "leverage": 21} for one in words]
    assert [MarginMode.CROSS, MarginMode.ISOLATED, None] == [
        one.mode for one in terms.margins(json.dumps(settings).encode()).values()
    ]
    with pytest.raises(BROKEN):
        terms.margins(b'[{"symbol":"BTCUSDT","marginType":"CROSSED","leverage":0}]')
    assert not terms.is_one_way(b'{"dualSidePosition":true}')
    allowed = terms.permissions(b'{"enableWithdrawals":false,"enableFutures":true,"ipRestrict":1}')
    assert (False, True) == (allowed.enable_withdrawals, allowed.enable_futures)
    assert "pqia91ma19a5s61cv6a81" == terms.listen_key(b'{"listenKey":"pqia91ma19a5s61cv6a81"}')
    assert 1_700_000_000_000 == terms.server_time_ms(b'{"serverTime":1700000000000}')


def test_limits_are_named_as_their_headers() -> None:
    """What is no request limit, or of a span nobody knows, is left out."""
    rows = [("REQUEST_WEIGHT", "MINUTE", 1, 2400), ("ORDERS", "SECOND", 10, 300),
            ("ORDERS", "MINUTE", 1, 1200), ("RAW", "MINUTE", 1, 5), ("ORDERS", "EON", 1, 5)]  # fmt: skip
    keys = ("rateLimitType", "interval", "intervalNum", "limit")
    body = json.dumps({"rateLimits": [dict(zip(keys, row, strict=True)) for row in rows]})
    assert (
        Limit("used-weight-1m", 2400, 60.0),
        Limit("order-count-10s", 300, 10.0),
        Limit("order-count-1m", 1200, 60.0),
    ) == terms.limits_in(body.encode())


@pytest.mark.parametrize(
    "body",
    [
        b"", b"<html>", b"{}", b"[]", answer()[:-20], answer(price="NaN"), answer(origQty="1e5"),
        answer(executedQty=None), answer(side="LONG"), answer(orderId="x"), answer(updateTime=-1),
        answer(price="6" * 5_000), answer(status=None), b"[" * 100_000, b"\xff",
    ],
)  # fmt: skip
def test_what_makes_no_sense_is_refused_whole(body: bytes) -> None:
    """No field of it is believed."""
    with pytest.raises(BROKEN):
        answers.report(body)


@pytest.mark.parametrize("key", ["", "a b", "../x", "k&listenKey=other", "k" * 300, "é"])
def test_a_stream_key_is_plain(key: str) -> None:
    """It becomes part of an address."""
    with pytest.raises(BROKEN):
        terms.listen_key(json.dumps({"listenKey": key}).encode())
