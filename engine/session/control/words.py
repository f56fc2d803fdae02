"""What clients and sessions say to each other.

A client says `Hello` and is answered `Welcome` or `Refused`. Then it may `Ask`, each answered by
one `Outcome`, and `Consider`, answered by `Foretold`; and if it wants them it gets views
(`engine.session.control.views`) until `Farewell`. A screen that closes on purpose says `Leave`.
"""

from decimal import Decimal
from typing import Final

import msgspec

from engine.model.events import Operator
from engine.model.prospect import Prospect
from engine.model.words import Word

ASKABLE: Final = frozenset(
    {
        Operator.PAUSE,
        Operator.RESUME,
        Operator.REDUCE_ONLY,
        Operator.FLATTEN,
        Operator.STOP,
        Operator.KILL,
        Operator.RESET,
        Operator.PAUSE_AGENT,
        Operator.RESUME_AGENT,
        Operator.WEIGH_AGENT,
        Operator.PLACE_ORDER,
        Operator.AMEND_ORDER,
        Operator.CANCEL_ORDER,
        Operator.CANCEL_SYMBOL,
        Operator.CANCEL_ALL,
        Operator.FLATTEN_SYMBOL,
        Operator.TAKE_CONTROLS,
    }
)
"""Commands a person may give; the others are the session's own."""

ARGUMENT_MAX: Final = 200
"""Characters of an argument: an agent's name and a weight, or a typed confirmation."""


class Hello(msgspec.Struct, frozen=True, tag="hello"):
    """The first word of a client."""

    version: int
    client: str
    """What kind it is, `[a-z]{1,16}`: `cli`, `screen`, `watcher`, `lowerer`."""
    wants_views: bool = False


class Ask(msgspec.Struct, frozen=True, tag="ask"):
    """A command of the person behind the client."""

    ask_id: int
    """The client's own number; the outcome repeats it."""
    command: Operator
    argument: str = ""


class Consider(msgspec.Struct, frozen=True, tag="consider"):
    """A question without any effect: what would become of this order?"""

    ask_id: int
    command: Operator
    """`place_order` or `amend_order`."""
    argument: str


class Leave(msgspec.Struct, frozen=True, tag="leave"):
    """The screen closes because somebody wants it to: it is not lost."""


class Welcome(msgspec.Struct, frozen=True, kw_only=True, tag="welcome"):
    """Who the session is; what of it never changes."""

    version: int
    run_id: str
    pid: int
    mode: str
    is_simulated: bool
    source: str
    symbols: tuple[str, ...]
    agents: tuple[str, ...]
    started_at: str
    you: str = ""
    """By what name this client's commands are journalled."""
    controls: str = ""
    """Which screen has the controls, by that name; empty for none."""
    is_watch_only: bool = False
    """Screens of this session may only watch."""
    profile: str = ""


class Refused(msgspec.Struct, frozen=True, tag="refused"):
    """The session won't talk to this client; the connection is closed after it."""

    version: int
    """Of the session."""
    reason: str


class Ruling(Word):
    """What became of a command."""

    DONE = "done"
    UNCHANGED = "unchanged"
    """Journalled; the session was as asked before."""
    REFUSED = "refused"
    """Not possible as the session stands; journalled if it got as far as the kernel."""
    UNCONFIRMED = "unconfirmed"
    """Journalled and begun; what it waits for did not come in time."""


class Outcome(msgspec.Struct, frozen=True, kw_only=True, tag="outcome"):
    """What happened, and how the session stands after it. Sent once its line is on disk."""

    ask_id: int
    command: Operator
    argument: str
    ruling: Ruling
    seconds: float
    """Wall time from the arrival of the command to this outcome."""
    ts_ns: int
    """Event time of the command; 0 if it never reached the kernel."""
    state: str
    reasons: tuple[str, ...]
    orders_canceled: int
    fills: int
    """Since the command, as `orders_canceled`."""
    open_orders: int
    positions: dict[str, Decimal]
    """Signed quantity by symbol; flat ones are left out."""
    equity: Decimal
    detail: str = ""
    """Why it was refused, or how the session ended."""


class Foretold(msgspec.Struct, frozen=True, kw_only=True, tag="foretold"):
    """The answer to `Consider`, at once."""

    ask_id: int
    argument: str
    flaw: str = ""
    """Why there is nothing to look ahead to; empty where there is."""
    prospect: Prospect | None = None


class Farewell(msgspec.Struct, frozen=True, tag="farewell"):
    """The session has ended."""

    stop_reason: str
