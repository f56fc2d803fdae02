"""How a request to Binance is signed: over the very characters that leave. Pure.

Source: the Binance sheet, section 4.
"""

import hashlib
import hmac
from collections.abc import Iterable
from urllib.parse import quote

from brokers.link.secret import Secret

Params = tuple[tuple[str, str], ...]
"""Names and values, in the order they leave in."""


def encoded(params: Iterable[tuple[str, str]]) -> str:
    """Return parameters as they leave: every value percent-encoded, the order kept."""
    return "&".join(f"{name}={quote(value, safe='')}" for name, value in params)


def signature(text: str, secret: Secret) -> str:
    """Return the lower-case hexadecimal HMAC-SHA256 of what leaves."""
    return hmac.new(secret.reveal().encode(), text.encode(), hashlib.sha256).hexdigest()


def signed(text: str, secret: Secret) -> str:
    """Return parameters with their signature, which must be the last of them."""
    return f"{text}&signature={signature(text, secret)}"
