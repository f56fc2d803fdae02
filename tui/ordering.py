"""In which order a pane shows its rows: the columns to sort by, and views sorted by them. Pure.

A pane sorts what it is given before it draws, selects or filters, so that the row a person sees is
the row a key acts on. What no figure is known of stands last either way.
"""

from collections.abc import Sequence
from decimal import Decimal
from operator import attrgetter
from typing import Final, NamedTuple

from msgspec.structs import replace

from engine.session.control.views import View

Columns = tuple[tuple[str, str], ...]
"""Head of a column and the field it shows; `-field` where the column grows as the field falls."""


class Sortable(NamedTuple):
    """What of a view a pane shows as rows, and by what they can be sorted."""

    rows: str
    """A field of the view, or of a part of it: `router.decisions`."""
    columns: Columns
    is_newest_first: bool = False
    """The pane turns them round, a view has the newest last."""


class Sort(NamedTuple):
    """What a person chose; the first state is the pane's own order."""

    column: str = ""
    is_falling: bool = False


OWN: Final = Sort()
SORTABLE: Final[dict[str, Sortable]] = {
    "quotes": Sortable(
        "markets",
        (("SYMBOL", "symbol"), ("BID", "bid"), ("ASK", "ask"), ("MARK", "mark_price"),
         ("FUND%", "funding_rate"), ("AGE", "-priced_ns")),
    ),
    "positions": Sortable(
        "positions",
        (("SYMBOL", "symbol"), ("QTY", "qty"), ("ENTRY", "entry_price"), ("MARK", "mark"),
         ("uPnL", "unrealised"), ("REALISED", "realised"), ("FEES", "-fees"),
         ("FUNDING", "funding")),
    ),
    "orders": Sortable(
        "orders",
        (("S", "side"), ("SYMBOL", "symbol"), ("QTY", "qty"), ("PRICE", "price"),
         ("AGE", "-created_ns"), ("STATE", "state"), ("TYPE", "type"), ("BY", "agent")),
    ),
    "fills": Sortable(
        "fills",
        (("TIME", "ts_ns"), ("S", "side"), ("SYMBOL", "symbol"), ("QTY", "qty"),
         ("PRICE", "price"), ("FEE", "-fee"), ("BY", "agent"), ("ORDER", "order_id")),
        is_newest_first=True,
    ),
    "roundtrips": Sortable(
        "round_trips",
        (("CLOSED", "ts_ns"), ("SYMBOL", "symbol"), ("QTY", "qty"), ("HELD", "duration_s"),
         ("NET", "net_pnl"), ("GROSS", "gross_pnl"), ("SLIPPAGE", "-slippage"), ("BY", "agent")),
        is_newest_first=True,
    ),
    "agents": Sortable(
        "agents",
        (("AGENT", "name"), ("WEIGHT", "weight"), ("REALISED", "realised"),
         ("INTENTS", "intents"), ("ORDERS", "open_orders"), ("FILLS", "fills"), ("FEES", "-fees")),
    ),
    "router": Sortable(
        "router.decisions",
        (("N", "count"), ("DECISION", "decision"), ("REASON", "reason")),
    ),
    "risk": Sortable(
        "breakers",
        (("LIMIT", "name"), ("NOW", "reading"), ("USED", "-headroom"), ("THEN", "action")),
    ),
}  # fmt: skip
"""By the id of a pane; panes that are not here keep their own order: what they show is a sequence
in time, chart, tape and log, or a picture, as book and equity are."""


def ordered(view: View, pane: str, sort: Sort) -> View:
    """Return a view whose rows for this pane stand as a person wants them."""
    sortable = SORTABLE.get(pane)
    field = None if sortable is None else dict(sortable.columns).get(sort.column)
    if sortable is None or field is None:
        return view
    rows = listed(view, sortable)
    by, sign = field.removeprefix("-"), -1 if field.startswith("-") else 1
    known = [row for row in rows if getattr(row, by) is not None]
    known.sort(key=lambda row: _rank(getattr(row, by), sign), reverse=sort.is_falling)
    shown = [*known, *(row for row in rows if getattr(row, by) is None)]
    return _arranged(view, sortable.rows, tuple(shown[:: -1 if sortable.is_newest_first else 1]))


def listed(view: View, sortable: Sortable) -> Sequence[object]:
    """Return the rows as the session has them."""
    rows: Sequence[object] = attrgetter(sortable.rows)(view)
    return rows


def _arranged(view: View, rows: str, shown: tuple[object, ...]) -> View:
    part, _, field = rows.rpartition(".")
    if not part:
        return replace(view, **{field: shown})
    return replace(view, **{part: replace(getattr(view, part), **{field: shown})})


def stepped(pane: str, sort: Sort, by: int) -> Sort:
    """Return the next or the previous column to sort by; past the last is the pane's own order."""
    heads = ["", *(head for head, _ in SORTABLE[pane].columns)] if pane in SORTABLE else [""]
    at = heads.index(sort.column) if sort.column in heads else 0
    return Sort(heads[(at + by) % len(heads)], sort.is_falling)


def is_newest_first(pane: str) -> bool:
    """Say whether new rows come on top."""
    return pane in SORTABLE and SORTABLE[pane].is_newest_first


def _rank(value: object, sign: int) -> tuple[Decimal, str]:
    if isinstance(value, str):
        return Decimal(0), value.casefold()
    assert isinstance(value, Decimal | int | float)
    return sign * Decimal(value), ""
