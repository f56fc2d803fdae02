"""Parts of a view that tell why: wishes and what became of them, fills and what came after.

Every field a session may not know has a default that says so, so that an older session's view can
still be read; None is unknown and never zero.
"""

from decimal import Decimal

import msgspec

from engine.model.orders import Side


class DeedFace(msgspec.Struct, frozen=True, kw_only=True):
    """One wish of an agent and what became of it."""

    ts_ns: int
    intent_id: str
    agent: str
    symbol: str
    slot: str
    side: Side | None
    """None wishes the slot empty."""
    qty: Decimal | None
    price: Decimal | None
    """Limit, else trigger; None for a market order."""
    why: str
    """In the agent's words."""
    outcome: str
    """`PLACE`, `AMEND`, `CANCEL_REPLACE`, `CANCEL` or `NOOP` of the router, `BLOCK` of the gate,
    `WAIT` for a token of the throttle, `OVERRIDDEN` by another agent; empty while undecided."""
    reason: str = ""
    """The router's reason, the gate's rule, the consensus' rationale."""
    limit: str = ""
    reading: str = ""


class OpenTripFace(msgspec.Struct, frozen=True, kw_only=True):
    """A round trip that is still open: one agent's share of a position."""

    trip_id: str
    """The first order of the cycle; the closed round trip lists it first too."""
    agent: str
    opened_ns: int
    mae: Decimal
    """Worst and best mark-to-market profit so far, quote currency, before fees."""
    mfe: Decimal


class FillTrack(msgspec.Struct, frozen=True, kw_only=True):
    """What the market did after one of our fills."""

    symbol: str
    trade_id: str
    markout_bps: tuple[Decimal | None, ...]
    """1, 5 and 30 s later: the mid against the fill's price, in the fill's favor, basis points;
    None before its time, or where no fresh mid was known then."""
    copies: int = 0
    """How often the venue sent it again."""


class StreamFace(msgspec.Struct, frozen=True, kw_only=True):
    """One instrument's data as it arrives."""

    symbol: str
    quote_ns: int
    """Event time of the last admitted message of each kind; 0 before the first."""
    trade_ns: int
    depth_ns: int
    funding_ns: int
    messages: int
    """Admitted since the process began."""
    per_s: float | None
    """Over the last seconds; None before there are two readings."""
    skew_ms: float | None
    """The smallest lag seen: what the venue's clock differs from ours, and the shortest way."""
    refused: dict[str, int]
    """Messages kept out, by flaw."""


class SyncFace(msgspec.Struct, frozen=True, kw_only=True):
    """Our account held against the venue's."""

    interval_s: float | None
    """Between two looks; None never looks."""
    answered_ns: int
    """When a whole answer last came, event time: liveness; 0 before the first."""
    changed_ns: int
    """Venue time of the answer in which the account last changed: freshness; 0 before the first."""
    failures: int
    """Questions in a row without a whole answer."""
    held: dict[str, int]
    """Differences that two answers in a row have shown, by kind, and that cast doubt."""
    foreign: int
    """Orders and positions there that are not ours, and are left alone."""


class AccountFace(msgspec.Struct, frozen=True, kw_only=True):
    """A real account that a shadow session looks at."""

    seen_ns: int
    """Event time of the last look."""
    is_seen: bool
    """No look has failed since."""
    equity: Decimal
    gap: Decimal
    """What it has made since the first look, less what the session has."""
    positions: tuple[tuple[str, Decimal], ...]
    """Open ones, signed."""
