"""Public price endpoints of a Binance sandbox beside the book: tickers, prints, bars, mark prices.

Source: the Binance sheet, section 3.
"""

from collections.abc import Callable
from decimal import Decimal
from typing import Any, Final

from brokers.sandbox.binance_codes import WORDS, ApiError
from brokers.sandbox.binance_frames import listing, snapshot
from brokers.sandbox.binance_limits import Limits
from brokers.sandbox.binance_params import Params
from brokers.sandbox.binance_words import MS_NS, plain
from brokers.sandbox.exchange import Exchange
from brokers.sandbox.fee_burn import BNBUSDT
from brokers.sandbox.market import SandboxMarket
from brokers.sandbox.orders import Why
from brokers.sandbox.tape import Tape, TapeBar
from engine.model.instrument import Instrument
from engine.model.market import Trade
from engine.model.money import ROUNDED, ZERO
from engine.model.orders import Side

MINUTE_NS: Final = 60_000_000_000
INTERVALS: Final = {
    "1m": 1, "3m": 3, "5m": 5, "15m": 15, "30m": 30, "1h": 60, "2h": 120, "4h": 240, "6h": 360,
    "8h": 480, "12h": 720, "1d": 1_440,
}  # fmt: skip
"""In minutes; weeks and months are longer than a sandbox runs."""
DAY_NS: Final = 86_400_000_000_000
LEVELS: Final = ("5", "10", "20", "50", "100", "500", "1000")
"""Sizes of a depth snapshot."""


