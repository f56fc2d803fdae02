"""Signs what is sent to Hyperliquid's `/exchange`, and tells who signed. Pure.

An action is msgpacked in the order of its keys, so the same words in another order are another
action: the venue then recovers some random address and says that it does not exist.

Needs the extra `hyperliquid`; whoever imports this has chosen the venue.

Source: the Hyperliquid sheet, section 5, steps 1 to 7.
"""

from collections.abc import Mapping
from typing import Any, Final, NamedTuple

import msgspec
from coincurve import PrivateKey, PublicKey
from Crypto.Hash import keccak

from brokers.link.secret import Secret
from engine.model.errors import CredentialsRefused

Action = Mapping[str, Any] | msgspec.Struct
"""What to do, its keys in the order of the sheet's tables."""

DOMAIN: Final = bytes.fromhex("d79297fcdf2ffcd4ae223d01edaa2ba214ff8f401d7c9300d995d17c82aa4040")
"""Of EIP-712: name "Exchange", version "1", chain 1337, contract 0."""
AGENT_TYPE: Final = bytes.fromhex(
    "26f05c2f7239b6983075e58321292d77b3aa173d19b27257ac96ab362570f508"
)
"""Of `Agent(string source,bytes32 connectionId)`."""
MAINNET, TESTNET = b"a", b"b"
RECOVERY_BASE: Final = 27
ADDRESS_BYTES: Final = 20
KEY_BYTES: Final = 32
NO_VAULT, A_VAULT, EXPIRY = b"\x00", b"\x01", b"\x00"


class Signature(NamedTuple):
    """A recoverable signature."""

    r: int
    s: int
    v: int
    """27 or 28."""

    def words(self) -> dict[str, str | int]:
        """Return it as it is sent: 64 digits each, which the venue reads as numbers."""
        return {"r": f"0x{self.r:064x}", "s": f"0x{self.s:064x}", "v": self.v}


def packed(action: Action) -> bytes:
    """Return an action as msgpack."""
    return msgspec.msgpack.encode(action)


def connection_id(
    action: Action, nonce: int, vault: str | None = None, expires_ms: int | None = None
) -> bytes:
    """Return what an action's signature stands for (steps 1 to 5)."""
    vaulted = NO_VAULT if vault is None else A_VAULT + bytes.fromhex(vault.removeprefix("0x"))
    expiring = b"" if expires_ms is None else EXPIRY + expires_ms.to_bytes(8, "big")
    return _keccak(packed(action) + nonce.to_bytes(8, "big") + vaulted + expiring)


def digest(connection: bytes, *, is_mainnet: bool) -> bytes:
    """Return the 32 bytes that are signed (step 6)."""
    source = _keccak(MAINNET if is_mainnet else TESTNET)
    return _keccak(b"\x19\x01" + DOMAIN + _keccak(AGENT_TYPE + source + connection))


class Signer:
    """One wallet."""

    __slots__ = ("_key", "address", "is_mainnet")

    def __init__(self, wallet: Secret, *, is_mainnet: bool) -> None:
        """Take a private key.

        Raises:
            CredentialsRefused: It is none.

        """
        try:
            secret = bytes.fromhex(wallet.reveal().strip().removeprefix("0x"))
            # A shorter one would be filled up with zeros: another wallet.
            self._key = PrivateKey(secret if len(secret) == KEY_BYTES else b"")
        except ValueError:
            raise CredentialsRefused(
                "the wallet's private key must be 64 hexadecimal digits"
            ) from None
        self.address = address_of(self._key.public_key)
        """0x and 40 small hexadecimal digits."""
        self.is_mainnet = is_mainnet

    def __repr__(self) -> str:
        """Name the wallet, not its key."""
        return f"Signer({self.address})"

    def sign(
        self,
        action: Action,
        nonce: int,
        *,
        vault: str | None = None,
        expires_ms: int | None = None,
    ) -> Signature:
        """Sign an action for one nonce (step 7)."""
        connection = connection_id(action, nonce, vault, expires_ms)
        raw = self._key.sign_recoverable(digest(connection, is_mainnet=self.is_mainnet), None)
        r, s = int.from_bytes(raw[:32], "big"), int.from_bytes(raw[32:64], "big")
        return Signature(r, s, RECOVERY_BASE + raw[64])


def signer_of(digested: bytes, signature: Signature) -> str | None:
    """Return the address that signed a digest; None where nobody can have."""
    try:
        raw = signature.r.to_bytes(32, "big") + signature.s.to_bytes(32, "big")
        recovery = (signature.v - RECOVERY_BASE).to_bytes(1, "big")
        return address_of(PublicKey.from_signature_and_message(raw + recovery, digested, None))
    except Exception:  # noqa: BLE001 - the library raises bare ones
        return None


def address_of(key: PublicKey) -> str:
    """Return the address of a public key."""
    return f"0x{_keccak(key.format(compressed=False)[1:])[-ADDRESS_BYTES:].hex()}"


def _keccak(data: bytes) -> bytes:
    return keccak.new(digest_bits=256, data=data).digest()
