"""What a ticket shows: the form, what would become of it, and whether it can be sent. Pure."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from decimal import Decimal
from textwrap import wrap
from typing import Final, NamedTuple

from engine.model.operators import TRIGGERED
from engine.model.orders import MARKET, Side
from engine.model.prospect import Costs, LimitReading, Prospect
from engine.session.control.views import MarketFace, View
from tui import format as fmt
from tui.pane import Cell, Row
from tui.ticket.form import Form, market_of
from tui.ticket.reading import Reading

LABEL: Final = 13
REASON: Final = 58
"""Cells of a line of a reason, beside its label."""
LIMITS_SHOWN: Final = 3
"""Limits that are told, the closest first."""
LABELS: Final = {"tif": "TIF", "post_only": "post-only", "reduce_only": "reduce-only"}
KEYS: Final = " tab field  up/down step  % of equity, q of quote  enter {enter}  esc close"


def title(form: Form, mode: str) -> str:
    """Return the first line: mode, what, of what."""
    what = f"AMEND {form.amends}" if form.amends else f"{form.side} TICKET"
    return f"{mode}  {what}  {fmt.text(form.symbol, 20)}"


class Face(NamedTuple):
    """What is known of the order on a ticket."""

    mode: str
    problem: str
    """Why it can't be sent; empty where it can."""
    prospect: Prospect | None
    enter: str = "review"
    """What that key does."""


def ticket(form: Form, reading: Reading, view: View, face: Face) -> list[Row]:
    """Return a ticket from its mode to its keys."""
    side = "bid" if form.side is Side.BUY else "ask"
    market = market_of(form, view.markets)
    return [
        [Cell(f" {title(form, face.mode)}", f"{side} bold"), *_touch(market)],
        *(_field(form, name, reading, market) for name in form.fields),
        *verdict_rows(face.problem, face.prospect),
        *(outlook(face.prospect, market) if face.prospect else ()),
        [Cell(KEYS.format(enter=face.enter), "dim")],
    ]


def _touch(market: MarketFace | None) -> Row:
    if market is None:
        return []
    bid, ask = (fmt.price(price, market.tick_size) for price in (market.bid, market.ask))
    return [Cell(f"   {bid} / {ask}", "dim")]


def _field(form: Form, name: str, reading: Reading, market: MarketFace | None) -> Row:
    is_focused = form.focus == name
    label = f"{'>' if is_focused else ' '} {LABELS.get(name, name):<{LABEL}}"
    value = VALUES[name](form) if name in VALUES else _typed(form, name)
    look = "focus bold" if is_focused else "text"
    return [
        Cell(label, look if is_focused else "dim"),
        Cell(value, look),
        *_aside(form, name, reading, market),
    ]


def _typed(form: Form, name: str) -> str:
    text = getattr(form, name)
    if name == "price" and form.type is MARKET:
        return "at market"
    return f"{text}{'_' if form.focus == name else ''}"


def _aside(form: Form, name: str, reading: Reading, market: MarketFace | None) -> Row:
    """Return what a share or an amount comes to, and what a price means."""
    if name == "qty" and reading.qty is not None and market is not None and form.qty[-1:] in "%q":
        return [Cell(f"  = {fmt.quantity(reading.qty, market.lot_size)}", "dim")]
    if name == "price" and form.type in TRIGGERED:
        return [Cell("  trigger", "dim")]
    return []


VALUES: Final[Mapping[str, Callable[[Form], str]]] = {
    "symbol": lambda form: f"< {fmt.text(form.symbol, 20)} >",
    "side": lambda form: f"< {form.side} >",
    "type": lambda form: f"< {form.type} >",
    "tif": lambda form: f"< {form.tif} >",
    "post_only": lambda form: f"[{'x' if form.post_only else ' '}]",
    "reduce_only": lambda form: f"[{'x' if form.reduce_only else ' '}]",
}
"""Fields that are chosen, not typed."""


def verdict_rows(problem: str, prospect: Prospect | None) -> list[Row]:
    """Return whether it could be sent now, or why not, whole: a limit's figures are never cut."""
    if problem:
        first, *others = wrap(problem, REASON)
        look = "danger bold"
        return [
            [Cell(f"  {'NOT NOW':<{LABEL}}{first}", look)],
            *([Cell(f"  {'':<{LABEL}}{line}", look)] for line in others),
        ]
    route = prospect.verdict.route if prospect else ""
    return [[Cell(f"  {'GATE OK':<{LABEL}}{route}", "ok bold")]]


def outlook(prospect: Prospect, market: MarketFace | None) -> Iterable[Row]:
    """Yield what the order would cost and leave."""
    costs, after = prospect.costs, prospect.after
    lot = market.lot_size if market else Decimal(1)
    tick = market.tick_size if market else Decimal(1)
    fees = f"fee {fmt.paid(costs.fee)}, worst {fmt.paid(costs.worst_fee)}"
    yield _line("notional", f"{fmt.money(costs.notional)}   {fees}")
    yield _line("slippage", _slippage(costs, lot, tick))
    yield _line(
        "position",
        f"{fmt.position(after.position_before, lot)} -> {fmt.position(after.position, lot)}"
        f"   own {fmt.position(after.own, lot)}",
    )
    yield _line(
        "margin",
        f"{fmt.money(after.margin)} of {fmt.money(after.equity)}"
        f"   liquidation {fmt.price(after.liquidation_price, tick)}",
    )
    yield _line("limits", limits(prospect.verdict.readings))
    if prospect.verdict.crosses:
        crossed = ", ".join(fmt.text(name, 16) for name in prospect.verdict.crosses[:3])
        yield [Cell(f"  {'crosses own':<{LABEL}}{crossed}", "warn")]


def _line(label: str, text: str) -> Row:
    return [Cell(f"  {label:<{LABEL}}", "dim"), Cell(text)]


def _slippage(costs: Costs, lot: Decimal, tick: Decimal) -> str:
    if costs.slippage_bps is None:
        return "nothing trades at once"
    unseen = f", {fmt.quantity(costs.unseen_qty, lot)} beyond the book" if costs.unseen_qty else ""
    return (
        f"{fmt.bps(costs.slippage_bps)} bps expected, {fmt.bps(costs.worst_slippage_bps)} worst at"
        f" {fmt.price(costs.worst_price, tick)}, takes {fmt.quantity(costs.taken_qty, lot)}{unseen}"
    )


def limits(readings: Sequence[LimitReading]) -> str:
    """Return the limits that come closest, with how much of each would be used."""
    shares = [(share, row) for row in readings if (share := used(row)) is not None]
    shares.sort(key=lambda pair: -pair[0])
    words = (f"{row.setting.removeprefix('max_')} {share:.0%}" for share, row in shares)
    return "  ".join(list(words)[:LIMITS_SHOWN]) or "-"


def used(row: LimitReading) -> float | None:
    """Return the share of a limit that would be used; None where it has no such figure."""
    if row.passed is None or not row.setting:
        return None
    limit, reading = _figure(row.limit), _figure(row.reading)
    return float(reading / limit) if limit and reading is not None else None


def _figure(text: str) -> Decimal | None:
    head = text.split(" ", maxsplit=1)[0]
    return Decimal(head) if head.replace(".", "", 1).isdecimal() and head.isascii() else None
