"""The market that a sandbox plays: the invented one, or a recording by the wall clock."""

import argparse
import time
from typing import TYPE_CHECKING, Final

from engine.model.errors import UsageError

if TYPE_CHECKING:
    from engine.venue import Feed

QUOTE: Final = "USDT"
EXTRA: Final = "pip install 'laptop-agents[hyperliquid]'"
BARS: Final = (".csv", ".parquet")


def played(arguments: argparse.Namespace) -> "Feed":
    """Open the source of a sandbox's prices.

    Raises:
        UsageError: The mock market is asked for nonsense, or what checks signatures is missing.
        DataUnavailable: The recording can't be read.
        UnknownInstrument: The source does not have a symbol.
    """
    symbols = tuple(filter(None, (arguments.symbols or "").upper().split(",")))
    if arguments.venue == "hyperliquid":
        symbols = tuple(map(_contract, symbols))
    feed = _recorded(arguments.file, symbols) if arguments.file else _invented(arguments, symbols)
    return _as_coins(feed) if arguments.venue == "hyperliquid" else feed


def _recorded(path: str, symbols: tuple[str, ...]) -> "Feed":
    from brokers.file.feed import FileFeed, paths_of  # noqa: PLC0415 - of a recording only

    paths = paths_of(path)
    if any(item.suffix in BARS for item in paths):
        raise UsageError(f"{path} holds bars: an exchange needs quotes, record some or take a mock")
    return FileFeed(paths, symbols or None)


def _invented(arguments: argparse.Namespace, symbols: tuple[str, ...]) -> "Feed":
    from brokers.mock.config import MockConfig  # noqa: PLC0415 - of a mock only
    from brokers.mock.feed import MockFeed  # noqa: PLC0415 - of a mock only

    config = MockConfig(events_per_s=arguments.events_per_s)
    return MockFeed(symbols or ("BTCUSDT",), config, arguments.seed, time.time_ns())


def _contract(name: str) -> str:
    """Return the contract of the mock market behind a name; a coin's is in USDT there."""
    return name if name.endswith(QUOTE) else f"{name}{QUOTE}"


def _as_coins(feed: "Feed") -> "Feed":
    """Return a market on Hyperliquid's grid.

    Raises:
        UsageError: What checks signatures is not installed.
    """
    try:
        from brokers.sandbox.coins import CoinFeed  # noqa: PLC0415 - its venue only
        from brokers.sandbox.hyperliquid import HyperliquidSandbox  # noqa: F401, PLC0415 - early
    except ImportError as error:
        raise UsageError(f"{error.name} is missing: {EXTRA}") from error
    return CoinFeed(feed)
