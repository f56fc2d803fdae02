"""A frame of Hyperliquid's public channels, read into market events. Pure.

Rule 1: whatever is wrong with a frame is a `Malformed`, never an exception.
Rule 2: a frame can hold several prints, so it is read into a list; a bad one spoils itself only.

Source: the Hyperliquid sheet, section 6.
"""

from collections.abc import Callable, Mapping, Sequence
from decimal import Decimal
from typing import Any, Final

import msgspec

from brokers.hyperliquid import wire
from brokers.hyperliquid.grid import NO_GRIDS, CoinGrid, Grids, RoundedSteps
from brokers.link.grid import Refused, Steps, plain_decimal
from engine.model.market import Depth, FeedEvent, Flaw, Funding, Levels, Malformed, Quote, Trade
from engine.model.orders import Side
from engine.model.text import sanitize

MS_NS: Final = wire.MS_NS
HOUR_NS: Final = 3_600 * 1_000_000_000
DETAIL_CHARS_MAX: Final = 120
GREETING: Final = b"Websocket connection established."
QUIET: Final = frozenset({"pong", "subscriptionResponse"})
TAKERS: Final[Mapping[str, Side]] = {"B": Side.BUY, "A": Side.SELL}

_head = msgspec.json.Decoder(wire.Message).decode
_text = msgspec.json.Decoder(str).decode


class FrameParser:
    """Reads frames of one line; it remembers nothing of them."""

    def __init__(self, grids: Grids = NO_GRIDS) -> None:
        self._grids = grids
        self._symbol = ""

    def frame(self, body: bytes, at_ns: int) -> Sequence[FeedEvent]:
        """Return the events in a frame that has just arrived; none for what is none of ours."""
        self._symbol = ""
        try:
            return self._frame(body, at_ns)
        except Refused as refused:
            return [self._flawed(at_ns, refused.flaw, refused.detail)]
        except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError) as error:
            return [self._flawed(at_ns, "malformed", str(error))]

    def _flawed(self, at_ns: int, flaw: Flaw, detail: str) -> Malformed:
        return Malformed(at_ns, self._symbol, flaw, sanitize(detail, DETAIL_CHARS_MAX))

    def _frame(self, body: bytes, at_ns: int) -> Sequence[FeedEvent]:
        if body == GREETING:
            return ()
        message = _head(body)
        if message.channel in QUIET:
            return ()
        if message.channel == "error":
            raise Refused("malformed", f"the venue says: {_text(message.data)}")
        if message.channel not in CHANNELS:
            raise Refused("malformed", f"unknown channel {message.channel}")
        decode, build = CHANNELS[message.channel]
        return [self._row(build, row, at_ns) for row in _rows(decode(message.data))]

    def _row(self, build: Callable[..., FeedEvent], row: Any, at_ns: int) -> FeedEvent:  # noqa: ANN401 - of any channel
        try:
            return build(row, at_ns, self._grid(row.coin))
        except Refused as refused:
            return self._flawed(at_ns, refused.flaw, refused.detail)

    def _grid(self, coin: str) -> CoinGrid:
        self._symbol = ""
        if coin not in self._grids:
            raise Refused("unknown_symbol", f"unknown coin {coin}")
        self._symbol = coin
        return self._grids[coin]


def _rows(decoded: Any) -> Sequence[Any]:  # noqa: ANN401 - of any channel
    return decoded if isinstance(decoded, list) else (decoded,)


def _quote(data: wire.Touch, at_ns: int, grid: CoinGrid) -> Quote:
    bid, ask = data.sides
    if bid is None or ask is None:
        raise Refused("non_positive", "a side of the touch is empty")
    bid_lots, ask_lots = grid.lots[bid.size], grid.lots[ask.size]
    if not (bid_lots and ask_lots):
        raise Refused("non_positive", "a side of the touch is empty")
    bid_ticks, ask_ticks = grid.bids[bid.price], grid.asks[ask.price]
    return Quote(at_ns, grid.symbol, bid_ticks, bid_lots, ask_ticks, ask_lots, data.at_ms * MS_NS)


def _depth(data: wire.Ladder, at_ns: int, grid: CoinGrid) -> Depth:
    bids, asks = data.sides
    return Depth(
        at_ns,
        grid.symbol,
        _levels(bids, grid.bids, grid.lots),
        _levels(asks, grid.asks, grid.lots),
        is_snapshot=True,
        ts_event_ns=data.at_ms * MS_NS,
    )


def _levels(levels: list[wire.Level], ticks: RoundedSteps, lots: Steps) -> Levels:
    """Convert one side, best first; prices that share a tick of ours add up."""
    sums: dict[int, int] = {}
    for level in levels:
        at = ticks[level.price]
        sums[at] = sums.get(at, 0) + lots[level.size]
    return tuple(sums.items())


def _trade(data: wire.TradePrint, at_ns: int, grid: CoinGrid) -> Trade:
    taker = TAKERS.get(data.side)
    lots = grid.lots[data.size]
    if taker is None:
        raise Refused("malformed", f"a taker of side {data.side}")
    if not lots:
        raise Refused("non_positive", "a trade of nothing")
    ticks = (grid.asks if taker is Side.BUY else grid.bids)[data.price]
    return Trade(at_ns, grid.symbol, ticks, lots, taker, data.trade_id, data.at_ms * MS_NS)


def _funding(data: wire.CoinContext, at_ns: int, grid: CoinGrid) -> Funding:
    """Convert an hourly rate; it is paid on the hour."""
    mark = Decimal(plain_decimal(data.context.mark))
    if not mark:
        raise Refused("non_positive", "a mark price of zero")
    told = data.context.funding
    rate = Decimal(plain_decimal(told.removeprefix("-")))
    next_ns = (at_ns // HOUR_NS + 1) * HOUR_NS
    return Funding(at_ns, grid.symbol, mark, -rate if told.startswith("-") else rate, next_ns)


CHANNELS: Final[Mapping[str, tuple[Callable[[Any], Any], Callable[..., FeedEvent]]]] = {
    "bbo": (msgspec.json.Decoder(wire.Touch).decode, _quote),
    "l2Book": (msgspec.json.Decoder(wire.Ladder).decode, _depth),
    "trades": (msgspec.json.Decoder(list[wire.TradePrint]).decode, _trade),
    "activeAssetCtx": (msgspec.json.Decoder(wire.CoinContext).decode, _funding),
}
"""Channels that become events; a new one is one more row."""