class PriceDesk:
    """Answers what the market is like."""

    def __init__(
        self, market: SandboxMarket, exchange: Exchange, limits: Limits, now_ms: Callable[[], int]
    ) -> None:
        self._books = market.books
        self._exchange = exchange
        self._limits = limits
        self._now_ms = now_ms
        self._tape = Tape(market)

    def time(self, _: Params) -> dict[str, Any]:
        """GET /fapi/v1/time."""
        return {"serverTime": self._now_ms()}

    def listing(self, _: Params) -> dict[str, Any]:
        """GET /fapi/v1/exchangeInfo."""
        return listing(self._exchange, self._limits, self._now_ms())

    def depth(self, params: Params) -> dict[str, Any]:
        """GET /fapi/v1/depth."""
        book, limit = self._books[self._instrument(params).symbol], params.text("limit", "500")
        if limit not in LEVELS:
            raise ApiError(-4021, f"{limit[:10]} is not valid depth limit.")
        return snapshot(book, int(limit), self._now_ms())

    def premium(self, params: Params) -> Any:  # noqa: ANN401 - a row or rows, as at the venue
        """GET /fapi/v1/premiumIndex."""
        if params.text("symbol") == BNBUSDT and BNBUSDT not in self._exchange.instruments:
            return self._premium_row(BNBUSDT, self._exchange.burn.price())
        return self._each(params, self._premium)

    def book_ticker(self, params: Params) -> Any:  # noqa: ANN401 - a row or rows
        """GET /fapi/v1/ticker/bookTicker."""
        return self._each(params, self._book_ticker)

    def price(self, params: Params) -> Any:  # noqa: ANN401 - a row or rows
        """GET /fapi/v1/ticker/price."""
        return self._each(params, self._price)

    def day(self, params: Params) -> Any:  # noqa: ANN401 - a row or rows
        """GET /fapi/v1/ticker/24hr: of as long as the sandbox runs, at most a day."""
        return self._each(params, self._day)

    def klines(self, params: Params) -> list[list[Any]]:
        """GET /fapi/v1/klines: since the sandbox began, oldest first."""
        item = self._instrument(params)
        minutes = INTERVALS.get(params.need("interval"))
        if minutes is None:
            raise ApiError(-1120, "Invalid interval.")
        since, until = params.integer("startTime", 0) or 0, params.integer("endTime")
        until_ns = (until if until is not None else 1 << 42) * MS_NS
        length_ns = minutes * MINUTE_NS
        bars = self._tape.bars(item.symbol, length_ns, since * MS_NS, until_ns)
        limit = params.limit(1_500)
        return [_kline(item, bar, length_ns) for bar in (bars[:limit] if since else bars[-limit:])]

    def trades(self, params: Params) -> list[dict[str, Any]]:
        """GET /fapi/v1/trades: the latest prints, oldest first."""
        item = self._instrument(params)
        latest = list(self._tape.trades[item.symbol])[-params.limit(1_000) :]
        return [_trade(item, trade) for trade in latest]

    def agg_trades(self, params: Params) -> list[dict[str, Any]]:
        """GET /fapi/v1/aggTrades: the same, each its own aggregate."""
        item, first_id = self._instrument(params), params.integer("fromId", 0) or 0
        since, until = params.integer("startTime", 0) or 0, params.integer("endTime", 1 << 62) or 0
        found = [
            _aggregate(item, trade) for trade in self._tape.trades[item.symbol]
            if trade.trade_id >= first_id and since <= trade.ts_ns // MS_NS <= until
        ]  # fmt: skip
        limit = params.limit(1_000)
        return found[:limit] if first_id or since else found[-limit:]

    def _each(self, params: Params, row: Any) -> Any:  # noqa: ANN401 - one of the rows below
        if params.text("symbol"):
            return row(self._instrument(params))
        return [row(item) for item in self._exchange.instruments.values()]

    def _instrument(self, params: Params) -> Instrument:
        found = self._exchange.instruments.get(params.need("symbol"))
        if found is None:
            raise ApiError(*WORDS[Why.UNKNOWN_SYMBOL])
        return found

    def _premium(self, item: Instrument) -> dict[str, Any]:
        return self._premium_row(item.symbol, self._exchange.mark(item.symbol))

    def _premium_row(self, symbol: str, price: Decimal) -> dict[str, Any]:
        mark, funding = plain(price), self._exchange.funding(symbol)
        rate, next_ns = (funding.rate, funding.next_ns) if funding else (ZERO, 0)
        return {
            "symbol": symbol, "markPrice": mark, "indexPrice": mark,
            "estimatedSettlePrice": mark, "lastFundingRate": plain(rate),
            "interestRate": "0.0001", "nextFundingTime": next_ns // MS_NS,
            "time": self._now_ms(),
        }  # fmt: skip

    def _book_ticker(self, item: Instrument) -> dict[str, Any]:
        quote = self._books[item.symbol].quote
        price, qty = item.price, item.qty
        sizes = (qty(quote.bid_lots), qty(quote.ask_lots)) if quote else (ZERO, ZERO)
        prices = (price(quote.bid_ticks), price(quote.ask_ticks)) if quote else (ZERO, ZERO)
        return {
            "symbol": item.symbol, "bidPrice": plain(prices[0]), "bidQty": plain(sizes[0]),
            "askPrice": plain(prices[1]), "askQty": plain(sizes[1]),
            "time": (quote.ts_ns if quote else 0) // MS_NS,
            "lastUpdateId": quote.seq if quote else 0,
        }  # fmt: skip

    def _price(self, item: Instrument) -> dict[str, Any]:
        return {"symbol": item.symbol, "price": plain(self._last(item)), "time": self._now_ms()}

    def _last(self, item: Instrument) -> Decimal:
        trades = self._tape.trades[item.symbol]
        return item.price(trades[-1].price_ticks) if trades else self._exchange.mark(item.symbol)

    def _day(self, item: Instrument) -> dict[str, Any]:
        now_ns = self._now_ms() * MS_NS
        bars = self._tape.bars(item.symbol, MINUTE_NS, now_ns - DAY_NS, now_ns)
        lots, units = sum(bar.volume for bar in bars), sum(bar.units for bar in bars)
        opened = item.price(bars[0].open) if bars else ZERO
        last, quote_unit = self._last(item), item.tick_size * item.lot_size
        change = last - opened
        percent = ROUNDED.divide(100 * change, opened) if opened else ZERO
        mean = ROUNDED.divide(Decimal(units), Decimal(lots)) * item.tick_size if lots else ZERO
        return {
            "symbol": item.symbol, "priceChange": plain(change),
            "priceChangePercent": f"{percent:.3f}", "weightedAvgPrice": f"{mean:.8f}",
            "lastPrice": plain(last), "lastQty": "0", "openPrice": plain(opened),
            "highPrice": plain(item.price(max((bar.high for bar in bars), default=0))),
            "lowPrice": plain(item.price(min((bar.low for bar in bars), default=0))),
            "volume": plain(item.qty(lots)), "quoteVolume": plain(units * quote_unit),
            "openTime": (bars[0].open_ns if bars else now_ns) // MS_NS,
            "closeTime": now_ns // MS_NS, "firstId": 0, "lastId": 0,
            "count": sum(bar.prints for bar in bars),
        }  # fmt: skip


def _kline(item: Instrument, bar: TapeBar, length_ns: int) -> list[Any]:
    unit = item.tick_size * item.lot_size
    prices = (plain(item.price(ticks)) for ticks in (bar.open, bar.high, bar.low, bar.close))
    return [
        bar.open_ns // MS_NS, *prices, plain(item.qty(bar.volume)),
        (bar.open_ns + length_ns) // MS_NS - 1, plain(bar.units * unit), bar.prints,
        plain(item.qty(bar.bought)), plain(bar.bought_units * unit), "0",
    ]  # fmt: skip


def _trade(item: Instrument, trade: Trade) -> dict[str, Any]:
    price, qty = item.price(trade.price_ticks), item.qty(trade.qty_lots)
    return {
        "id": trade.trade_id, "price": plain(price), "qty": plain(qty),
        "quoteQty": plain(price * qty), "time": trade.ts_ns // MS_NS,
        "isBuyerMaker": trade.aggressor is Side.SELL,
    }  # fmt: skip


def _aggregate(item: Instrument, trade: Trade) -> dict[str, Any]:
    return {
        "a": trade.trade_id, "p": plain(item.price(trade.price_ticks)),
        "q": plain(item.qty(trade.qty_lots)), "f": trade.trade_id, "l": trade.trade_id,
        "T": trade.ts_ns // MS_NS, "m": trade.aggressor is Side.SELL,
    }  # fmt: skip
