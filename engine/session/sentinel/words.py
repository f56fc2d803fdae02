"""What the sentinel says on the terminal: one line of cause, deeds and what is left. Pure."""

from collections.abc import Mapping
from typing import Final

import msgspec

from engine.session.sanitize import sanitize
from engine.session.sentinel.act import Deeds
from engine.session.sentinel.triggers import Cause

LINE_MAX: Final = 2_000
"""Characters."""

_CAUSES: Final[Mapping[str, str]] = {
    Cause.KILL_FILE: "the engine did not obey the kill file",
    Cause.DEAF: "the engine's decision loop was silent",
    Cause.GONE: "the engine died",
    Cause.GOODBYE: "the engine ended and left orders",
}


def is_worth_telling(deeds: Deeds) -> bool:
    """Whether a person must know: always, but after a goodbye that left nothing."""
    return deeds.cause != Cause.GOODBYE or bool(deeds.canceled or deeds.left)


def line_of(deeds: Deeds, waited_s: float) -> str:
    """Return the sentence; `waited_s` is how long the cause had stood by then."""
    parts = [_CAUSES[deeds.cause]]
    if deeds.killed_s:
        fate = "killed it" if deeds.is_dead else "sent it SIGKILL, its end was not seen"
        parts.append(f"{fate} after {_ms(waited_s + deeds.killed_s)}")
    parts.append(_canceled(deeds, waited_s))
    parts += [f"closed {_signed(f.side, f.qty)} {f.symbol} at {f.price}" for f in deeds.closed]
    parts.append(_left(deeds))
    parts += ["the run is over for good"] if deeds.is_final else []
    parts += [f"{len(deeds.errors)} errors, the last: {deeds.errors[-1]}"] if deeds.errors else []
    return sanitize("sentinel: " + "; ".join(parts), LINE_MAX)


def json_of(deeds: Deeds, waited_s: float) -> str:
    """Return the same for programs, one object."""
    told = {"type": "sentinel_acted", "waited_s": waited_s, **msgspec.to_builtins(deeds)}
    return msgspec.json.encode(told).decode()


def _canceled(deeds: Deeds, waited_s: float) -> str:
    if deeds.kept:
        return f"{_orders(len(deeds.kept))} kept: go on with --resume"
    if not deeds.canceled or deeds.first_cancel_s is None:
        return "no order had to be canceled"
    last_s = deeds.clear_s if deeds.clear_s is not None else deeds.first_cancel_s
    return f"canceled {_orders(len(deeds.canceled))} by {_ms(waited_s + last_s)}"


def _orders(count: int) -> str:
    return "1 order" if count == 1 else f"{count} orders"


def _left(deeds: Deeds) -> str:
    if deeds.left:
        return "STILL WORKING: " + ", ".join(order.order_id for order in deeds.left)
    if deeds.clear_s is None:
        return "the venue could not be asked: ORDERS MAY STILL WORK"
    held = ", ".join(f"{holding.symbol} {holding.qty:+f}" for holding in deeds.held)
    working = "" if deeds.kept else "nothing works at the venue; "
    if held:
        return f"{working}position stays: {held}"
    return "no position is open" if deeds.kept else "nothing is left"


def _signed(side: str, qty: object) -> str:
    return f"{'+' if side == 'SELL' else '-'}{qty}"


def _ms(seconds: float) -> str:
    return f"{seconds * 1_000:,.0f} ms"
