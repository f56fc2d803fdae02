"""An action as it leaves: numbered, signed, and dead after a while. Pure.

Source: the Hyperliquid sheet, sections 4 and 5.
"""

from typing import NamedTuple

import msgspec

from brokers.hyperliquid.actions import request
from brokers.hyperliquid.config import HyperliquidConfig
from brokers.hyperliquid.sign import Action, Signature, Signer


class Nonces:
    """Numbers used once: the time in milliseconds, and one more than the last where that is less.

    One process for each agent wallet: another one would use the same.
    """

    def __init__(self) -> None:
        self._last = 0

    def next(self, now_ms: int) -> int:
        """Return the next."""
        self._last = max(self._last + 1, now_ms)
        return self._last


class Sealed(NamedTuple):
    """A body, and what in it proves whose it is."""

    body: bytes
    signature: Signature


def sealed(
    action: Action, signer: Signer, nonce: int, config: HyperliquidConfig, now_ms: int
) -> Sealed:
    """Return the body that carries an action, signed for now.

    Args:
        action: What to do.
        signer: The wallet that may trade.
        nonce: Never used before.
        config: For whom, and how long it may be under way.
        now_ms: The venue's time.

    """
    wait_ms = round(config.expires_after_s * 1_000)
    expires_ms = now_ms + wait_ms if wait_ms else None
    vault = config.vault.lower() or None
    signature = signer.sign(action, nonce, vault=vault, expires_ms=expires_ms)
    told = request(action, nonce, signature, vault=vault, expires_ms=expires_ms)
    return Sealed(msgspec.json.encode(told), signature)
