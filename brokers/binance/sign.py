"""How a request to Binance is signed: over the very characters that leave. Pure.

Source: the Binance sheet, section 4.
"""

import hmac
import re
from collections.abc import Iterable
from typing import Final
from urllib.parse import quote

from brokers.link.secret import Secret

Params = tuple[tuple[str, str], ...]
"""Names and values, in the order they leave in."""
_PLAIN: Final = re.compile(r"[A-Za-z0-9_.~-]*")
"""RFC 3986 unreserved characters: what percent-encoding leaves as it is."""


def encoded(params: Iterable[tuple[str, str]]) -> str:
    """Return parameters as they leave: every value percent-encoded, the order kept."""
    return "&".join([f"{name}={_quoted(value)}" for name, value in params])


def _quoted(value: str) -> str:
    return value if _PLAIN.fullmatch(value) else quote(value, safe="")


def signature(text: str, secret: Secret) -> str:
    """Return the lower-case hexadecimal HMAC-SHA256 of what leaves."""
    return hmac.digest(secret.reveal().encode(), text.encode(), "sha256").hex()


def signed(text: str, secret: Secret) -> str:
    """Return parameters with their signature, which must be the last of them."""
    return f"{text}&signature={signature(text, secret)}"
