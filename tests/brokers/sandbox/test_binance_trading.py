"""Trading on the Binance sandbox as a client of the venue meets it; the oracle is the sheet."""

import hashlib
import hmac
import json
import time
from decimal import Decimal
from typing import Any

from brokers.sandbox.binance_limits import Limits
from brokers.sandbox.trading_rules import TradingRules
from tests.brokers.sandbox.client import Answer, Client, venue
from tests.brokers.sandbox.stage import SELL

ORDER = "/fapi/v1/order"


def row(answer: Answer, *keys: str) -> tuple[Any, ...]:
    assert 200 == answer.status, answer.text
    return tuple(answer.body[key] for key in keys)


async def test_an_order_is_placed_amended_read_and_canceled() -> None:
    """By either name; the id and the client id stay the same over an amend."""
    async with venue() as at:
        client = at.client
        placed = await client.place("BUY", "0.010", "90.0", newClientOrderId="la-1")
        order_id, status = row(placed, "orderId", "status")
        assert ("NEW", "la-1", "0.01", "90") == (
            status, *row(placed, "clientOrderId", "origQty", "price"),
        )  # fmt: skip
        words = {"symbol": "BTCUSDT", "side": "BUY", "quantity": "0.02", "price": "91"}
        amended = await client.signed("PUT", ORDER, origClientOrderId="la-1", **words)
        assert (order_id, "la-1", "0.02", "91") == row(
            amended, "orderId", "clientOrderId", "origQty", "price"
        )
        asked = await client.signed("GET", ORDER, symbol="BTCUSDT", orderId=order_id)
        assert ("NEW", "0.02", "GTC", "LIMIT", False) == row(
            asked, "status", "origQty", "timeInForce", "type", "reduceOnly"
        )
        found = await client.signed("GET", "/fapi/v1/openOrders")
        assert [order_id] == [one["orderId"] for one in found.body]
        canceled = await client.signed("DELETE", ORDER, symbol="BTCUSDT", origClientOrderId="la-1")
        assert ("CANCELED",) == row(canceled, "status")
        asked = await client.signed("GET", ORDER, symbol="BTCUSDT", origClientOrderId="la-1")
        assert ("CANCELED",) == row(asked, "status")
        assert [] == (await client.signed("GET", "/fapi/v1/openOrders", symbol="BTCUSDT")).body


async def test_a_market_order_fills_and_shows_everywhere() -> None:
    """Order, fills, position, balance and account tell one story."""
    async with venue() as at:
        client = at.client
        ack = await client.place("BUY", "0.010")
        assert ("NEW", "0") == row(ack, "status", "executedQty")
        done = await client.place("SELL", "0.004", newOrderRespType="RESULT")
        assert ("FILLED", "0.004", "100", "0.4") == row(
            done, "status", "executedQty", "avgPrice", "cumQuote"
        )
        fills = (await client.signed("GET", "/fapi/v1/userTrades", symbol="BTCUSDT")).body
        assert [("0.01", "100.1", "0.00050050"), ("0.004", "100", "0.00020000")] == [
            (one["qty"], one["price"], one["commission"]) for one in fills
        ]
        assert [True, False] == [one["buyer"] for one in fills]
        held = (await client.signed("GET", "/fapi/v3/positionRisk")).body
        assert [("BTCUSDT", "0.006", "100.1")] == [
            (one["symbol"], one["positionAmt"], one["entryPrice"]) for one in held
        ]
        money = (await client.signed("GET", "/fapi/v3/balance")).body[0]
        profit = Decimal("-0.1") * Decimal("0.004")
        wallet = 10_000 + profit - Decimal("0.0007005")
        assert ("USDT", wallet) == (money["asset"], Decimal(money["balance"]))
        account = (await client.signed("GET", "/fapi/v3/account")).body
        assert money["balance"] == account["totalWalletBalance"]
        assert ["0.006"] == [one["positionAmt"] for one in account["positions"]]
        income = (await client.signed("GET", "/fapi/v1/income")).body
        assert wallet == 10_000 + sum(Decimal(one["income"]) for one in income)


