"""Why an order can't be sent now, row by row."""

from typing import Any

import pytest

from engine.session.control.words import Foretold
from tests.tui.fixtures import D, prospect, view
from tests.tui.stage import welcome
from tui.link import Glance
from tui.readonly import LOWERER, LOWERS, WATCHER
from tui.ticket.objection import Frozen, Told, objection

ORDER = "BUY 0.020 BTCUSDT LIMIT 67412.3 GTC"
FROZEN = Frozen(ORDER, D("67412.6"), "ACTIVE")
GLANCE = Glance(view=view(), welcome=welcome(you="screen pid=1"))
THEIRS = view(controls="screen pid=2")

ROWS = [
    # the session,                                  its answer,                                    said
    (GLANCE,                                        prospect(),                                    ""),
    (GLANCE,                                        None,                                          "waiting for the engine's verdict"),
    (GLANCE,                                        "no such thing",                               "no such thing"),
    (GLANCE,                                        prospect(is_approved=False, rule="order_size", setting="max_order_notional", limit="50", reading="1348.246"),
                                                    "the gate refuses by order_size: max_order_notional limit 50, reading 1348.246"),
    (GLANCE,                                        prospect(age_ms=2_001),                        "STALE: the quote is 2.0 s old, limit 2.0 s"),
    (GLANCE,                                        prospect(age_ms=None),                         "STALE: the quote never came"),
    (GLANCE,                                        prospect(route="NOOP NO_CHANGE"),              "it would change nothing"),
    (GLANCE,                                        prospect(state="PAUSED"),                      "the state changed from ACTIVE to PAUSED"),
    (GLANCE,                                        prospect(bid=D("66700"), ask=D("66701")),      "the price moved from 67412.6 to 66700.5, more than 100 bps"),
    (GLANCE,                                        prospect(bid=D("66800"), ask=D("66801")),      ""),
    (GLANCE,                                        prospect(bid=None),                            "there is no price any more"),
    (GLANCE,                                        prospect(bid=D(1), ask=D(2), max_deviation_bps=None), ""),
    (GLANCE._replace(view=None),                    prospect(),                                    "there is no session to send to"),
    (GLANCE._replace(view=THEIRS),                  prospect(),                                    "the controls are with screen pid=2: C takes them over"),
    (GLANCE._replace(view=view(controls="screen pid=1")), prospect(),                              ""),
    (GLANCE._replace(client=LOWERER),               prospect(),                                    LOWERS),
    (GLANCE._replace(client=WATCHER),               prospect(),                                    "this screen only watches"),
    (GLANCE._replace(welcome=welcome(is_watch_only=True)), prospect(),                             "this screen only watches"),
    (GLANCE._replace(welcome=welcome(mode="replay")), prospect(),                                  "a replay sends nothing"),
    (GLANCE._replace(age_s=2.1),                    prospect(),                                    "the screen is frozen"),
]  # fmt: skip


@pytest.mark.parametrize(("glance", "answer", "said"), ROWS)
def test_rows(glance: Glance, answer: Any, said: str) -> None:
    """The first that stands against it is told, with its figures."""
    told = None
    if answer is not None:
        flaw = answer if isinstance(answer, str) else ""
        seen = None if flaw else answer
        told = Told(Foretold(ask_id=1, argument=ORDER, flaw=flaw, prospect=seen), 10.0)
    why = objection(glance, ORDER, told, 11.0, FROZEN)

    assert (said in why) if said else not why


@pytest.mark.parametrize(("argument", "at_s"), [("BUY 1 BTCUSDT MARKET IOC", 10.0), (ORDER, 8.9)])
def test_an_answer_to_something_else_or_of_long_ago_is_none(argument: str, at_s: float) -> None:
    """What was judged must be what is sent, and now."""
    told = Told(Foretold(ask_id=1, argument=argument, prospect=prospect()), at_s)

    assert objection(GLANCE, ORDER, told, 11.0)
