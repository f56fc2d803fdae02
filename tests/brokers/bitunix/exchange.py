"""A Bitunix sandbox on loopback for tests, and a feed on it."""

from contextlib import AbstractAsyncContextManager

from brokers.bitunix.config import BitunixConfig
from brokers.bitunix.feed import BitunixFeed
from brokers.mock.config import MockConfig
from brokers.mock.feed import MockFeed
from brokers.sandbox.bitunix import BitunixSandbox
from brokers.sandbox.market import SandboxMarket
from tests.brokers.served import PATIENCE_S, START_NS, SYMBOLS, Heard, listening, serving

__all__ = ["PATIENCE_S", "SYMBOLS", "Exchange", "Heard", "exchange", "heard"]


class Exchange:
    """A running sandbox."""

    def __init__(self, events_per_s: float) -> None:
        mock = MockFeed(SYMBOLS, MockConfig(events_per_s=events_per_s), 1, START_NS)
        self.market = SandboxMarket(mock)
        self.sandbox = BitunixSandbox(self.market)
        self.port = 0

    @property
    def config(self) -> BitunixConfig:
        at = f"127.0.0.1:{self.port}"
        return BitunixConfig(
            rest_url=f"http://{at}",
            public_url=f"ws://{at}/public/",
            private_url=f"ws://{at}/private/",
        )


def exchange(events_per_s: float = 200.0) -> AbstractAsyncContextManager[Exchange]:
    """Run one until the test is done."""
    return serving(Exchange(events_per_s))


def heard(config: BitunixConfig) -> AbstractAsyncContextManager[Heard]:
    """Listen to a feed until the test is done."""
    return listening(BitunixFeed(SYMBOLS, config))
