"""What must hold after every drill: nothing is left at the venue, and both sides tell the same."""

from collections import Counter
from collections.abc import Iterator
from decimal import Decimal
from pathlib import Path
from typing import Any

import msgspec

from engine.model.errors import JournalDamaged
from engine.session.journal_reader import read_journal
from laptop_agents.drill_stage import Stage
from laptop_agents.drills import Drill, Finding, working

Deal = tuple[str, Decimal, Decimal]
"""A trade's name, price and quantity."""


def prove(stage: Stage, drill: Drill, code: int) -> Iterator[Finding]:
    """Hold the venue's ledger against the journal."""
    wanted = " or ".join(map(str, drill.codes))
    yield Finding(code in drill.codes, f"exit code {code} (must be {wanted})")
    left = working(stage)
    yield Finding(not left, f"{len(left)} orders work at the venue")
    held = positions(stage)
    said = ", ".join(f"{qty:f} {symbol}" for symbol, qty in held.items()) or "flat"
    yield Finding(not held, f"position at the venue: {said}")
    try:
        ours = journal_deals(stage) | sentinel_deals(stage)
    except (JournalDamaged, OSError) as error:
        yield Finding(False, f"the journal can't be read: {error}")
        return
    yield agreement(venue_deals(stage), ours)


def agreement(theirs: "Counter[Deal]", ours: "Counter[Deal]") -> Finding:
    """Judge whether both sides know the same trades, each once."""
    differ = (theirs - ours).total() + (ours - theirs).total()
    text = f"{theirs.total()} fills at the venue, {ours.total()} in our records: {differ} differ"
    return Finding(bool(ours) and not differ, text)


def venue_deals(stage: Stage) -> "Counter[Deal]":
    """Return the fills of the venue's ledger."""
    return Counter(
        (str(line["trade_id"]), Decimal(line["fill_price"]), Decimal(line["fill_qty"]))
        for line in stage.told("fill")
    )


def journal_deals(stage: Stage) -> "Counter[Deal]":
    """Return the fills of the journal, whose chain is proven by reading it.

    Raises:
        JournalDamaged: It was changed.
        OSError: It can't be read.
    """
    return Counter(_deals(stage.run / "events.jsonl", "fill"))


def sentinel_deals(stage: Stage) -> "Counter[Deal]":
    """Return the fills that the sentinel saw or made, each once: the engine may be dead by then.

    Raises:
        JournalDamaged: See `journal_deals`.
        OSError: The same.
    """
    path = stage.run / "sentinel.jsonl"
    return Counter(set(_deals(path, "venue_fill"))) if path.exists() else Counter()


def _deals(path: Path, kind: str) -> Iterator[Deal]:
    for line in read_journal(path):
        if line.type == kind:
            fill: dict[str, Any] = msgspec.json.decode(line.data)
            yield str(fill["trade_id"]), Decimal(fill["price"]), Decimal(fill["qty"])


def positions(stage: Stage) -> dict[str, Decimal]:
    """Return what the venue's fills add up to, where that is not zero."""
    held: dict[str, Decimal] = {}
    for line in stage.told("fill"):
        sign = 1 if line["side"] == "BUY" else -1
        held[line["symbol"]] = held.get(line["symbol"], Decimal(0)) + sign * Decimal(
            line["fill_qty"]
        )
    return {symbol: qty for symbol, qty in held.items() if qty}
