"""What a simulated session leaves for the checker: bytes, numbers and words, no engine types."""

from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True)
class Evidence:
    """One life of a session, from its first event to its end."""

    seed: int
    journal: bytes
    """`events.jsonl` as it stands at the end."""
    prefixes: tuple[bytes, ...]
    """What was on the disk, in whole lines, at each crash before."""
    venue: tuple[dict[str, Any], ...]
    """Requests and facts in the order the venue saw them."""
    tags: tuple[str, ...]
    """How sound each event of the feed was, in the order they were offered."""
    calm_ns: int
    """When the last fault may begin."""
    report: dict[str, Any] | None
    """`final_report.json`, numbers as text; None when there is none."""
    logged_transitions: int
    """Lines `fsm_transition` of session.log."""
    has_disk_failed: bool
    error: str = ""
    """The trace of an exception nobody expected."""
