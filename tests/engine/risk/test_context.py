"""What adds risk, case by case: DEGRADED lets through exactly what does not."""

import pytest

from engine.model.orders import OrderState, OrderType
from engine.risk.lifecycle import FsmState
from tests.engine.factories import BUY, ETH, SELL, D, exactly, view
from tests.engine.kernel.rig import Rig, Scripted, limit
from tests.engine.risk.judged import at, context, gate, resting, verdict

exact = pytest.fixture(autouse=True)(exactly)

REDUCE_ONLY = {"reduce_only": True}
HALF_FILLED = {"filled_qty": D(5)}
CASES = [
    # side, qty,  wish,         position, working on our books,                          adds risk?
    (BUY,  "1",   {},           "0",      [],                                            True),
    (SELL, "1",   {},           "0",      [],                                            True),
    (BUY,  "1",   {},           "10",     [],                                            True),
    (SELL, "1",   {},           "-10",    [],                                            True),
    (BUY,  "1",   REDUCE_ONLY,  "0",      [],                                            True),
    (BUY,  "1",   REDUCE_ONLY,  "10",     [],                                            True),
    (SELL, "9",   {},           "10",     [],                                            False),
    (SELL, "10",  {},           "10",     [],                                            False),
    (SELL, "10.001", {},        "10",     [],                                            True),
    (BUY,  "10",  {},           "-10",    [],                                            False),
    (BUY,  "10.001", {},        "-10",    [],                                            True),
    (SELL, "20",  {},           "10",     [],                                            True),
    (SELL, "20",  REDUCE_ONLY,  "10",     [],                                            False),
    (SELL, "6",   {},           "10",     [resting("4", SELL, "1010.0")],                False),
    (SELL, "6.001", {},         "10",     [resting("4", SELL, "1010.0")],                True),
    (SELL, "6",   {},           "10",     [resting("4", SELL, "1010.0", state=OrderState.UNKNOWN)], False),
    (SELL, "6.001", {},         "10",     [resting("4", SELL, "1010.0", state=OrderState.UNKNOWN)], True),
    (SELL, "5",   {},           "10",     [resting("10", SELL, "1010.0", **HALF_FILLED)], False),
    (SELL, "5.001", {},         "10",     [resting("10", SELL, "1010.0", **HALF_FILLED)], True),
    (SELL, "10",  {},           "10",     [resting("4", BUY)],                           False),
]  # fmt: skip


@pytest.mark.parametrize(("side", "qty", "wish", "position", "working", "adds"), CASES)
@pytest.mark.parametrize("price", [None, "1000.0"], ids=["market", "limit"])
def test_row(side, qty: str, wish: dict, position: str, working: list, adds: bool, price) -> None:
    """Reducing is judged after fills of what works already on that side."""
    order = at(qty, price, side, **wish)
    told = {"position": position, "working": working, "state": FsmState.DEGRADED}

    assert ("state" if adds else None) == verdict(gate(), order, **told)
    assert verdict(gate(), order, **told | {"state": FsmState.ACTIVE}) is None


EXIT = {"type": OrderType.STOP, "trigger_price": D("900.0"), "reduce_only": True}
EXITS = [
    # plain sell, exits that work, position
    ("10",        ["10"],          "10"),
    ("6",         ["5"],           "10"),
    ("1",         ["10", "10"],    "10"),
]  # fmt: skip


@pytest.mark.parametrize(("qty", "exits", "position"), EXITS)
def test_a_stop_and_a_plain_exit_together_do_not_flip_the_sign(
    qty: str, exits: list, position: str
) -> None:
    """Two reducing orders: the stop fills first, then the plain one opens the other way."""
    working = [resting(size, SELL, None, **EXIT) for size in exits]
    told = {"position": position, "working": working, "state": FsmState.DEGRADED}

    assert "state" == verdict(gate(), at(qty, None, SELL), **told)


WORST = [
    # side, qty,  wish,        position, own exits: (qty, side),        worst position
    (BUY,  "1",   {},          "5",      [],                            "6"),
    (BUY,  "1",   {},          "5",      [("2", BUY)],                  "6"),
    (SELL, "1",   {},          "5",      [("3", BUY)],                  "4"),
    (SELL, "1",   {},          "5",      [("2", SELL)],                 "2"),
    (SELL, "1",   {},          "5",      [("9", SELL)],                 "-1"),
    (SELL, "1",   {},          "5",      [("2", SELL), ("1", SELL)],    "1"),
    (SELL, "1",   REDUCE_ONLY, "5",      [("2", SELL)],                 "4"),
    (BUY,  "1",   {},          "-5",     [("2", BUY)],                  "-2"),
    (BUY,  "1",   {},          "-5",     [("9", BUY)],                  "1"),
    (SELL, "1",   {},          "-5",     [("2", SELL)],                 "-6"),
    (BUY,  "1",   {},          "0",      [("2", BUY)],                  "1"),
]  # fmt: skip


