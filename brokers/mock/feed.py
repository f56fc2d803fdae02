"""The mock source: every listed market merged into one stream, broken on request."""

import heapq
from collections.abc import Iterator, Sequence
from operator import attrgetter

from brokers.mock.config import MockConfig
from brokers.mock.faults import batched, inject, injector
from brokers.mock.generator import MockMarket
from brokers.mock.universe import listing
from engine.model.errors import UsageError
from engine.model.instrument import Instrument
from engine.model.market import FeedEvent

_BY_ARRIVAL = attrgetter("ts_ns")


class MockFeed:
    """An endless invented market; implements `engine.venue.Feed`.

    The stream depends on the arguments alone. A symbol's own events don't depend on which other
    symbols are there, unless faults are injected: those count events of the merged stream.
    """

    name = "mock"
    is_simulated = True

    def __init__(
        self, symbols: Sequence[str], config: MockConfig, seed: int, start_ns: int
    ) -> None:
        """Check everything now, so that `batches` can't fail later.

        Raises:
            UsageError: No symbol, a symbol twice, or an unknown fault.
            UnknownInstrument: A symbol the universe does not list.
        """
        if not symbols or len(set(symbols)) != len(symbols):
            raise UsageError("the mock market needs at least one symbol, each named once")
        self._listings = [listing(symbol) for symbol in symbols]
        for fault in config.faults:
            injector(fault)
        self._config = config
        self._seed = seed
        self._start_ns = start_ns

    @property
    def instruments(self) -> Sequence[Instrument]:
        """One for each symbol, in the order they were named."""
        return tuple(item.instrument for item in self._listings)

    def batches(self) -> Iterator[Sequence[FeedEvent]]:
        """Yield for ever, in order of `ts_ns`, ties in the order of the symbols.

        Each call starts again at `start_ns`.
        """
        markets = [
            MockMarket(item, self._config, self._seed, self._start_ns) for item in self._listings
        ]
        streams = [market.events() for market in markets]
        merged = streams[0] if len(streams) == 1 else heapq.merge(*streams, key=_BY_ARRIVAL)
        healthy = batched(iter(merged))
        faults = self._config.faults
        return inject(faults, healthy, self._seed) if faults else healthy
