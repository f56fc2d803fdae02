"""Which keys there are, of which place, how old; of each no more than its last characters. Pure."""

import calendar
import json
import time
from collections.abc import Iterator
from typing import Final, NamedTuple

from laptop_agents.keys import Seen, survey
from laptop_agents.keys_places import Places
from laptop_agents.keys_shape import SHAPES

DAY_S: Final = 86_400


class Row(NamedTuple):
    """A key in a place, or why a place can't say."""

    venue: str
    origin: str
    where: str
    tail: str
    kept_at: str
    """Empty where it is not known."""
    is_used: bool
    trouble: str


def rows(among: Places) -> Iterator[Row]:
    """Yield every key there is, and every place that does not tell."""
    for venue in SHAPES:
        is_first = True
        for seen in survey(venue, among):
            if seen.kept is not None or seen.trouble:
                yield _row(venue, seen, is_used=is_first and seen.kept is not None)
            # A place that is refused is in the way of those behind it, but for the keyring.
            blocks = seen.kept is not None or (seen.trouble and seen.place is not among.keyring)
            is_first = is_first and not blocks


def _row(venue: str, seen: Seen, *, is_used: bool) -> Row:
    kept = seen.kept
    return Row(
        venue,
        seen.place.name,
        seen.place.where(venue),
        kept.credentials.tail if kept else "",
        kept.kept_at if kept else "",
        is_used,
        seen.trouble,
    )


def report(among: Places, now_s: float, *, as_json: bool) -> str:
    """Return the list as text."""
    found = list(rows(among))
    if as_json:
        return json.dumps([row._asdict() for row in found], indent=2)
    keys = [row for row in found if not row.trouble]
    lines = [
        f"{row.venue:<11}  {row.origin:<11}  ...{row.tail:<4}  {age(row.kept_at, now_s):<12}  "
        + ("used" if row.is_used else "not used: another place comes first")
        for row in keys
    ]
    # A keyring or vault that does not tell says the same of every venue.
    troubles = dict.fromkeys((row.origin, row.trouble) for row in found if row.trouble)
    lines += [f"{origin}: {trouble}" for origin, trouble in troubles]
    return "\n".join(lines if keys else ["no keys: `laptop-agents keys set VENUE`", *lines])


def age(kept_at: str, now_s: float) -> str:
    """Say how long ago, in days; of what lies ahead, today."""
    if not kept_at:
        return "age unknown"
    days = int(now_s - calendar.timegm(time.strptime(kept_at, "%Y-%m-%dT%H:%M:%SZ"))) // DAY_S
    return "today" if days < 1 else f"{days} day{'s' * (days > 1)}"
