"""What is sent to a venue and what can come of it; apart from what sends it, which needs a loop."""

from collections.abc import Mapping
from typing import NamedTuple


class Request(NamedTuple):
    """What is to leave, byte for byte: a signature covers it."""

    method: str
    path_and_query: str
    headers: Mapping[str, str]
    body: bytes = b""

    @property
    def target(self) -> str:
        """Path and query, under the name that HTTP has for them."""
        return self.path_and_query


class Reply(NamedTuple):
    """What a venue answered."""

    status: int
    headers: Mapping[str, str]
    """By lower-case name."""
    body: bytes
    sent_ns: int
    """Monotonic."""
    received_ns: int
    """Monotonic."""


class NotSent(NamedTuple):
    """No byte of it left."""

    cause: str


class Unknown(NamedTuple):
    """It may have arrived, and no whole answer did."""

    cause: str


Outcome = Reply | NotSent | Unknown
