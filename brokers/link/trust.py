"""Whom a venue's lines believe: the machine's authorities, or one of our own on this very machine.

A sandbox proves itself by a certificate nobody else knows. A setting may name it, and for loopback
alone: an authority of one's own before a real venue is somebody on the way (reliability.md F7).
"""

import ssl
from dataclasses import fields
from typing import TYPE_CHECKING, Protocol
from urllib.parse import urlsplit

from brokers.link.address import is_this_machine
from engine.model.errors import UsageError

if TYPE_CHECKING:
    from _typeshed import DataclassInstance

    class Venue(DataclassInstance, Protocol):
        """Settings of a venue: its addresses, and who vouches for them."""

        @property
        def ca_file(self) -> str:
            """Path of a certificate; empty: the machine's own."""
            ...


def trusted(venue: str, config: "Venue") -> ssl.SSLContext | None:
    """Return what proves a venue's addresses; None stands for the machine's authorities.

    Raises:
        UsageError: An authority of one's own for an address that is not on this machine, or one
            that can't be read.

    """
    if not config.ca_file:
        return None
    for name in (one.name for one in fields(config) if one.name.endswith("_url")):
        url = str(getattr(config, name))
        if url and not is_this_machine(urlsplit(url).hostname or ""):
            raise UsageError(
                f"{venue}.ca_file is for a sandbox on this machine, and {venue}.{name} is elsewhere"
            )
    try:
        return ssl.create_default_context(cafile=config.ca_file)
    except (OSError, ValueError) as error:
        raise UsageError(f"{venue}.ca_file can't be read: {type(error).__name__}") from error