async def test_what_the_venue_refuses() -> None:
    """Each with the code of the sheet, sections 6 and 9; nothing of it stays."""
    limit = {"type": "LIMIT", "timeInForce": "GTC"}
    cases = [
        ({"symbol": "NOPEUSDT"}, -1121),
        ({"side": "HOLD"}, -1117),
        ({"type": "STOP_MARKET", "stopPrice": "90"}, -4120),
        ({"type": "DANCE"}, -1116),
        ({"timeInForce": "GTD"}, -1115),
        ({"timeInForce": ""}, -1102),
        ({"price": ""}, -1102),
        ({"price": "90.05"}, -1111),
        ({"price": "1e2"}, -1100),
        ({"price": "-1"}, -1013),
        ({"quantity": "0.0101"}, -1111),
        ({"quantity": "0"}, -4003),
        ({"quantity": "2000000"}, -4005),
        ({"quantity": "0.001"}, -4164),
        ({"quantity": "600"}, -2019),
        ({"price": "120"}, -4024),
        ({"price": "100.1", "timeInForce": "GTX"}, -5022),
        ({"price": "100.1", "quantity": "0.5", "timeInForce": "FOK"}, -5021),
        ({"reduceOnly": "true"}, -2022),
        ({"newClientOrderId": "no spaces"}, -4015),
        ({"newClientOrderId": "x" * 37}, -4015),
        ({"positionSide": "LONG"}, -4061),
    ]
    async with venue() as at:
        for change, code in cases:
            words = {"symbol": "BTCUSDT", "side": "BUY", "quantity": "0.01", "price": "90"}
            answer = await at.client.signed("POST", ORDER, **{**words, **limit, **change})
            assert (400, code) == (answer.status, answer.code), (change, answer.text)
        market = await at.client.place("BUY", "0.01", timeInForce="GTC")
        assert -1106 == market.code
        assert [] == (await at.client.signed("GET", "/fapi/v1/openOrders")).body
        assert [] == (await at.client.signed("GET", "/fapi/v1/allOrders", symbol="BTCUSDT")).body


async def test_coarse_ticks_and_full_books_have_codes_of_their_own() -> None:
    """Off the grid with few digits; one order too many."""
    async with venue(rules=TradingRules(open_orders_max=1)) as at:
        assert 200 == (await at.client.place("BUY", "0.01", "90")).status
        assert -2025 == (await at.client.place("BUY", "0.01", "90")).code


async def test_client_ids_are_unique_among_open_orders_only() -> None:
    """-4116 while open, free afterwards."""
    async with venue() as at:
        words = {"newClientOrderId": "la-1"}
        first = await at.client.place("BUY", "0.01", "90", **words)
        assert -4116 == (await at.client.place("BUY", "0.01", "91", **words)).code
        await at.client.signed("DELETE", "/fapi/v1/allOpenOrders", symbol="BTCUSDT")
        again = await at.client.place("BUY", "0.01", "91", **words)
        assert row(first, "orderId") < row(again, "orderId")


async def test_missing_orders_and_the_race_with_a_fill() -> None:
    """-2013 to a query and an amend, -2011 to a cancel, also of one that has filled."""
    async with venue() as at:
        words = {"symbol": "BTCUSDT", "origClientOrderId": "nobody"}
        amend = {**words, "side": "BUY", "quantity": "0.01", "price": "90"}
        for method, params, code in (
            ("GET", words, -2013), ("PUT", amend, -2013), ("DELETE", words, -2011),
            ("GET", {"symbol": "BTCUSDT"}, -1102),
        ):  # fmt: skip
            assert code == (await at.client.signed(method, ORDER, **params)).code
        filled = await at.client.place("BUY", "0.01", "100.1", newClientOrderId="la-1")
        words["origClientOrderId"] = "la-1"
        assert -2011 == (await at.client.signed("DELETE", ORDER, **words)).code
        assert -2013 == (await at.client.signed("GET", "/fapi/v1/openOrder", **words)).code
        asked = await at.client.signed("GET", ORDER, **words)
        assert (*row(filled, "orderId"), "FILLED") == row(asked, "orderId", "status")
        wrong = {"symbol": "ETHUSDT", "origClientOrderId": "la-1"}
        assert -2013 == (await at.client.signed("GET", ORDER, **wrong)).code