@pytest.mark.parametrize(("side", "qty", "wish", "position", "exits", "worst"), WORST)
def test_worst_case(side, qty: str, wish: dict, position: str, exits: list, worst: str) -> None:
    """Of our exits only those count that could leave less for this order to reduce."""
    working = [resting(size, of, None, **EXIT) for size, of in exits]
    reading = context(at(qty, None, side, **wish), position=position, working=working)
    reading.judge()

    assert D(worst) == reading.worst


OTHERS = [
    # side, ETH held, its buys, its sells,     gross, net: with 1 BTC at 1000 and ETH at 100
    (BUY,   "0",      "0",      "0",           "1000", "1000"),
    (BUY,   "0",      "3",      "2",           "1300", "1300"),
    (SELL,  "0",      "3",      "2",           "1300", "-1200"),
    (BUY,   "0",      "0",      "2",           "1200", "1000"),
    (SELL,  "0",      "0",      "2",           "1200", "-1200"),
    (BUY,   "1",      "0",      "4",           "1300", "1100"),
    (SELL,  "1",      "2",      "0",           "1300", "-900"),
    (BUY,   "-4",     "1",      "0",           "1400", "700"),
    (SELL,  "-4",     "1",      "2",           "1600", "-1600"),
]  # fmt: skip


@pytest.mark.parametrize(("side", "eth", "buys", "sells", "gross", "net"), OTHERS)
@pytest.mark.parametrize("multiplier", ["1", "0.1"])
def test_exposure(side, eth: str, buys: str, sells: str, gross: str, net: str, multiplier) -> None:
    """Gross takes the worse side of every other instrument, net the side of the wish."""
    of = D(multiplier)
    told = {"eth": eth, "eth_buys": buys, "eth_sells": sells, "market": view(multiplier=of)}
    reading = context(at("1", side=side), **told)
    reading.views = reading.views | {ETH: view(999, 1_001, symbol=ETH, multiplier=of)}
    reading.judge()

    assert (D(gross) * of, D(net) * of) == (reading.gross, reading.net)
    assert (D(1_000) * of, D(1_000) * of) == (reading.notional, reading.worst_notional)


def test_a_flip_is_limited_even_if_the_stop_fills_first() -> None:
    """Long 10 with a stop for 10: a plain sell of 20 may leave 20 short, not 10 (B3)."""
    working = [resting("10", SELL, None, **EXIT)]
    judge = gate(max_position_size=D(10))

    assert "position" == verdict(judge, at("20", None, SELL), position="10", working=working)


def test_exposure_counts_what_works_on_other_instruments() -> None:
    """Two resting buys of 8,991 may both fill: the second is over a gross limit of 10,000 (B3)."""
    rig = Rig(
        Scripted("a"), symbols=("BTC", "ETH"), by_hand=True,
        limits={"max_gross_notional": D(10_000)},
    )  # fmt: skip
    rig.ask("a", limit(BUY, "9", "999.0"), "BTC")
    rig.ask("a", limit(BUY, "9", "999.0", "other"), "ETH")

    assert ["", "portfolio"] == [line["rule"] for line in rig.lines("gate_verdict")]


PRICES = [
    # wish,                                                          passes up to notional
    (at("1", "995.0"),                                               "995"),
    (at("1", None),                                                  "1000.1"),
    (at("1", None, SELL),                                            "999.9"),
    (at("1", None, SELL, type=OrderType.STOP, trigger_price=D("990.0")), "990"),
    (at("1", None, type=OrderType.TRAILING, trail_bps=D(50)),        "1000.1"),
]  # fmt: skip


@pytest.mark.parametrize(("wish", "notional"), PRICES)
def test_price_it_is_judged_at(wish, notional: str) -> None:
    """Its limit or trigger, else the touch it would take."""
    assert verdict(gate(max_order_notional=D(notional)), wish) is None
    assert "order_size" == verdict(gate(max_order_notional=D(notional) - D("0.000001")), wish)
