"""Where a session's market comes from, and whose time it follows.

Only the chosen source is imported.
"""

from typing import TYPE_CHECKING

from engine.session.clock import Clock, SimulatedClock, WallClock
from engine.venue import Feed, LiveFeed

if TYPE_CHECKING:
    from brokers.link.feed import MarketFeed, Tap
    from laptop_agents.settings import Settings


def make_feed(settings: "Settings", start_ns: int) -> Feed:
    """Open the source; only the chosen one is imported."""
    kind, _, paths = settings.source.partition(":")
    if kind == "file":
        from brokers.file.feed import FileFeed, paths_of  # noqa: PLC0415 - the chosen source only

        return FileFeed(paths_of(paths), settings.symbols or None, settings.file)
    live = make_live_feed(settings)
    if live is not None:
        return live
    from brokers.mock.feed import MockFeed  # noqa: PLC0415 - the chosen source only

    return MockFeed(settings.symbols, settings.mock, settings.session.seed, start_ns)


def make_live_feed(settings: "Settings", tap: "Tap | None" = None) -> "MarketFeed | None":
    """Open a source that happens now; None where the settings name none.

    Args:
        settings: Which, and where it is.
        tap: Gets every message as it came; None listens alone.
    """
    match settings.source:
        case "binance":
            from brokers.binance.feed import BinanceFeed  # noqa: PLC0415 - the chosen source only

            return BinanceFeed(settings.symbols, settings.binance, tap)
        case "bitunix":
            from brokers.bitunix.feed import BitunixFeed  # noqa: PLC0415 - the chosen source only

            return BitunixFeed(settings.symbols, settings.bitunix, tap)
        case "hyperliquid":
            from brokers.hyperliquid.feed import HyperliquidFeed  # noqa: PLC0415 - the chosen source only

            return HyperliquidFeed(settings.symbols, settings.hyperliquid, tap)
        case _:
            return None


def make_clock(settings: "Settings", feed: Feed) -> Clock:
    """Return the clock that the speed asks for; what happens now has one speed."""
    speed = 1.0 if isinstance(feed, LiveFeed) else settings.session.speed
    return SimulatedClock() if speed == "max" else WallClock(float(speed))