async def test_an_amend_that_kills() -> None:
    """A total that has filled, and a post-only order moved across: canceled, no error."""
    async with venue() as at:
        words = {"symbol": "BTCUSDT", "side": "BUY"}
        await at.client.place("BUY", "0.010", "100", newClientOrderId="a", timeInForce="GTX")
        amend = {**words, "origClientOrderId": "a"}
        for change, code in (
            ({"quantity": "0.01", "price": "100"}, -5027),
            ({"quantity": "0.001", "price": "100"}, -4164),
            ({"quantity": "0.01", "price": "99.95"}, -1111),
            ({"quantity": "0.01", "price": "99", "reduceOnly": "true"}, -5047),
            ({"quantity": "0.01"}, -1102),
        ):
            assert code == (await at.client.signed("PUT", ORDER, **amend, **change)).code
        at.stage.trade(SELL, 1000, 15)
        killed = await at.client.signed("PUT", ORDER, **amend, quantity="0.005", price="100")
        assert ("CANCELED", "0.005") == row(killed, "status", "executedQty")
        await at.client.place("BUY", "0.010", "99", newClientOrderId="b", timeInForce="GTX")
        amend["origClientOrderId"] = "b"
        killed = await at.client.signed("PUT", ORDER, **amend, quantity="0.01", price="100.1")
        assert ("CANCELED", "0") == row(killed, "status", "executedQty")


async def test_batches_answer_row_by_row() -> None:
    """A complaint beside a success; more than five are refused as a whole."""
    async with venue() as at:
        good = {"symbol": "BTCUSDT", "side": "BUY", "type": "LIMIT", "timeInForce": "GTC",
                "quantity": "0.01", "price": "90"}  # fmt: skip
        rows = [{**good, "newClientOrderId": "a"}, {**good, "quantity": "0"}]
        told = await at.client.signed("POST", "/fapi/v1/batchOrders", batchOrders=json.dumps(rows))
        assert 200 == told.status, told.text
        assert ("a", -4003) == (told.body[0]["clientOrderId"], told.body[1]["code"])
        many = json.dumps([good] * 6)
        assert (
            -4082 == (await at.client.signed("POST", "/fapi/v1/batchOrders", batchOrders=many)).code
        )
        ids = json.dumps(["a", "b"])
        told = await at.client.signed(
            "DELETE", "/fapi/v1/batchOrders", symbol="BTCUSDT", origClientOrderIdList=ids
        )
        assert ("CANCELED", -2011) == (told.body[0]["status"], told.body[1]["code"])


async def test_cancel_all_is_for_one_symbol_and_says_200() -> None:
    """Code 200 is success."""
    async with venue() as at:
        await at.client.place("BUY", "0.01", "90")
        await at.client.place("BUY", "0.01", "90", symbol="ETHUSDT")
        done = await at.client.signed("DELETE", "/fapi/v1/allOpenOrders", symbol="BTCUSDT")
        assert (200,) == row(done, "code")
        left = (await at.client.signed("GET", "/fapi/v1/openOrders")).body
        assert ["ETHUSDT"] == [one["symbol"] for one in left]


async def test_leverage_margin_and_position_mode() -> None:
    """What changes, what needs no change, what can't be."""
    async with venue() as at:
        client = at.client
        done = await client.signed("POST", "/fapi/v1/leverage", symbol="BTCUSDT", leverage=7)
        assert (7,) == row(done, "leverage")
        config = (await client.signed("GET", "/fapi/v1/symbolConfig", symbol="BTCUSDT")).body
        assert [(7, "CROSSED")] == [(one["leverage"], one["marginType"]) for one in config]
        wrong = await client.signed("POST", "/fapi/v1/leverage", symbol="BTCUSDT", leverage=500)
        assert -4028 == wrong.code
        for kind, code in (
            ("CROSSED", -4046),
            ("ISOLATED", 200),
            ("ISOLATED", -4046),
            ("?", -1117),
        ):
            told = await client.signed(
                "POST", "/fapi/v1/marginType", symbol="BTCUSDT", marginType=kind
            )
            assert code == told.code
        mode = await client.signed("GET", "/fapi/v1/positionSide/dual")
        assert (False,) == row(mode, "dualSidePosition")
        mode_path = "/fapi/v1/positionSide/dual"
        assert -4059 == (await client.signed("POST", mode_path, dualSidePosition="false")).code
        await client.place("BUY", "0.01", "90")
        assert -4067 == (await client.signed("POST", mode_path, dualSidePosition="true")).code
        await client.signed("DELETE", "/fapi/v1/allOpenOrders", symbol="BTCUSDT")
        await client.place("BUY", "0.01")
        assert -4068 == (await client.signed("POST", mode_path, dualSidePosition="true")).code
        fees = await client.signed("GET", "/fapi/v1/commissionRate", symbol="BTCUSDT")
        assert ("0.000200", "0.000500") == row(fees, "makerCommissionRate", "takerCommissionRate")


