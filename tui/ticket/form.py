"""What a person has typed into a ticket, half of it perhaps. Pure: a key in, the next form out.

Numbers are kept as typed, so that a resize, a new quote or a wrong letter never loses them.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from decimal import Decimal
from typing import Final

from engine.model.operators import TICKET_TIFS, TICKET_TYPES, TRIGGERED
from engine.model.orders import LIMIT, MARKET, OrderType, Side, TimeInForce
from engine.session.control.views import MarketFace
from tui.format import places

NEW_FIELDS: Final = (
    "symbol", "side", "type", "qty", "price", "tif", "post_only", "reduce_only",
)  # fmt: skip
AMEND_FIELDS: Final = ("qty", "price")
TYPED_MAX: Final = 20
"""Characters of a number; no account has more digits."""
NUMBER_KEYS: Final = frozenset("0123456789.")
QTY_KEYS: Final = frozenset("0123456789.%q")


@dataclass(frozen=True)
class Form:
    """One ticket; `amends` names the order it changes."""

    symbol: str
    side: Side
    type: OrderType = LIMIT
    qty: str = ""
    """`0.02`, `25%` of what is there to use, or `500q` of quote currency."""
    price: str = ""
    tif: TimeInForce = TimeInForce.GTC
    post_only: bool = False
    reduce_only: bool = False
    amends: str = ""
    focus: str = "qty"

    @property
    def fields(self) -> Sequence[str]:
        """What can be changed, in the order of tab."""
        return AMEND_FIELDS if self.amends else NEW_FIELDS


def pressed(form: Form, key: str, markets: Sequence[MarketFace]) -> Form:
    """Return the form after a key; itself where the key means nothing here."""
    if key in MOVES:
        return _moved(form, MOVES[key])
    if key == "ctrl+r" and not form.amends:
        return toggled(form, "reduce_only")
    if form.focus in STEPPERS:
        return STEPPERS[form.focus](form, key, markets)
    step = STEPS.get(key)
    return CHOOSERS[form.focus](form, step, markets) if step else form


MOVES: Final = {"tab": 1, "shift+tab": -1}
STEPS: Final = {"left": -1, "right": 1, "up": 1, "down": -1, "space": 1}


def _moved(form: Form, by: int) -> Form:
    at = form.fields.index(form.focus)
    return replace(form, focus=form.fields[(at + by) % len(form.fields)])


# --- numbers -------------------------------------------------------------------------------------


def _typed(text: str, key: str, allowed: frozenset[str]) -> str:
    if key == "backspace":
        return text[:-1]
    if key == "ctrl+u":
        return ""
    character = NAMED.get(key, key)
    is_taken = character in allowed and len(text) < TYPED_MAX and text[-1:] not in ("%", "q")
    return text + character if is_taken else text


NAMED: Final = {"full_stop": ".", "percent_sign": "%"}
"""Keys by the names a terminal driver gives them."""


def _qty(form: Form, key: str, markets: Sequence[MarketFace]) -> Form:
    market = market_of(form, markets)
    if key in ("up", "down") and market is not None:
        return replace(form, qty=stepped(form.qty, market.lot_size, STEPS[key]))
    return replace(form, qty=_typed(form.qty, key, QTY_KEYS))


def _price(form: Form, key: str, markets: Sequence[MarketFace]) -> Form:
    market = market_of(form, markets)
    if form.type is MARKET:
        return form
    if key in ("up", "down") and market is not None:
        return replace(form, price=stepped(form.price, market.tick_size, STEPS[key]))
    return replace(form, price=_typed(form.price, key, NUMBER_KEYS))


def stepped(text: str, step: Decimal, by: int) -> str:
    """Return a typed number one step up or down, on its grid and never below zero."""
    now = Decimal(text) if is_number(text) else Decimal(0)
    after = max(Decimal(0), (now // step + by) * step)
    return f"{after:.{places(step)}f}"


def is_number(text: str) -> bool:
    """Whether it reads as a plain number."""
    return text.replace(".", "", 1).isdigit() and text.isascii()


STEPPERS: Final[Mapping[str, Callable[[Form, str, Sequence[MarketFace]], Form]]] = {
    "qty": _qty,
    "price": _price,
}

# --- choices -------------------------------------------------------------------------------------


def market_of(form: Form, markets: Sequence[MarketFace]) -> MarketFace | None:
    """Return the market of the ticket's symbol."""
    return next((market for market in markets if market.symbol == form.symbol), None)


def _symbol(form: Form, by: int, markets: Sequence[MarketFace]) -> Form:
    names = [market.symbol for market in markets]
    if form.symbol not in names:
        return form
    chosen = names[(names.index(form.symbol) + by) % len(names)]
    return at_touch(replace(form, symbol=chosen), markets)


def _side(form: Form, _: int, markets: Sequence[MarketFace]) -> Form:
    return at_touch(replace(form, side=form.side.opposite), markets)


def at_touch(form: Form, markets: Sequence[MarketFace]) -> Form:
    """Return the form with the price of its own side of the touch."""
    market = market_of(form, markets)
    touch = None if market is None else market.bid if form.side is Side.BUY else market.ask
    if market is None or touch is None or form.type is MARKET:
        return replace(form, price="")
    return replace(form, price=f"{touch:.{places(market.tick_size)}f}")


def _type(form: Form, by: int, markets: Sequence[MarketFace]) -> Form:
    at = TICKET_TYPES.index(form.type)
    kind = TICKET_TYPES[(at + by) % len(TICKET_TYPES)]
    changed = replace(
        form,
        type=kind,
        tif=TICKET_TIFS[kind][0],
        post_only=False,
        reduce_only=form.reduce_only or kind in TRIGGERED,
    )
    return at_touch(changed, markets) if kind is MARKET or not form.price else changed


def _tif(form: Form, by: int, _: Sequence[MarketFace]) -> Form:
    allowed = TICKET_TIFS[form.type]
    tif = allowed[(allowed.index(form.tif) + by) % len(allowed)]
    return replace(form, tif=tif, post_only=form.post_only and tif is TimeInForce.GTC)


def toggled(form: Form, flag: str) -> Form:
    """Return the form with a flag the other way, where type and time in force allow it."""
    if flag == "post_only":
        can_rest = form.type is LIMIT and form.tif is TimeInForce.GTC
        return replace(form, post_only=can_rest and not form.post_only)
    return replace(form, reduce_only=form.type in TRIGGERED or not form.reduce_only)


CHOOSERS: Final[Mapping[str, Callable[[Form, int, Sequence[MarketFace]], Form]]] = {
    "symbol": _symbol,
    "side": _side,
    "type": _type,
    "tif": _tif,
    "post_only": lambda form, _, __: toggled(form, "post_only"),
    "reduce_only": lambda form, _, __: toggled(form, "reduce_only"),
}
