"""The arguments of operator commands: text in the journal, read the same way on all its sides."""

import re
from decimal import Decimal
from typing import Final, NamedTuple

from engine.model.orders import OrderType, Side, TimeInForce

OPERATOR: Final = "operator"
"""Owner of what a person orders by hand: an agent like others in books, gate and router."""

TRIGGERED: Final = frozenset({OrderType.STOP, OrderType.TAKE_PROFIT})
"""Types whose one price is a trigger; by hand they only ever close."""
TICKET_TYPES: Final = (OrderType.LIMIT, OrderType.MARKET, OrderType.STOP, OrderType.TAKE_PROFIT)
TICKET_TIFS: Final = {
    OrderType.LIMIT: (TimeInForce.GTC, TimeInForce.IOC, TimeInForce.FOK),
    OrderType.MARKET: (TimeInForce.IOC,),
    OrderType.STOP: (TimeInForce.GTC,),
    OrderType.TAKE_PROFIT: (TimeInForce.GTC,),
}
"""What may be ordered by hand, and how long each may rest; the first is the usual."""

ORDER_WORDS: Final = "SIDE QTY SYMBOL TYPE [PRICE] TIF [post_only] [reduce_only]"
AMEND_WORDS: Final = "ORDER QTY_LEFT PRICE"

_WEIGHT: Final = re.compile(r"0|1|0\.[0-9]{1,4}|1\.0{1,4}", re.ASCII)
"""Four decimals keep every product with a size exact, and are finer than any lot."""
_DIGITS: Final = r"[0-9]{1,12}(?:\.[0-9]{1,12})?"
"""Plain digits; the gate judges what they mean."""
_ORDER: Final = re.compile(
    rf"(BUY|SELL) ({_DIGITS}) (\S{{1,64}}) ({'|'.join(TICKET_TYPES)})(?: ({_DIGITS}))?"
    rf" ({'|'.join(TimeInForce)})( post_only)?( reduce_only)?",
    re.ASCII,
)
_AMEND: Final = re.compile(rf"(\S{{1,64}}) ({_DIGITS}) ({_DIGITS})", re.ASCII)


class AgentWeight(NamedTuple):
    """A share of its size for one agent."""

    agent: str
    weight: Decimal
    """0 to 1."""


class OrderTicket(NamedTuple):
    """An order as a person wrote it."""

    side: Side
    qty: Decimal
    symbol: str
    type: OrderType
    price: Decimal | None
    """The limit, or the trigger of a triggered type; None at market."""
    tif: TimeInForce
    post_only: bool = False
    reduce_only: bool = False

    def __str__(self) -> str:
        """Return the argument that reads as this ticket."""
        price = "" if self.price is None else f" {self.price:f}"
        flags = " post_only" * self.post_only + " reduce_only" * self.reduce_only
        head = f"{self.side} {self.qty:f} {self.symbol} {self.type}"
        return f"{head}{price} {self.tif}{flags}"


class AmendTicket(NamedTuple):
    """What a working order shall be changed to."""

    order_id: str
    qty: Decimal
    """What shall be left to fill."""
    price: Decimal

    def __str__(self) -> str:
        """Return the argument that reads as this ticket."""
        return f"{self.order_id} {self.qty:f} {self.price:f}"


def parsed_weight(argument: str) -> AgentWeight | None:
    """Read `NAME=WEIGHT`; None for anything else."""
    agent, _, text = argument.rpartition("=")
    return AgentWeight(agent, Decimal(text)) if agent and _WEIGHT.fullmatch(text) else None


def parsed_order(argument: str) -> OrderTicket | None:
    """Read `ORDER_WORDS`; None for anything else, and for what no order can be."""
    found = _ORDER.fullmatch(argument)
    if found is None:
        return None
    ticket = OrderTicket(
        Side(found[1]),
        Decimal(found[2]),
        found[3],
        OrderType(found[4]),
        Decimal(found[5]) if found[5] else None,
        TimeInForce(found[6]),
        bool(found[7]),
        bool(found[8]),
    )
    return ticket if _is_possible(ticket) else None


def _is_possible(ticket: OrderTicket) -> bool:
    """Whether type, price, time in force and flags go together."""
    is_market = ticket.type is OrderType.MARKET
    rests = ticket.type is OrderType.LIMIT and ticket.tif is TimeInForce.GTC
    return (
        (ticket.price is None) is is_market
        and ticket.tif in TICKET_TIFS[ticket.type]
        and (rests or not ticket.post_only)
        and (ticket.reduce_only or ticket.type not in TRIGGERED)
    )


def parsed_amend(argument: str) -> AmendTicket | None:
    """Read `AMEND_WORDS`; None for anything else."""
    found = _AMEND.fullmatch(argument)
    return AmendTicket(found[1], Decimal(found[2]), Decimal(found[3])) if found else None
