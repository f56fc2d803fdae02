"""Every REST call of a Binance sandbox in one table, and the desks behind it.

Source: the Binance sheet, sections 3, 5 and 7.
"""

from collections.abc import Callable
from typing import Any, Final

from brokers.sandbox.binance_account import AccountDesk
from brokers.sandbox.binance_codes import WORDS, ApiError, missing
from brokers.sandbox.binance_gate import Access
from brokers.sandbox.binance_http import Endpoint
from brokers.sandbox.binance_orders import OrderDesk
from brokers.sandbox.binance_params import Params
from brokers.sandbox.binance_prices import PriceDesk
from brokers.sandbox.binance_user import UserStream
from brokers.sandbox.dead_man import DeadMan
from brokers.sandbox.exchange import Exchange
from brokers.sandbox.orders import Why

OPEN, KEY, READ, TRADE = Access.OPEN, Access.KEY, Access.READ, Access.TRADE
COUNTDOWN_MAX_MS: Final = 86_400_000


def price_endpoints(desk: PriceDesk) -> tuple[Endpoint, ...]:
    """Return what anybody may ask."""
    return (
        Endpoint("GET", "/fapi/v1/ping", 1, OPEN, lambda _: {}),
        Endpoint("GET", "/fapi/v1/time", 1, OPEN, desk.time),
        Endpoint("GET", "/fapi/v1/exchangeInfo", 1, OPEN, desk.listing),
        Endpoint("GET", "/fapi/v1/depth", 10, OPEN, desk.depth),
        Endpoint("GET", "/fapi/v1/premiumIndex", 1, OPEN, desk.premium),
        Endpoint("GET", "/fapi/v1/ticker/bookTicker", 2, OPEN, desk.book_ticker),
        Endpoint("GET", "/fapi/v1/ticker/price", 1, OPEN, desk.price),
        Endpoint("GET", "/fapi/v1/ticker/24hr", 1, OPEN, desk.day),
        Endpoint("GET", "/fapi/v1/klines", 2, OPEN, desk.klines),
        Endpoint("GET", "/fapi/v1/trades", 5, OPEN, desk.trades),
        Endpoint("GET", "/fapi/v1/aggTrades", 20, OPEN, desk.agg_trades),
    )


def order_endpoints(desk: OrderDesk) -> tuple[Endpoint, ...]:
    """Return what is about orders and fills."""
    return (
        Endpoint("POST", "/fapi/v1/order", 0, TRADE, desk.place, 1),
        Endpoint("PUT", "/fapi/v1/order", 1, TRADE, desk.amend, 1),
        Endpoint("DELETE", "/fapi/v1/order", 1, TRADE, desk.cancel),
        Endpoint("GET", "/fapi/v1/order", 1, READ, desk.query),
        Endpoint("GET", "/fapi/v1/openOrder", 1, READ, desk.query_open),
        Endpoint("POST", "/fapi/v1/batchOrders", 5, TRADE, desk.place_batch, 5),
        Endpoint("PUT", "/fapi/v1/batchOrders", 5, TRADE, desk.amend_batch, 5),
        Endpoint("DELETE", "/fapi/v1/batchOrders", 1, TRADE, desk.cancel_batch),
        Endpoint("DELETE", "/fapi/v1/allOpenOrders", 1, TRADE, desk.cancel_all),
        Endpoint("GET", "/fapi/v1/openOrders", 1, READ, desk.open_orders),
        Endpoint("GET", "/fapi/v1/allOrders", 5, READ, desk.all_orders),
        Endpoint("GET", "/fapi/v1/userTrades", 5, READ, desk.trades),
    )


def account_endpoints(desk: AccountDesk) -> tuple[Endpoint, ...]:
    """Return what is about money and positions."""
    return (
        Endpoint("GET", "/fapi/v2/balance", 5, READ, desk.balances),
        Endpoint("GET", "/fapi/v3/balance", 5, READ, desk.balances),
        Endpoint("GET", "/fapi/v2/account", 5, READ, desk.account_v2),
        Endpoint("GET", "/fapi/v3/account", 5, READ, desk.account),
        Endpoint("GET", "/fapi/v2/positionRisk", 5, READ, desk.positions_v2),
        Endpoint("GET", "/fapi/v3/positionRisk", 5, READ, desk.positions),
        Endpoint("POST", "/fapi/v1/leverage", 1, TRADE, desk.set_leverage),
        Endpoint("POST", "/fapi/v1/marginType", 1, TRADE, desk.set_margin_type),
        Endpoint("GET", "/fapi/v1/positionSide/dual", 30, READ, desk.position_mode),
        Endpoint("POST", "/fapi/v1/positionSide/dual", 1, TRADE, desk.set_position_mode),
        Endpoint("GET", "/fapi/v1/symbolConfig", 5, READ, desk.symbol_config),
        Endpoint("GET", "/fapi/v1/leverageBracket", 1, READ, desk.brackets),
        Endpoint("GET", "/fapi/v1/commissionRate", 20, READ, desk.fees),
        Endpoint("GET", "/fapi/v1/feeBurn", 30, READ, desk.fee_burn),
        Endpoint("POST", "/fapi/v1/feeBurn", 1, TRADE, desk.set_fee_burn),
        Endpoint("GET", "/fapi/v1/income", 30, READ, desk.income),
        Endpoint("GET", "/sapi/v1/capital/config/getall", 10, READ, desk.coins),
        Endpoint("GET", "/sapi/v1/margin/allPairs", 1, KEY, lambda _: []),
    )


def stream_endpoints(user: UserStream) -> tuple[Endpoint, ...]:
    """Return what makes, extends and closes the key of the account's stream."""
    return (
        Endpoint("POST", "/fapi/v1/listenKey", 1, KEY, user.make),
        Endpoint("PUT", "/fapi/v1/listenKey", 1, KEY, user.renew),
        Endpoint("DELETE", "/fapi/v1/listenKey", 1, KEY, user.close),
    )


def countdown_endpoint(exchange: Exchange, dead_man: DeadMan) -> Endpoint:
    """Return the dead-man switch of one symbol; 0 stops it."""

    def countdown(params: Params) -> dict[str, Any]:
        symbol, wait_ms = params.need("symbol"), params.integer("countdownTime")
        if symbol not in exchange.instruments:
            raise ApiError(*WORDS[Why.UNKNOWN_SYMBOL])
        if wait_ms is None or wait_ms > COUNTDOWN_MAX_MS:
            raise missing("countdownTime")
        dead_man.set(symbol, wait_ms / 1_000)
        return {"symbol": symbol, "countdownTime": str(wait_ms)}

    act: Callable[[Params], Any] = countdown
    return Endpoint("POST", "/fapi/v1/countdownCancelAll", 10, TRADE, act)
