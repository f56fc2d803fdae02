"""One line of a capture, or one frame, to one event; any bytes in, never an exception out.

A line is `<receive time> <JSON>`; the unit of the time shows in its number of digits. What can't be
expressed becomes a `Malformed` at the last believable time.
"""

from collections.abc import Callable, Collection, Mapping
from typing import Final, Generic, TypeVar

import msgspec
from msgspec.json import Decoder

from brokers.binance import wire
from brokers.binance.streams import IGNORED_KINDS, KINDS, levels
from brokers.link.arrivals import Arrivals
from brokers.link.grid import Grid, Refused
from engine.model.market import Depth, FeedEvent, Flaw, Malformed, MarketEvent
from engine.model.text import sanitize

LINE_BYTES_MAX: Final = 1024 * 1024
"""1 MiB; a full 1,000-level snapshot takes 60 kB."""
STREAMS_MAX: Final = 1_024
"""Stream names remembered; more than that are not one venue's symbols but an attack."""
DETAIL_CHARS_MAX: Final = 120
"""What `Malformed.detail` promises."""

_MS_NS: Final = 1_000_000
_PREFIX: Final = b'{"stream":"'

P = TypeVar("P", bound=wire.Payload)
_read_head = Decoder(wire.Head).decode
_read_snapshot = Decoder(wire.DepthSnapshot).decode


class Route(Generic[P]):
    """Reads one stream of one instrument."""

    __slots__ = ("_build", "_decode", "grid")

    def __init__(
        self, payload: type[P], build: Callable[[P, int, Grid], MarketEvent], grid: Grid
    ) -> None:
        self._decode = wire.reader(payload)
        self._build = build
        self.grid = grid

    def event(self, body: bytes, at_ns: int) -> MarketEvent:
        """Decode one message.

        Raises:
            Refused: It is JSON, but not believable.
            msgspec.MsgspecError: It is not JSON, or not of this type.
        """
        data = self._decode(body).data
        if data.symbol != self.grid.symbol:
            raise Refused("unknown_symbol", f"{data.symbol} in a stream of {self.grid.symbol}")
        return self._build(data, at_ns, self.grid)