async def test_who_is_not_let_in() -> None:
    """Keys, permissions, signatures, clocks: sheet section 9, class auth and clock_skew."""
    async with venue() as at:
        now = time.time_ns() // 1_000_000
        path = "/fapi/v3/balance"
        assert (401, -2014) == seen(await at.with_key("").signed("GET", path))
        assert (401, -2015) == seen(await at.with_key("stranger").signed("GET", path))
        assert (400, -1022) == seen(
            await at.client.raw("GET", path, f"timestamp={now}&signature={'0' * 64}")
        )
        assert (400, -1102) == seen(await at.client.raw("GET", path, f"timestamp={now}"))
        assert (400, -1102) == seen(await at.client.raw("GET", path))
        assert (400, -1021) == seen(await at.client.signed("GET", path, timestamp=now - 6_000))
        assert (400, -1021) == seen(await at.client.signed("GET", path, timestamp=now + 3_000))
        assert (400, -1131) == seen(await at.client.signed("GET", path, recvWindow=70_000))
        reader = at.with_key("sandbox-readonly")
        assert 200 == (await reader.signed("GET", path)).status
        assert (401, -2015) == seen(await reader.place("BUY", "0.01", "90"))
        assert (401, -2014) == seen(await at.with_key("").keyed("POST", "/fapi/v1/listenKey"))


def seen(answer: Answer) -> tuple[int, int]:
    return answer.status, answer.code


async def test_the_signature_covers_every_byte_and_stands_last() -> None:
    """In the body, in the query, over both; a changed byte or another order of words fails."""
    async with venue() as at:
        client = at.client

        def sign(covered: str) -> str:
            return hmac.new(b"sandbox-secret", covered.encode(), hashlib.sha256).hexdigest()

        now = time.time_ns() // 1_000_000
        words = f"symbol=BTCUSDT&side=BUY&type=LIMIT&timeInForce=GTC&quantity=0.01&price=90&newClientOrderId=a%3Ab&timestamp={now}"
        body = f"{words}&signature={sign(words)}"
        placed = await client.raw("POST", ORDER, body=body)
        assert ("a:b",) == row(placed, "clientOrderId")
        query, rest = f"symbol=BTCUSDT&timestamp={now}", "origClientOrderId=a%3Ab"
        both = await client.raw("DELETE", ORDER, query, f"{rest}&signature={sign(query + rest)}")
        assert ("CANCELED",) == row(both, "status")
        moved = f"signature={sign(words)}&{words}"
        assert -1022 == (await client.raw("POST", ORDER, body=moved)).code
        changed = body.replace("price=90", "price=91")
        assert -1022 == (await client.raw("POST", ORDER, body=changed)).code


async def test_permissions_of_each_key() -> None:
    """Trade, read, withdraw."""
    async with venue() as at:
        for key, trades, withdraws in (
            ("sandbox-key", True, False), ("sandbox-readonly", False, False),
            ("sandbox-withdraw", True, True),
        ):  # fmt: skip
            told = await at.with_key(key).signed("GET", "/sapi/v1/account/apiRestrictions")
            assert (True, trades, withdraws) == row(
                told, "enableReading", "enableFutures", "enableWithdrawals"
            )


async def test_weights_are_counted_and_end_in_a_ban() -> None:
    """Headers, 429 with Retry-After, and 418 for who goes on."""
    async with venue(Limits(weight_per_minute=60)) as at:
        await at.turn_the_minute()
        answer = await at.client.signed("GET", "/fapi/v3/balance")
        assert "5" == answer.headers["X-MBX-USED-WEIGHT-1M"]
        answer = await at.client.signed("GET", "/fapi/v1/openOrders")
        assert "45" == answer.headers["X-MBX-USED-WEIGHT-1M"]
        statuses = [(await at.client.signed("GET", "/fapi/v1/openOrders")) for _ in range(12)]
        assert (429, -1003) == (statuses[0].status, statuses[0].code)
        assert int(statuses[0].headers["Retry-After"]) <= 60
        assert 418 == statuses[-1].status
        assert 100 < int(statuses[-1].headers["Retry-After"]) <= 120
        assert 418 == (await at.client.open("/fapi/v1/time")).status


