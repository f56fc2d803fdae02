"""The words in which a journal answers why, as `audit why --json` has them. No Textual here."""

from collections.abc import Callable
from decimal import Decimal
from typing import Any, NamedTuple

import msgspec


class JournalLine(msgspec.Struct, frozen=True):
    """One line of the journal."""

    seq: int
    ts: int
    type: str
    data: dict[str, Any]


class Rule(msgspec.Struct, frozen=True):
    """One rule of the gate as it stood; None where it did not judge."""

    name: str
    setting: str
    limit: str
    reading: str
    passed: bool | None


class Judged(msgspec.Struct, frozen=True):
    """One time the gate was asked."""

    ts: int
    qty: Decimal
    rules: tuple[Rule, ...]
    changes: tuple[str, ...]
    """What would have let it pass, each alone, smallest first."""
    doubts: tuple[str, ...] = ()
    """Why the session, or an instrument of it, was not simply trading then."""


class Told(msgspec.Struct, frozen=True, kw_only=True):
    """The story of one intent."""

    intent_id: str
    symbol: str
    intents: tuple[JournalLine, ...]
    consensus: tuple[JournalLine, ...]
    verdicts: tuple[JournalLine, ...]
    judgements: tuple[Judged, ...]
    readings_absent: str | None
    router: tuple[JournalLine, ...]
    aftermath: tuple[JournalLine, ...]
    changed_next_by: str | None
    recent_verdicts: tuple[JournalLine, ...]


class Reply(NamedTuple):
    """An answer, or why there is none."""

    told: Told | None
    trouble: str = ""


Asked = Callable[[str], Reply]
"""Answers for an order, an intent or an instrument; may take seconds."""


def nobody(_: str) -> Reply:
    """Answer where no journal is at hand."""
    return Reply(None, "this screen has no journal to ask")