class LineParser:
    """Parses the lines of one file, in order; remembers the last receive time."""

    def __init__(
        self,
        grids: Mapping[str, Grid],
        *,
        start_ns: int = 0,
        ignored: Collection[str] = (),
        muted: Collection[str] = (),
    ) -> None:
        """Prepare for one file.

        Args:
            grids: What to read, by symbol.
            start_ns: Time of a defect that comes before the first receive time.
            ignored: Symbols that are in the file but not wanted.
            muted: Streams to skip, such as `btcusdt@aggTrade` beside `btcusdt@trade`.
        """
        self._grids = grids
        self._ignored = frozenset(ignored)
        self._routes: dict[bytes, Route[wire.Payload] | None] = {
            name.encode(): None for name in muted
        }
        self._arrivals = Arrivals(start_ns)
        self._last_ns = start_ns
        self._symbol = ""

    def parse(self, line: bytes) -> FeedEvent | None:
        """Return the event in `line`; None for what is well formed and none of our business."""
        return self._guarded(self._line, line)

    def frame(self, body: bytes, at_ns: int) -> FeedEvent | None:
        """Return the event in a frame that has just arrived; None as for a line."""
        self._last_ns = max(at_ns, self._last_ns)
        return self._guarded(self._frame, body)

    def snapshot_of(self, symbol: str, body: bytes, at_ns: int) -> FeedEvent | None:
        """Return the book in a REST answer that was asked for one instrument."""
        self._last_ns = max(at_ns, self._last_ns)
        return self._guarded(
            lambda raw: self._book(symbol, _read_snapshot(raw), self._last_ns), body
        )

    def _guarded(self, read: Callable[[bytes], FeedEvent | None], raw: bytes) -> FeedEvent | None:
        self._symbol = ""
        try:
            return read(raw)
        except Refused as refused:
            return self.flawed(refused.flaw, refused.detail)
        except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError) as error:
            return self.flawed("malformed", str(error))

    def flawed(self, flaw: Flaw, detail: str) -> Malformed:
        """Make a `Malformed` at the last receive time."""
        return Malformed(self._last_ns, self._symbol, flaw, sanitize(detail, DETAIL_CHARS_MAX))

    def _line(self, line: bytes) -> FeedEvent | None:
        if len(line) > LINE_BYTES_MAX:
            raise Refused("oversize", f"line over {LINE_BYTES_MAX} bytes")
        stamp, _, body = line.partition(b" ")
        self._last_ns = self._arrivals.take(stamp)
        return self._frame(body)

    def _frame(self, body: bytes) -> FeedEvent | None:
        at_ns = self._last_ns
        # The key is read from the bytes because decoding the envelope twice would double the cost.
        name = body[11 : body.find(b'"', 11)] if body.startswith(_PREFIX) else b""
        try:
            route = self._routes[name]
        except KeyError:
            return self._first_of_stream(name, body, at_ns)
        if route is None:
            return None
        self._symbol = route.grid.symbol
        return route.event(body, at_ns)

    def _first_of_stream(self, name: bytes, body: bytes, at_ns: int) -> FeedEvent | None:
        """Read a line whose stream is new, or that has none.

        `name` is a hint for reporting a line that can't be read; the decoded one counts.
        """
        hinted, _ = split_stream(name.decode(errors="replace"))
        self._symbol = hinted if hinted in self._grids else ""
        head = _read_head(body)
        if head.stream is not None:
            route = self._route(head.stream)
            if len(self._routes) < STREAMS_MAX:
                self._routes[head.stream.encode()] = route
            if route is None:
                return None
            self._symbol = route.grid.symbol
            return route.event(body, at_ns)
        if head.last_id is not None:
            return self._snapshot(body, at_ns)
        if head.request_id is not None:
            return None
        raise Refused("malformed", "neither a stream message nor a snapshot")

    def _route(self, stream: str) -> Route[wire.Payload] | None:
        symbol, kind = split_stream(stream)
        if kind in IGNORED_KINDS or symbol in self._ignored or stream.encode() in self._routes:
            return None
        if kind not in KINDS:
            raise Refused("malformed", f"unknown stream {stream}")
        if symbol not in self._grids:
            raise Refused("unknown_symbol", f"unknown symbol {symbol}")
        payload, build = KINDS[kind]
        return Route(payload, build, self._grids[symbol])

    def _snapshot(self, body: bytes, at_ns: int) -> Depth | None:
        """Read a REST snapshot; without a symbol of its own it is that of the file's only one."""
        data = _read_snapshot(body)
        names = {*self._grids, *self._ignored}
        symbol = data.symbol or (names.pop() if len(names) == 1 else "")
        if symbol in self._ignored:
            return None
        if symbol not in self._grids:
            raise Refused("unknown_symbol", f"snapshot of unknown symbol {symbol}")
        return self._book(symbol, data, at_ns)

    def _book(self, symbol: str, data: wire.DepthSnapshot, at_ns: int) -> Depth:
        self._symbol = symbol
        grid = self._grids[symbol]
        return Depth(
            at_ns,
            symbol,
            levels(data.bids, grid),
            levels(data.asks, grid),
            is_snapshot=True,
            first_seq=data.last_id,
            last_seq=data.last_id,
            ts_event_ns=data.transaction_ms * _MS_NS,
        )


def split_stream(stream: str) -> tuple[str, str]:
    """Split a stream's name, `btcusdt@kline_1m`, into symbol and kind, `BTCUSDT` and `kline`."""
    symbol, _, rest = stream.partition("@")
    return symbol.upper(), rest.partition("@")[0].partition("_")[0]
