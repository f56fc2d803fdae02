"""A long day at the venue from one seed: every kind of event and order, good and bad."""

import random
from collections.abc import Iterator
from decimal import Decimal
from typing import Any

from tests.brokers.paper.desk import (
    BUY,
    FOK,
    GTC,
    IOC,
    MS,
    SELL,
    START_NS,
    STOP,
    TAKE_PROFIT,
    TRAILING,
    Desk,
)

Step = tuple[str, tuple[Any, ...], dict[str, Any]]


def steps(seed: int, count: int) -> Iterator[Step]:
    """Yield (method of `Desk`, positional, keyword)."""
    rng = random.Random(seed)  # noqa: S311 - reproducible on purpose
    mid, sequence = 1000, 1
    for at in range(count):
        mid += rng.choice((-1, 0, 1))
        side = rng.choice((BUY, SELL))
        kind = rng.randrange(12)
        if kind < 4:
            yield "quote", (mid, mid + 1, rng.randrange(1, 20), rng.randrange(1, 20)), {}
        elif kind == 4:
            yield "trade", (side, mid + rng.randrange(-1, 3), rng.randrange(1, 30)), {}
        elif kind == 5:
            sequence += 1
            levels = tuple((mid - n, rng.randrange(0, 20)) for n in range(4))
            offers = tuple((mid + 1 + n, rng.randrange(0, 20)) for n in range(4))
            previous = sequence - 1 if rng.random() < 0.95 else sequence + 7
            fields = {"first_seq": sequence, "last_seq": sequence, "prev_seq": previous}
            is_snapshot = rng.random() < 0.2
            yield "depth", (levels, offers), {**fields, "is_snapshot": is_snapshot}
        elif kind == 6:
            due_ns = START_NS + (at // 50 * 50 + 50) * MS
            yield "funding", (f"{mid / 10}", f"0.000{rng.randrange(9)}", due_ns), {}
        elif kind == 7:
            yield "cancel", (f"o{rng.randrange(1, at + 2)}",), {}
        elif kind == 8:
            target = f"o{rng.randrange(1, at + 2)}"
            yield "amend", (target, mid + rng.randrange(-4, 4), rng.randrange(0, 30)), {}
        elif kind == 9:
            conditional = rng.choice((STOP, TAKE_PROFIT, TRAILING))
            trail = Decimal(50) if conditional is TRAILING else None
            fields = {"type": conditional, "trigger": mid + rng.randrange(-5, 6)}
            yield "place", (side, rng.randrange(1, 30)), {**fields, "trail_bps": trail}
        else:
            ticks = rng.choice((0, mid + rng.randrange(-3, 5)))
            fields = {"tif": rng.choice((GTC, GTC, IOC, FOK)), "reduce_only": rng.random() < 0.2}
            fields["post_only"] = bool(ticks) and fields["tif"] is GTC and rng.random() < 0.4
            yield "place", (side, rng.randrange(1, 30), ticks), fields
        if at % 3 == 0:
            yield "wait", (rng.random() * 10,), {}


def play(desk: Desk, script: list[Step]) -> Desk:
    """Do all of it."""
    for method, arguments, fields in script:
        getattr(desk, method)(*arguments, **fields)
    return desk
