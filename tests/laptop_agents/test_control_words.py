"""What a person reads of an outcome: what happened, how long it took, how things stand."""

from decimal import Decimal
from typing import Any

import pytest
from msgspec.structs import replace

from engine.model.events import Operator
from engine.session.control.words import ASKABLE, Outcome, Ruling
from laptop_agents.control_words import DONE, outcome_line, took

PAUSED = Outcome(
    ask_id=1, command=Operator.PAUSE, argument="", ruling=Ruling.DONE, seconds=0.0123, ts_ns=1,
    state="PAUSED", reasons=("OPERATOR_PAUSE",), orders_canceled=2, fills=0, open_orders=0,
    positions={}, equity=Decimal("10012.345"),
)  # fmt: skip

LINES = [
    # changes, what is printed
    ({}, "paused in 12 ms: state PAUSED (OPERATOR_PAUSE), 2 orders canceled, no position, equity 10,012.34"),
    ({"command": Operator.FLATTEN, "seconds": 0.42, "fills": 1, "orders_canceled": 1},
     "flat in 0.4 s: state PAUSED (OPERATOR_PAUSE), 1 order canceled, 1 fill, no position, equity 10,012.34"),
    ({"command": Operator.PAUSE_AGENT, "argument": "trend", "state": "ACTIVE", "reasons": (),
      "open_orders": 1, "positions": {"BTC": Decimal("-0.10"), "ETH": Decimal(2)}},
     "agent paused (trend) in 12 ms: state ACTIVE, 2 orders canceled, 1 order open,"
     " position BTC -0.10, ETH +2, equity 10,012.34"),
    ({"command": Operator.STOP, "state": "STOPPED", "reasons": (), "detail": "operator_stop"},
     "stopped in 12 ms: state STOPPED, ended by operator_stop, 2 orders canceled, no position,"
     " equity 10,012.34"),
    ({"ruling": Ruling.UNCHANGED}, "nothing changed: state PAUSED (OPERATOR_PAUSE)"),
    ({"ruling": Ruling.REFUSED, "detail": "not \x1b[31mnow"}, "refused: not \ufffd[31mnow"),
    ({"ruling": Ruling.UNCONFIRMED, "seconds": 10.04, "open_orders": 3, "orders_canceled": 0},
     "unconfirmed after 10.0 s: state PAUSED (OPERATOR_PAUSE), 0 orders canceled, 3 orders open,"
     " no position, equity 10,012.34"),
    ({"ruling": Ruling.UNCONFIRMED, "seconds": 10.04, "detail": "the session has not taken it yet"},
     "unconfirmed after 10.0 s: the session has not taken it yet; state PAUSED (OPERATOR_PAUSE),"
     " 2 orders canceled, no position, equity 10,012.34"),
    ({"positions": {"B\nTC\x9b": Decimal(1)}, "reasons": ()},
     "paused in 12 ms: state PAUSED, 2 orders canceled, position B\ufffdTC\ufffd +1,"
     " equity 10,012.34"),
]  # fmt: skip


@pytest.mark.parametrize(("changes", "line"), LINES)
def test_outcome_line(changes: dict[str, Any], line: str) -> None:
    """One line, no control characters, no figure without its name."""
    assert line == outcome_line(replace(PAUSED, **changes))


def test_every_command_has_its_word() -> None:
    """A new one fails here until somebody finds it."""
    assert ASKABLE == set(DONE)


@pytest.mark.parametrize(
    ("seconds", "words"), [(0.0, "0 ms"), (0.0996, "100 ms"), (0.1, "0.1 s"), (75.0, "75.0 s")]
)
def test_took(seconds: float, words: str) -> None:
    """Milliseconds up to a tenth of a second."""
    assert words == took(seconds)
