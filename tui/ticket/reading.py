"""What a form says, as the words of an order, or what is missing. Pure; numbers stay exact."""

from decimal import Decimal
from typing import Final, NamedTuple

from engine.model.events import Operator
from engine.model.money import HUNDRED, ROUNDED, ZERO
from engine.model.operators import OPERATOR, AmendTicket, OrderTicket
from engine.model.orders import MARKET, Side
from engine.session.control.views import MarketFace, View
from tui.ticket.form import Form, is_number, market_of

DIGITS_MAX: Final = 12
"""Digits before and after the point that an order's words have room for."""


class Reading(NamedTuple):
    """What would be asked of the session."""

    command: Operator
    argument: str
    """Empty where the form says no order yet."""
    qty: Decimal | None
    flaw: str = ""
    """What is missing; empty where nothing is."""


def read(form: Form, view: View) -> Reading:
    """Return the order a form says."""
    command = Operator.AMEND_ORDER if form.amends else Operator.PLACE_ORDER
    market = market_of(form, view.markets)
    if market is None:
        return Reading(command, "", None, f"{form.symbol} is not traded in this session")
    price = _number(form.price)
    if price is None and form.type is not MARKET:
        return Reading(command, "", None, "a price is missing")
    qty = quantity(form, market, view, price)
    if not qty:
        return Reading(command, "", None, _no_quantity(form))
    if form.amends:
        assert price is not None, "orders at market are never amended"
        return Reading(command, str(AmendTicket(form.amends, qty, price)), qty)
    ticket = OrderTicket(
        form.side,
        qty,
        form.symbol,
        form.type,
        price if form.type is not MARKET else None,
        form.tif,
        form.post_only,
        form.reduce_only,
    )
    return Reading(command, str(ticket), qty)


def quantity(form: Form, market: MarketFace, view: View, price: Decimal | None) -> Decimal | None:
    """Return the size a text means; a share or an amount is rounded down to the lot.

    `25%` is of the equity, or of the operator's own position where the order may only reduce it;
    `500q` is that much quote currency. Both are taken at the ticket's price, else at the touch.
    """
    text = form.qty
    if is_number(text):
        return _number(text)
    amount, unit = _number(text[:-1]), text[-1:]
    if amount is None or unit not in ("%", "q"):
        return None
    if unit == "%" and form.reduce_only:
        return _lots(own_share(form, view) * amount / HUNDRED, market)
    worth = amount if unit == "q" else view.session.equity * amount / HUNDRED
    at = price or (market.ask if form.side is Side.BUY else market.bid)
    return _lots(ROUNDED.divide(worth, at * market.multiplier), market) if at else None


def own_share(form: Form, view: View) -> Decimal:
    """Return the size of the operator's own position."""
    held = next((p for p in view.positions if p.symbol == form.symbol), None)
    return abs(held.shares.get(OPERATOR, ZERO)) if held else ZERO


def _lots(qty: Decimal, market: MarketFace) -> Decimal:
    whole: Decimal = qty // market.lot_size
    return whole * market.lot_size


def _number(text: str) -> Decimal | None:
    if not is_number(text):
        return None
    whole, _, rest = text.partition(".")
    return Decimal(text) if max(len(whole), len(rest)) <= DIGITS_MAX and rest != text else None


def _no_quantity(form: Form) -> str:
    if form.qty.endswith("%") and form.reduce_only:
        return "a quantity is missing: the operator has no position here"
    return "a quantity is missing" if not form.qty else f"{form.qty} is less than one lot, or none"
