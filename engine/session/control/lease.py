"""Who has the controls: of several screens one may raise risk, and every one may lower it. Pure.

Rule 1: a screen is known by what the operating system says of it (`Peer.signature`), so all its
        connections are one screen, and a killed one's lease ends with its connection.
Rule 2: less risk is quick: what lowers risk waits for no lease. A screen that only reads sends
        nothing at all.
Rule 3: a command typed at a shell is its own intention; the lease is between screens.
"""

from typing import Final

from engine.model.events import Operator

RAISING: Final = frozenset(
    {
        Operator.RESUME,
        Operator.RESET,
        Operator.RESUME_AGENT,
        Operator.WEIGH_AGENT,
        Operator.PLACE_ORDER,
        Operator.AMEND_ORDER,
    }
)
"""Commands that may raise risk, and so are the holder's."""
UNBOUND: Final = frozenset({"cli"})
"""Kinds of clients that are no screens."""
READERS: Final = frozenset({"watcher"})
"""Kinds of screens that only watch."""
LOWERERS: Final = frozenset({"lowerer"})
"""Kinds of screens that lower risk, and never have the controls."""
LEASED: Final = RAISING | {Operator.TAKE_CONTROLS}
"""Commands of screens that could have the controls."""


class Lease:
    """At most one holder."""

    def __init__(self, *, is_watch_only: bool = False) -> None:
        self.is_watch_only = is_watch_only
        """No screen of this session may send."""
        self.holder = ""
        """As `by` of commands; empty while nobody has the controls."""

    def admits(self, kind: str) -> bool:
        """Say whether a kind of client could have the controls."""
        return kind not in UNBOUND | READERS | LOWERERS and not self.is_watch_only

    def offer(self, by: str) -> None:
        """Let a screen that may send have free controls."""
        self.holder = self.holder or by

    def take(self, by: str) -> None:
        """Hand the controls over, whoever had them."""
        self.holder = by

    def leave(self, by: str) -> bool:
        """Free the controls of a screen that is gone; say whether it had them."""
        had = self.holder == by
        if had:
            self.holder = ""
        return had

    def bars(self, command: Operator, by: str, kind: str) -> str | None:
        """Say why a client may not give a command; free controls go to whoever asks first."""
        if kind in UNBOUND:
            return None
        if kind in READERS or self.is_watch_only:
            return "this screen only watches"
        if kind in LOWERERS:
            return "this screen only lowers risk" if command in LEASED else None
        if command not in RAISING:
            return None
        self.offer(by)
        if self.holder == by:
            return None
        return f"the controls are with {self.holder}: take them over first"