async def test_orders_are_counted() -> None:
    """-1015 with 429, headers beside it; cancels are free."""
    async with venue(Limits(orders_per_10s=2)) as at:
        await at.turn_the_minute()
        first = await at.client.place("BUY", "0.01", "90")
        assert "1" == first.headers["X-MBX-ORDER-COUNT-1M"]
        assert "1" == first.headers["X-MBX-ORDER-COUNT-10S"]
        answers = [await at.client.place("BUY", "0.01", "90") for _ in range(3)]
        assert [200, 429, 429] == [one.status for one in answers]
        assert -1015 == answers[1].code
        assert 0 < int(answers[1].headers["Retry-After"]) <= 10
        done = await at.client.signed("DELETE", "/fapi/v1/allOpenOrders", symbol="BTCUSDT")
        assert 200 == done.status


async def test_windows_of_fills_and_orders() -> None:
    """From an id, from a time, of an order, and not too wide."""
    async with venue() as at:
        client, path = at.client, "/fapi/v1/userTrades"
        for _ in range(3):
            await client.place("BUY", "0.01", "100.1", timeInForce="IOC")
            at.stage.quote(1000, 1001)
            at.stage.quote(1000, 1002)
            at.stage.quote(1000, 1001)
        every = (await client.signed("GET", path, symbol="BTCUSDT")).body
        assert [1, 2, 3] == [one["id"] for one in every]
        later = (await client.signed("GET", path, symbol="BTCUSDT", fromId=2)).body
        assert [2, 3] == [one["id"] for one in later]
        one = (await client.signed("GET", path, symbol="BTCUSDT", limit=1)).body
        assert [3] == [one["id"] for one in one]
        of_order = {"symbol": "BTCUSDT", "orderId": every[1]["orderId"]}
        assert [2] == [one["id"] for one in (await client.signed("GET", path, **of_order)).body]
        wide = {"symbol": "BTCUSDT", "startTime": 1, "endTime": 8 * 86_400_000}
        assert -4166 == (await client.signed("GET", path, **wide)).code
        both = {"symbol": "BTCUSDT", "fromId": 1, "startTime": 1}
        assert -1128 == (await client.signed("GET", path, **both)).code
        orders = (await client.signed("GET", "/fapi/v1/allOrders", symbol="BTCUSDT")).body
        assert ["FILLED"] * 3 == [one["status"] for one in orders]


async def test_public_prices() -> None:
    """Touch, mark, day, prints and bars of what was played."""
    async with venue() as at:
        client = at.client
        at.stage.trade(SELL, 1000, 15)
        at.stage.funding("100.05", "0.0001", at.stage.now_ns + 10**12)
        touch = (await client.open("/fapi/v1/ticker/bookTicker", symbol="BTCUSDT")).body
        assert ("100", "100.1") == (touch["bidPrice"], touch["askPrice"])
        mark = (await client.open("/fapi/v1/premiumIndex", symbol="BTCUSDT")).body
        assert ("100.05", "0.0001") == (mark["markPrice"], mark["lastFundingRate"])
        assert 2 == len((await client.open("/fapi/v1/premiumIndex")).body)
        day = (await client.open("/fapi/v1/ticker/24hr", symbol="BTCUSDT")).body
        assert ("100", "0.015", "1.5") == (day["lastPrice"], day["volume"], day["quoteVolume"])
        bars = (await client.open("/fapi/v1/klines", symbol="BTCUSDT", interval="1m")).body
        assert ["100", "100", "100", "100", "0.015"] == bars[-1][1:6]
        prints = (await client.open("/fapi/v1/trades", symbol="BTCUSDT")).body
        assert [("100", "0.015", True)] == [
            (one["price"], one["qty"], one["isBuyerMaker"]) for one in prints
        ]
        assert -1120 == (await client.open("/fapi/v1/klines", symbol="BTCUSDT", interval="1y")).code
        assert -1121 == (await client.open("/fapi/v1/trades", symbol="NOPE")).code


async def test_another_client_finds_the_orders() -> None:
    """The account lives at the venue, not in a connection."""
    async with venue() as at:
        await at.client.place("BUY", "0.01", "90", newClientOrderId="la-1")
        later = Client(at.client.session, at.client.port)
        found = (await later.signed("GET", "/fapi/v1/openOrders", symbol="BTCUSDT")).body
        assert ["la-1"] == [one["clientOrderId"] for one in found]
