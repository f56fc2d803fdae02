"""How a request and a login prove whose they are: plain SHA-256, twice. Pure.

digest = hex(SHA256(nonce + timestamp + key + query + body)), sign = hex(SHA256(digest + secret));
of the query there are the raw keys and values, sorted and joined without anything between them.

Source: sheet sections 2 and 7.
"""

from collections.abc import Mapping
from hashlib import sha256

from brokers.link.secret import Credentials


def query_text(params: Mapping[str, str]) -> str:
    """Return what of a query is signed; parameters without a value are not."""
    return "".join(f"{name}{params[name]}" for name in sorted(params) if params[name])


def digest(key: str, nonce: str, timestamp: str, query: str, body: bytes) -> str:
    """Return the inner hash; it holds nothing secret."""
    return sha256(f"{nonce}{timestamp}{key}{query}".encode() + body).hexdigest()


def sign(
    credentials: Credentials, nonce: str, timestamp: str, query: str = "", body: bytes = b""
) -> str:
    """Return the signature of a request, or of a login, which has neither query nor body.

    Args:
        credentials: Whose.
        nonce: Random.
        timestamp: As sent: milliseconds in a request, seconds or milliseconds in a login.
        query: As `query_text` returns it.
        body: The very bytes that are sent.

    """
    inner = digest(credentials.key, nonce, timestamp, query, body)
    return sha256(f"{inner}{credentials.secret.reveal()}".encode()).hexdigest()
