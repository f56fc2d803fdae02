"""The story of one intent as JSON: `audit why --json`, and what the screen's why shows."""

from collections.abc import Sequence
from typing import Any, NamedTuple

import msgspec

from engine.risk.attentive_gate import Judgement
from engine.session.audit_story import Story, symbol_of
from engine.session.journal_reader import Line
from engine.session.replay import Mismatch
from laptop_agents.audit_words import ascii_json


class Readings(NamedTuple):
    """What the replay added to the story."""

    judgements: Sequence[Judgement]
    mismatch: Mismatch | None
    absence: str
    """Why there are none; empty where there are."""


def as_json(story: Story, readings: Readings, recent: Sequence[Line]) -> str:
    """Return everything that is told, and the instrument's last verdicts, newest first."""
    told: dict[str, Any] = {
        "intent_id": story.intent_id,
        "symbol": symbol_of(story),
        "intents": _lines(story.wishes),
        "consensus": _lines(story.consensus),
        "verdicts": _lines(story.verdicts),
        "judgements": [
            {
                "ts": judged.at_ns,
                "qty": judged.intent.qty,
                "rules": [row._asdict() for row in judged.readings],
                "changes": judged.changes,
                "doubts": judged.doubts,
            }
            for judged in readings.judgements
        ],
        "readings_absent": readings.absence or None,
        "router": _lines(story.routes),
        "aftermath": _lines(story.aftermath),
        "changed_next_by": story.taken_over_by or None,
        "recent_verdicts": _lines(recent),
    }
    return ascii_json(msgspec.json.encode(told))


def _lines(lines: Sequence[Line]) -> list[dict[str, object]]:
    return [
        {"seq": line.seq, "ts": line.ts_ns, "type": line.type, "data": msgspec.Raw(line.data)}
        for line in lines
    ]
