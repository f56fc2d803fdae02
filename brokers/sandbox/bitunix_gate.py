"""Who may ask the Bitunix sandbox what: test keys, signatures over the exact bytes, clocks. Pure.

Written from the sheet, sections 2 and 7, and not with the adapter's own words: two that agree here
agree on the protocol.
"""

import hashlib
import hmac
from collections.abc import Mapping
from typing import Final, NamedTuple

WRONG_SIGN: Final = (10007, "Signature Error")
SKEW_MAX_MS: Final = 10_000
MS_FROM: Final = 100_000_000_000
"""A login's time from here on is in milliseconds: as seconds it would be the year 5138."""


class TestKey(NamedTuple):
    """A key of the sandbox's one account; no secret anywhere but here."""

    secret: str
    can_trade: bool


KEYS: Final[Mapping[str, TestKey]] = {
    "sandbox-key": TestKey("sandbox-secret", can_trade=True),
    "sandbox-readonly": TestKey("sandbox-readonly-secret", can_trade=False),
}
"""Fixed and printed: they open a sandbox and nothing else."""


class CodeError(Exception):
    """What the venue says instead of data."""

    def __init__(self, code: int, message: str) -> None:
        self.code, self.message = code, message
        super().__init__(f"{code} {message}")


class Sent(NamedTuple):
    """A request as it came over the line."""

    headers: Mapping[str, str]
    query: Mapping[str, str]
    """Values as they were meant, not percent-encoded."""
    body: bytes


def admit(sent: Sent, now_ms: int) -> TestKey:
    """Return the key of a private request.

    Raises:
        CodeError: It is not let in.
    """
    name = sent.headers.get("api-key", "")
    if not name:
        raise CodeError(10003, "api-key can't be empty")
    key = KEYS.get(name)
    nonce, told = sent.headers.get("nonce", ""), sent.headers.get("timestamp", "")
    if key is None or not nonce or not told.isdigit():
        raise _wrong_sign()
    joined = "".join(f"{word}{value}" for word, value in sorted(sent.query.items()) if value)
    right = _twice(f"{nonce}{told}{name}{joined}".encode() + sent.body, key.secret)
    is_late = abs(int(told) - now_ms) > SKEW_MAX_MS
    if is_late or not hmac.compare_digest(right, sent.headers.get("sign", "").encode()):
        raise _wrong_sign()
    return key


def admit_login(args: object, now_ms: int, units: frozenset[str]) -> str:
    """Return why a login is refused; empty where it is taken.

    Args:
        args: The first of the message's.
        now_ms: Now.
        units: `s`, `ms`, or both: what the time may be told in.

    """
    if not isinstance(args, dict):
        return "bad login"
    name, nonce, told = (args.get(word) for word in ("apiKey", "nonce", "timestamp"))
    key = KEYS.get(str(name))
    if key is None or type(told) is not int:
        return "bad login"
    unit, told_ms = ("ms", told) if told >= MS_FROM else ("s", told * 1_000)
    right = _twice(f"{nonce}{told}{name}".encode(), key.secret)
    is_right = hmac.compare_digest(right, str(args.get("sign")).encode())
    if unit not in units or not is_right or abs(told_ms - now_ms) > SKEW_MAX_MS:
        return "sign error"
    return ""


def _twice(content: bytes, secret: str) -> bytes:
    inner = hashlib.sha256(content).hexdigest()
    return hashlib.sha256((inner + secret).encode()).hexdigest().encode()


def _wrong_sign() -> CodeError:
    return CodeError(*WRONG_SIGN)
