"""Who may act at the Hyperliquid sandbox: signatures, nonces, and a budget for each address.

Source: the Hyperliquid sheet, sections 5 and 7.
"""

from bisect import insort
from decimal import Decimal
from typing import Final

from brokers.hyperliquid.sign import Signature, Signer, connection_id, digest, signer_of
from brokers.link.secret import Secret
from brokers.sandbox.hyperliquid_actions import (
    Action,
    Cancel,
    CancelByCloid,
    Request,
    weight,
)

AGENT_KEY: Final = "0x" + b"laptop-agents sandbox agent key.".hex()
"""Of the throw-away wallet that may trade; anybody can read it here, and it holds nothing."""
MASTER_KEY: Final = "0x" + b"laptop-agents sandbox master key".hex()
NONCES_KEPT: Final = 100
DAY_MS: Final = 86_400_000
START_BUFFER: Final = 10_000
CANCELS_MORE: Final = 100_000
SLOW_MS: Final = 10_000
"""Once the budget is used up, one request in so long."""


class Denied(Exception):
    """A request that is refused as a whole, in the venue's words."""


class Nonces:
    """The highest of one signer."""

    def __init__(self) -> None:
        self._kept: list[int] = []

    def use(self, nonce: int, now_ms: int) -> None:
        """Take a nonce.

        Raises:
            Denied: It was used, is below all that are kept, or far from now.

        """
        if not now_ms - 2 * DAY_MS < nonce < now_ms + DAY_MS:
            raise Denied(f"Invalid nonce: {nonce} is too far from block time {now_ms}")
        is_low = len(self._kept) == NONCES_KEPT and nonce < self._kept[0]
        if nonce in self._kept or is_low:
            raise Denied(f"Invalid nonce: duplicate nonce {nonce}")
        insort(self._kept, nonce)
        del self._kept[:-NONCES_KEPT]


class AddressBudget:
    """How many requests an address may make: one for each USD ever traded, and some to begin."""

    def __init__(self) -> None:
        self.volume = Decimal(0)
        self.used = 0
        self._last_ms = 0

    @property
    def cap(self) -> int:
        """What it may use in all."""
        return START_BUFFER + int(self.volume)

    def spend(self, action: Action, now_ms: int) -> None:
        """Count an action.

        Raises:
            Denied: There is nothing left for it, and it is too soon for another.

        """
        cap = self.cap
        if isinstance(action, Cancel | CancelByCloid):
            cap = min(cap + CANCELS_MORE, 2 * cap)
        if self.used + weight(action) > cap and now_ms - self._last_ms < SLOW_MS:
            raise Denied(
                f"Too many cumulative requests sent ({self.used} > {cap}) for cumulative volume"
                f" traded ${self.volume:.2f}. Place taker orders to free up 1 request per USDC"
                " traded."
            )
        self.used += weight(action)
        self._last_ms = now_ms


class Door:
    """Lets in what the master or its agent signed."""

    def __init__(self) -> None:
        self.master = Signer(Secret(MASTER_KEY), is_mainnet=False).address
        self.agent = Signer(Secret(AGENT_KEY), is_mainnet=False).address
        self.budget = AddressBudget()
        self._nonces = {self.master: Nonces(), self.agent: Nonces()}

    def admit(self, request: Request, now_ms: int) -> None:
        """Check everything that is not about the action itself.

        Raises:
            Denied: With what the venue would answer.

        """
        signer = self._signer(request)
        if request.vault_address is not None:
            raise Denied(f"Vault not registered: {request.vault_address}")
        self._nonces[signer].use(request.nonce, now_ms)
        if request.expires_after is not None and request.expires_after < now_ms:
            raise Denied(f"Request expired: expiresAfter {request.expires_after} < {now_ms}")
        self.budget.spend(request.action, now_ms)

    def _signer(self, request: Request) -> str:
        """Return who signed, for the testnet or, as some clients do wherever they are, the mainnet.

        Raises:
            Denied: Nobody that is known here.

        """
        signature = request.signature
        made = Signature(int(signature.r, 16), int(signature.s, 16), signature.v)
        connection = connection_id(
            request.action, request.nonce, request.vault_address, request.expires_after
        )
        signers = [
            signer_of(digest(connection, is_mainnet=is_mainnet), made)
            for is_mainnet in (False, True)
        ]
        for signer in signers:
            if signer is not None and signer in self._nonces:
                return signer
        raise Denied(f"User or API Wallet {signers[0]} does not exist.")
