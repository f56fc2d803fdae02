"""Which sandboxes there are: how each is opened, and what a client has to know of it.

Only the chosen venue's rooms are imported.
"""

from collections.abc import Callable, Mapping
from decimal import Decimal
from typing import TYPE_CHECKING, Final, NamedTuple

if TYPE_CHECKING:
    from aiohttp import web

    from brokers.sandbox.exchange import Exchange
    from brokers.sandbox.market import SandboxMarket
    from brokers.sandbox.trading_rules import TradingRules


class Opened(NamedTuple):
    """A sandbox that can be served."""

    app: "web.Application"
    exchange: "Exchange"


class Venue(NamedTuple):
    """One line of the list."""

    settings: tuple[str, ...]
    """Settings that lead to it, `{at}` for its address."""
    open: Callable[["SandboxMarket", Decimal], Opened]
    """Opens it with a starting balance."""
    keys: Callable[[], list[str]]
    """Returns the lines that tell its test credentials."""


def _account(market: "SandboxMarket", balance: Decimal, rules: "TradingRules") -> "Exchange":
    from brokers.sandbox.exchange import Exchange, ExchangeConfig  # noqa: PLC0415 - this command

    return Exchange(market, ExchangeConfig(balance=balance, rules=rules))


def _binance(market: "SandboxMarket", balance: Decimal) -> Opened:
    from brokers.sandbox.binance import RULES, BinanceSandbox  # noqa: PLC0415 - its venue only

    exchange = _account(market, balance, RULES)
    return Opened(BinanceSandbox(market, exchange).app, exchange)


def _binance_keys() -> list[str]:
    from brokers.sandbox.binance_gate import KEYS  # noqa: PLC0415 - its venue only

    names = "LAPTOP_AGENTS_BINANCE_KEY={} LAPTOP_AGENTS_BINANCE_SECRET={}"
    may = {(True, False): "trade", (False, False): "read only", (True, True): "withdraw, refused"}
    return [
        f"{names.format(name, key.secret)}  # {may[key.can_trade, key.can_withdraw]}"
        for name, key in KEYS.items()
    ]


def _bitunix(market: "SandboxMarket", balance: Decimal) -> Opened:
    from brokers.sandbox.bitunix import RULES, BitunixSandbox  # noqa: PLC0415 - its venue only

    exchange = _account(market, balance, RULES)
    return Opened(BitunixSandbox(market, exchange).app, exchange)


def _bitunix_keys() -> list[str]:
    from brokers.sandbox.bitunix_gate import KEYS  # noqa: PLC0415 - its venue only

    names = "LAPTOP_AGENTS_BITUNIX_KEY={} LAPTOP_AGENTS_BITUNIX_SECRET={}"
    return [
        f"{names.format(name, key.secret)}  # {'trade' if key.can_trade else 'read only'}"
        for name, key in KEYS.items()
    ]


def _hyperliquid(market: "SandboxMarket", balance: Decimal) -> Opened:
    from brokers.sandbox.hyperliquid import HyperliquidSandbox  # noqa: PLC0415 - its venue only
    from brokers.sandbox.hyperliquid_desk import RULES  # noqa: PLC0415 - its venue only

    exchange = _account(market, balance, RULES)
    return Opened(HyperliquidSandbox(market, exchange).app, exchange)


def _hyperliquid_keys() -> list[str]:
    """Return what a client of the Hyperliquid sandbox signs with, as environment."""
    from brokers.sandbox.hyperliquid_door import AGENT_KEY, Door  # noqa: PLC0415 - its venue only

    door = Door()
    return [
        f"agent wallet {door.agent} of {door.master}, throw-away, known to everybody:",
        f"LAPTOP_AGENTS_HYPERLIQUID_WALLET={AGENT_KEY}",
        f"LAPTOP_AGENTS_HYPERLIQUID_ADDRESS={door.master}",
    ]


VENUES: Final[Mapping[str, Venue]] = {
    "binance": Venue(
        (
            "rest_url=http://{at}",
            "public_url=ws://{at}/public",
            "market_url=ws://{at}/market",
            "private_url=ws://{at}/private",
            "spot_url=http://{at}",
        ),
        _binance,
        _binance_keys,
    ),
    "bitunix": Venue(
        (
            "rest_url=http://{at}",
            "public_url=ws://{at}/public/",
            "private_url=ws://{at}/private/",
        ),
        _bitunix,
        _bitunix_keys,
    ),
    "hyperliquid": Venue(
        ("rest_url=http://{at}", "ws_url=ws://{at}/ws"), _hyperliquid, _hyperliquid_keys
    ),
}
