"""What clients and sessions say to each other.

A client says `Hello` and is answered `Welcome` or `Refused`. Then it may `Ask`, each answered by
one `Outcome`, and if it wants them it gets views (`engine.session.control.views`) until `Farewell`.
"""

from decimal import Decimal
from typing import Final

import msgspec

from engine.model.events import Operator
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
    }
)
"""Commands a person may give; the others are the session's own."""

ARGUMENT_MAX: Final = 80
"""Characters of an argument: an agent's name and a weight, or a typed confirmation."""


class Hello(msgspec.Struct, frozen=True, tag="hello"):
    """The first word of a client."""

    version: int
    client: str
    """What kind it is, `[a-z]{1,16}`: `cli`, `screen`."""
    wants_views: bool = False


class Ask(msgspec.Struct, frozen=True, tag="ask"):
    """A command of the person behind the client."""

    ask_id: int
    """The client's own number; the outcome repeats it."""
    command: Operator
    argument: str = ""


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


class Farewell(msgspec.Struct, frozen=True, tag="farewell"):
    """The session has ended."""

    stop_reason: str
