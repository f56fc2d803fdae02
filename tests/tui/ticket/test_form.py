"""What keys do to a ticket, and what the ticket then says."""

from dataclasses import replace

import pytest

from engine.model.orders import OrderType, Side, TimeInForce
from tests.tui.fixtures import BTC, ETH, SOL, D, markets, position, view
from tui.ticket.form import Form, at_touch, pressed
from tui.ticket.reading import read

BUY = Form(BTC, Side.BUY, price="67412.3")
LIMIT, MARKET, STOP = OrderType.LIMIT, OrderType.MARKET, OrderType.STOP
IOC = TimeInForce.IOC

KEYS = [
    # before,                              keys,                      what changes
    (BUY,                                  "0 . 0 2",                 {"qty": "0.02"}),
    (BUY,                                  "0 full_stop 5 backspace", {"qty": "0."}),
    (BUY,                                  "2 5 % 9",                 {"qty": "25%"}),
    (BUY,                                  "5 0 0 q q",               {"qty": "500q"}),
    (BUY,                                  "b y enter - e x",         {}),
    (BUY,                                  "up up down",              {"qty": "0.001"}),
    (BUY,                                  "down",                    {"qty": "0.000"}),
    (BUY,                                  "tab up",                  {"focus": "price", "price": "67412.4"}),
    (BUY,                                  "tab ctrl+u",              {"focus": "price", "price": ""}),
    (BUY,                                  "tab %",                   {"focus": "price"}),
    (BUY,                                  "shift+tab right",         {"focus": "type", "type": MARKET, "price": "", "tif": IOC}),
    (BUY,                                  "shift+tab shift+tab space", {"focus": "side", "side": Side.SELL, "price": "67412.9"}),
    (BUY,                                  "ctrl+r",                  {"reduce_only": True}),
    (replace(BUY, focus="tif"),            "right",                   {"tif": IOC}),
    (replace(BUY, focus="post_only"),      "space",                   {"post_only": True}),
    (replace(BUY, focus="post_only", tif=IOC), "space",               {}),
    (replace(BUY, focus="tif", post_only=True), "right",              {"tif": IOC, "post_only": False}),
    (replace(BUY, focus="symbol"),         "right",                   {"symbol": ETH, "price": "3508.11"}),
    (replace(BUY, focus="symbol"),         "left",                    {"symbol": SOL, "price": "151.22"}),
    (replace(BUY, focus="type"),           "right right",             {"type": STOP, "reduce_only": True, "price": "67412.3"}),
    (replace(BUY, focus="reduce_only", type=STOP, reduce_only=True), "space", {}),
    (replace(BUY, amends="operator-1"),    "tab tab ctrl+r",          {}),
    (BUY,                                  " ".join("1" * 30),        {"qty": "1" * 20}),
]  # fmt: skip


@pytest.mark.parametrize(("before", "keys", "changes"), KEYS)
def test_keys(before: Form, keys: str, changes: dict) -> None:
    """Each key does one thing; what means nothing changes nothing."""
    form = before
    for key in keys.split(" "):
        form = pressed(form, key, markets())

    assert replace(before, **changes) == form


def test_a_ticket_starts_at_its_own_side_of_the_touch() -> None:
    """Nobody crosses the spread by opening a ticket."""
    assert "67412.3" == at_touch(Form(BTC, Side.BUY), markets()).price
    assert "67412.9" == at_touch(Form(BTC, Side.SELL), markets()).price


READINGS = [
    # form,                                                  argument, or what is missing
    (replace(BUY, qty="0.02"),                               "BUY 0.02 BTCUSDT LIMIT 67412.3 GTC"),
    (replace(BUY, qty="0.02", post_only=True),               "BUY 0.02 BTCUSDT LIMIT 67412.3 GTC post_only"),
    (replace(BUY, qty="10%"),                                "BUY 0.014 BTCUSDT LIMIT 67412.3 GTC"),
    (replace(BUY, qty="1000q"),                              "BUY 0.014 BTCUSDT LIMIT 67412.3 GTC"),
    (replace(BUY, qty="1000q", type=MARKET, tif=IOC),        "BUY 0.014 BTCUSDT MARKET IOC"),
    (replace(BUY, qty="50%", reduce_only=True),              "BUY 0.010 BTCUSDT LIMIT 67412.3 GTC reduce_only"),
    (replace(BUY, qty="0.02", amends="operator-3"),          "operator-3 0.02 67412.3"),
    (BUY,                                                    "a quantity is missing"),
    (replace(BUY, qty="."),                                  "less than one lot, or none"),
    (replace(BUY, qty="%"),                                  "less than one lot, or none"),
    (replace(BUY, qty="1q"),                                 "less than one lot, or none"),
    (replace(BUY, qty="0"),                                  "less than one lot, or none"),
    (replace(BUY, qty="1" * 13),                             "less than one lot, or none"),
    (replace(BUY, qty="1", price="1."),                      "BUY 1 BTCUSDT LIMIT 1 GTC"),
    (replace(BUY, qty="1", price=""),                        "a price is missing"),
    (replace(BUY, qty="1", symbol="XRP"),                    "XRP is not traded"),
    (Form(ETH, Side.SELL, qty="50%", price="1", reduce_only=True), "the operator has no position here"),
]  # fmt: skip


@pytest.mark.parametrize(("form", "said"), READINGS)
def test_readings(form: Form, said: str) -> None:
    """The words of an order, exact; shares and amounts are rounded down to the lot."""
    held = position(shares={"operator": D("-0.020")})
    reading = read(form, view(positions=(held,)))

    assert said in (reading.argument or reading.flaw)
    assert bool(reading.argument) is not bool(reading.flaw)
