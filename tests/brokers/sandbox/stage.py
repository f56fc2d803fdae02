"""A sandbox exchange whose market and clock move only when told; prices in ticks, sizes in lots."""

import time
from collections.abc import Iterator, Sequence
from decimal import Decimal

from brokers.sandbox.exchange import Exchange, ExchangeConfig
from brokers.sandbox.market import SandboxMarket
from brokers.sandbox.orders import OrderRecord, OrderTold, Refusal, Ticket, Told
from engine.model.instrument import Instrument
from engine.model.market import Depth, Funding, Levels, Quote, Trade
from engine.model.money import use_exact_arithmetic
from engine.model.orders import OrderType, Side, TimeInForce

BUY, SELL = Side.BUY, Side.SELL
MARKET, LIMIT = OrderType.MARKET, OrderType.LIMIT
GTC, IOC, FOK = TimeInForce.GTC, TimeInForce.IOC, TimeInForce.FOK
START_NS = 1_700_000_000_000_000_000
MS = 1_000_000
TICK, LOT = Decimal("0.1"), Decimal("0.001")


def instrument(symbol: str, **fields: object) -> Instrument:
    defaults: dict[str, object] = {
        "base": symbol[:3], "quote": "USDT", "settlement": "USDT", "tick_size": TICK,
        "lot_size": LOT, "min_qty": LOT, "min_notional": Decimal("0.4"),
    }  # fmt: skip
    return Instrument(symbol=symbol, **{**defaults, **fields})  # type: ignore[arg-type]


class Silent:
    """A source that says nothing of itself."""

    name, is_simulated = "stage", True

    def __init__(self, instruments: Sequence[Instrument]) -> None:
        self.instruments = instruments

    def batches(self) -> Iterator[Sequence[object]]:
        return iter(())


class Stage:
    """BTCUSDT and ETHUSDT, a balance of 10,000 unless stated; a live one runs on the wall clock."""

    def __init__(self, *, is_live: bool = False, **config: object) -> None:
        use_exact_arithmetic()  # undone behind every test
        self.is_live = is_live
        self.now_ns = time.time_ns() if is_live else START_NS
        self.market = SandboxMarket(Silent([instrument("BTCUSDT"), instrument("ETHUSDT")]))
        self.exchange = Exchange(
            self.market, ExchangeConfig(**config), self._clock  # type: ignore[arg-type]
        )  # fmt: skip
        self.told: list[Told] = []
        self.exchange.listen(self.told.append)

    def quote(
        self, bid: int = 1000, ask: int = 1001, lots: int = 10, *, symbol: str = "BTCUSDT"
    ) -> None:
        self.pass_ms(1)
        self.market.show(Quote(self.now_ns, symbol, bid, lots, ask, lots, self.now_ns))

    def trade(self, side: Side, ticks: int, lots: int, *, symbol: str = "BTCUSDT") -> None:
        self.pass_ms(1)
        self.market.show(Trade(self.now_ns, symbol, ticks, lots, side, 1, self.now_ns))

    def depth(self, bids: Levels, asks: Levels, *, symbol: str = "BTCUSDT") -> None:
        self.pass_ms(1)
        self.market.show(Depth(self.now_ns, symbol, bids, asks, is_snapshot=True))

    def funding(self, mark: str, rate: str, next_ns: int, *, symbol: str = "BTCUSDT") -> None:
        self.pass_ms(1)
        self.market.show(
            Funding(self.now_ns, symbol, Decimal(mark), Decimal(rate), next_ns, self.now_ns)
        )

    def pass_ms(self, ms: int) -> None:
        self.now_ns = time.time_ns() if self.is_live else self.now_ns + ms * MS

    def _clock(self) -> int:
        return time.time_ns() if self.is_live else self.now_ns

    def place(self, side: Side, lots: int, ticks: int = 0, **fields: object) -> OrderRecord:
        placed = self.try_place(side, lots, ticks, **fields)
        assert isinstance(placed, OrderRecord), placed
        return placed

    def try_place(
        self, side: Side, lots: int, ticks: int = 0, **fields: object
    ) -> OrderRecord | Refusal:
        words = {
            "symbol": "BTCUSDT", "side": side, "type": LIMIT if ticks else MARKET,
            "qty": lots * LOT, "price": ticks * TICK if ticks else None, **fields,
        }  # fmt: skip
        return self.exchange.place(Ticket(**words))  # type: ignore[arg-type]

    def lots(self, symbol: str = "BTCUSDT") -> int:
        return int(self.exchange.position(symbol).qty / LOT)

    def kinds(self) -> list[str]:
        """What was told, orders as `kind id`, and forget it."""
        said = [
            f"{one.kind} {one.order.client_id}"
            if isinstance(one, OrderTold)
            else type(one).__name__
            for one in self.told
        ]
        self.told.clear()
        return said
