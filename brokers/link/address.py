"""Where keys may be sent: over TLS, or in the open to this very machine. Pure.

A setting decides where a venue is, for sandboxes have other addresses. It must not be able to make
a session show its key, its orders or its stream to whoever is on the way (reliability.md F7).
"""

import ipaddress
from typing import Final
from urllib.parse import urlsplit

from engine.model.errors import UsageError

ENCRYPTED: Final = frozenset({"https", "wss"})
OPEN: Final = frozenset({"http", "ws"})


def guarded(setting: str, url: str) -> str:
    """Return an address that a key may be sent to.

    Args:
        setting: What the address is called, for the refusal, which does not repeat it.
        url: The address.

    Raises:
        UsageError: It is none, is neither encrypted nor on this machine, or holds a password.

    """
    try:
        parts = urlsplit(url)
        host, _ = parts.hostname or "", parts.port
    except ValueError:
        host = ""
    if not host or parts.scheme not in ENCRYPTED | OPEN or not url.isprintable() or " " in url:
        raise UsageError(f"{setting} is no address")
    if "@" in parts.netloc or parts.query or parts.fragment:
        raise UsageError(f"{setting} must be a host and a path, nothing else")
    if parts.scheme in OPEN and not is_this_machine(host):
        raise UsageError(f"{setting} must begin https:// or wss://: keys are sent there")
    return url


def is_this_machine(host: str) -> bool:
    """Whether a host is a loopback address or `localhost`."""
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"
