"""What a person writes, read the same way by screen, session and replay."""

from decimal import Decimal

import pytest

from engine.model.operators import (
    AmendTicket,
    OrderTicket,
    parsed_amend,
    parsed_order,
)
from engine.model.orders import OrderType, Side, TimeInForce

D = Decimal
GTC, IOC, FOK = TimeInForce
LIMIT, MARKET, STOP, TAKE = (
    OrderType.LIMIT, OrderType.MARKET, OrderType.STOP, OrderType.TAKE_PROFIT,
)  # fmt: skip

ORDERS = [
    # text,                                             means
    ("BUY 0.02 BTCUSDT LIMIT 67412.3 GTC",              OrderTicket(Side.BUY, D("0.02"), "BTCUSDT", LIMIT, D("67412.3"), GTC)),
    ("SELL 1 ETHUSDT LIMIT 3500 GTC post_only",         OrderTicket(Side.SELL, D(1), "ETHUSDT", LIMIT, D(3500), GTC, True)),
    ("SELL 1 E LIMIT 3500 GTC post_only reduce_only",   OrderTicket(Side.SELL, D(1), "E", LIMIT, D(3500), GTC, True, True)),
    ("BUY 1 E LIMIT 3500 FOK reduce_only",              OrderTicket(Side.BUY, D(1), "E", LIMIT, D(3500), FOK, False, True)),
    ("BUY 1 E MARKET IOC",                              OrderTicket(Side.BUY, D(1), "E", MARKET, None, IOC)),
    ("SELL 1 E STOP 9 GTC reduce_only",                 OrderTicket(Side.SELL, D(1), "E", STOP, D(9), GTC, False, True)),
    ("SELL 1 E TAKE_PROFIT 9 GTC reduce_only",          OrderTicket(Side.SELL, D(1), "E", TAKE, D(9), GTC, False, True)),
    ("BUY 0 E MARKET IOC",                              OrderTicket(Side.BUY, D(0), "E", MARKET, None, IOC)),
    ("BUY 1 E MARKET GTC",                              None),
    ("BUY 1 E MARKET 9 IOC",                            None),
    ("BUY 1 E LIMIT GTC",                               None),
    ("BUY 1 E LIMIT 9 IOC post_only",                   None),
    ("SELL 1 E STOP 9 GTC",                             None),
    ("SELL 1 E TRAILING 9 GTC reduce_only",             None),
    ("buy 1 E MARKET IOC",                              None),
    ("BUY -1 E MARKET IOC",                             None),
    ("BUY 1e3 E MARKET IOC",                            None),
    ("BUY NaN E MARKET IOC",                            None),
    ("BUY 1\u0661 E MARKET IOC",                        None),
    ("BUY 1 E LIMIT 1e5 GTC",                           None),
    ("BUY 1  E MARKET IOC",                             None),
    ("BUY 1 E MARKET IOC reduce_only post_only",        None),
    ("BUY 1 E MARKET IOC\n",                            None),
    ("BUY 1 E MARKET DAY",                              None),
    ("",                                                None),
]  # fmt: skip


@pytest.mark.parametrize(("text", "expected"), ORDERS)
def test_parsed_order(text: str, expected: OrderTicket | None) -> None:
    """One spelling for each order, and nothing for what no order can be."""
    assert expected == parsed_order(text)


@pytest.mark.parametrize("ticket", [ticket for _, ticket in ORDERS if ticket])
def test_a_ticket_reads_as_it_is_written(ticket: OrderTicket) -> None:
    """The text on its way to the journal says the same on the way back."""
    assert ticket == parsed_order(str(ticket))


AMENDS = [
    # text,                   means
    ("operator-3 0.02 67412", AmendTicket("operator-3", D("0.02"), D(67412))),
    ("operator-3 0.02",       None),
    ("operator-3 0.02 x",     None),
    (" 0.02 67412",           None),
    ("o 1 2 3",               None),
    ("",                      None),
]  # fmt: skip


@pytest.mark.parametrize(("text", "expected"), AMENDS)
def test_parsed_amend(text: str, expected: AmendTicket | None) -> None:
    """Order, what is left, price."""
    assert expected == parsed_amend(text)
    assert expected is None or parsed_amend(str(expected)) == expected
