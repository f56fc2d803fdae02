"""Who may ask a Binance sandbox what: test keys, their permissions, signatures, clocks. Pure.

The signature covers the query string and the body, byte for byte as they were sent, joined without
anything between them; it is the last parameter of whichever part it stands in.
Source: the Binance sheet, sections 4, 7 and 9.
"""

import hashlib
import hmac
from collections.abc import Mapping
from enum import Enum
from typing import Final, NamedTuple

from brokers.sandbox.binance_codes import ApiError, missing
from brokers.sandbox.binance_params import Params

RECV_WINDOW_MS: Final = 5_000
RECV_WINDOW_MAX_MS: Final = 60_000
AHEAD_MAX_MS: Final = 1_000
"""How far a client's clock may be ahead of the venue's."""
KEY_LENGTH_MAX: Final = 128


class Access(Enum):
    """What a request needs."""

    OPEN = "open"
    KEY = "key"
    """The key alone: listen keys."""
    READ = "read"
    """Key and signature."""
    TRADE = "trade"
    """The same, of a key that may trade."""


class TestKey(NamedTuple):
    """A key of the sandbox's one account; no secret anywhere but here."""

    secret: str
    can_trade: bool
    can_withdraw: bool


KEYS: Final[Mapping[str, TestKey]] = {
    "sandbox-key": TestKey("sandbox-secret", can_trade=True, can_withdraw=False),
    "sandbox-readonly": TestKey("sandbox-readonly-secret", can_trade=False, can_withdraw=False),
    "sandbox-withdraw": TestKey("sandbox-withdraw-secret", can_trade=True, can_withdraw=True),
}
"""Fixed and printed: they open a sandbox and nothing else."""


class Sent(NamedTuple):
    """The signed parts of a request as they came over the line."""

    key: str
    query: str
    body: str


def admit(access: Access, sent: Sent, params: Params, now_ms: int) -> TestKey | None:
    """Return the key that a request came with; None where none is needed.

    Raises:
        ApiError: It is not let in.
    """
    if access is Access.OPEN:
        return None
    if not sent.key or len(sent.key) > KEY_LENGTH_MAX:
        raise ApiError(-2014, "API-key format invalid.", 401)
    key = KEYS.get(sent.key)
    if key is None:
        raise not_allowed()
    if access is not Access.KEY:
        _check_time(params, now_ms)
        _check_signature(key, sent, params)
    if access is Access.TRADE and not key.can_trade:
        raise not_allowed()
    return key


def _check_time(params: Params, now_ms: int) -> None:
    sent_ms, window_ms = params.integer("timestamp"), params.integer("recvWindow", RECV_WINDOW_MS)
    if sent_ms is None:
        raise missing("timestamp")
    assert window_ms is not None, "it has a default"
    if window_ms > RECV_WINDOW_MAX_MS:
        raise ApiError(-1131, "recvWindow must be less than 60000")
    if sent_ms > now_ms + AHEAD_MAX_MS:
        raise ApiError(
            -1021, f"Timestamp for this request was {AHEAD_MAX_MS}ms ahead of the server's time."
        )
    if sent_ms < now_ms - window_ms:
        raise ApiError(-1021, "Timestamp for this request is outside of the recvWindow.")


def _check_signature(key: TestKey, sent: Sent, params: Params) -> None:
    claimed = params.need("signature")
    covered = _without(sent.query, claimed) + _without(sent.body, claimed)
    right = hmac.new(key.secret.encode(), covered.encode(), hashlib.sha256).hexdigest()
    if not hmac.compare_digest(right.encode(), claimed.encode()):
        raise ApiError(-1022, "Signature for this request is not valid.")


def _without(part: str, signature: str) -> str:
    """Return a part without the signature at its end."""
    last = f"signature={signature}"
    return part.removesuffix(f"&{last}") if part != last else ""


def not_allowed() -> ApiError:
    """Return what is said of a key that is not known, or may not do this, or not from here."""
    return ApiError(-2015, "Invalid API-key, IP, or permissions for action.", 401)
