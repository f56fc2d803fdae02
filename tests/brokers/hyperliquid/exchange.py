"""A Hyperliquid sandbox on loopback for tests, and a feed on it."""

from contextlib import AbstractAsyncContextManager

from brokers.hyperliquid.config import HyperliquidConfig
from brokers.hyperliquid.feed import HyperliquidFeed
from brokers.mock.config import MockConfig
from brokers.mock.feed import MockFeed
from brokers.sandbox.coins import CoinFeed
from brokers.sandbox.exchange import Exchange as Core
from brokers.sandbox.exchange import ExchangeConfig
from brokers.sandbox.hyperliquid import HyperliquidSandbox
from brokers.sandbox.hyperliquid_desk import RULES
from brokers.sandbox.market import SandboxMarket
from tests.brokers.served import PATIENCE_S, START_NS, SYMBOLS, Heard, listening, serving

__all__ = ["COINS", "PATIENCE_S", "Exchange", "Heard", "exchange", "heard"]

COINS = ("BTC", "ETH")


class Exchange:
    """A running sandbox."""

    def __init__(self, events_per_s: float) -> None:
        mock = MockFeed(SYMBOLS, MockConfig(events_per_s=events_per_s), 1, START_NS)
        self.market = SandboxMarket(CoinFeed(mock))
        self.core = Core(self.market, ExchangeConfig(rules=RULES))
        self.sandbox = HyperliquidSandbox(self.market, self.core)
        self.port = 0

    @property
    def config(self) -> HyperliquidConfig:
        at = f"127.0.0.1:{self.port}"
        return HyperliquidConfig(rest_url=f"http://{at}", ws_url=f"ws://{at}/ws")


def exchange(events_per_s: float = 200.0) -> AbstractAsyncContextManager[Exchange]:
    """Run one until the test is done."""
    return serving(Exchange(events_per_s))


def heard(config: HyperliquidConfig) -> AbstractAsyncContextManager[Heard]:
    """Listen to a feed until the test is done."""
    return listening(HyperliquidFeed(COINS, config))
