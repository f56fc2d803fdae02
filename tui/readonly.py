"""Screens that may not do everything: one only watches, one sends only what lowers risk.

A command that is not allowed never leaves this process; the session would refuse it as well.

Source: tui-expectations sections 6 (classes of actions) and 11 (browser).
"""

from typing import Final

from engine.model.events import Operator

SCREEN: Final = "screen"
WATCHER: Final = "watcher"
"""A screen that never sends."""
LOWERER: Final = "lowerer"
"""A screen that sends only what lowers risk."""
LOWERS_RISK: Final = frozenset(
    {
        Operator.PAUSE,
        Operator.REDUCE_ONLY,
        Operator.FLATTEN,
        Operator.STOP,
        Operator.KILL,
        Operator.PAUSE_AGENT,
        Operator.CANCEL_ORDER,
        Operator.CANCEL_SYMBOL,
        Operator.CANCEL_ALL,
        Operator.FLATTEN_SYMBOL,
    }
)
"""Classes 1 and 2. What is not named here is not sent, also what comes later."""
WATCHES: Final = "this screen only watches"
LOWERS: Final = "this screen only lowers risk: use a terminal of the owner's"


def barred(client: str, command: Operator) -> str:
    """Say why a kind of screen does not send a command; empty where it does."""
    if client == WATCHER:
        return WATCHES
    return LOWERS if client == LOWERER and command not in LOWERS_RISK else ""
