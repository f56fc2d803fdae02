"""What to say on one line of the venue, and when it is broken though it is open. Pure.

The venue greets first. Then comes the login where the line is private, then the subscription, which
nobody confirms: the first push of each channel is its proof. Pings are messages, their answers too,
so frames alone prove nothing: a line is alive while it brings what was asked for.

Source: sheet sections 4 and 7.
"""

from collections.abc import Callable, Collection
from dataclasses import dataclass
from enum import Enum, auto
from typing import Final

import msgspec

from brokers.bitunix.wire import Head, Told, read_told
from engine.model.text import sanitize

Topic = tuple[str, str]
"""Symbol (empty on a private line) and channel."""
NAMED_MAX: Final = 3
"""Channels a cause names."""
SAID_MAX: Final = 80


@dataclass(frozen=True, slots=True, kw_only=True)
class TalkConfig:
    """How long a line may take."""

    ping_s: float
    greeting_s: float
    first_push_s: float
    silent_after_s: float


class Stage(Enum):
    """How far a connection has come."""

    CLOSED = auto()
    GREETING = auto()
    LOGIN = auto()
    LISTENING = auto()


class Talk:
    """One line's conversation; begins anew with each connection. Times are monotonic seconds."""

    def __init__(
        self,
        config: TalkConfig,
        subscription: str,
        proofs: Collection[Topic] = (),
        login: Callable[[], str] | None = None,
    ) -> None:
        """Prepare.

        Args:
            config: How long what may take.
            subscription: The message.
            proofs: What must bring something soon, and then go on; without any, silence is fine.
            login: Makes the message that logs in; None where nobody has to.

        """
        self._config = config
        self._subscription = subscription
        self._proofs = frozenset(proofs)
        self._login = login
        self._unproven = set(self._proofs)
        self._stage = Stage.CLOSED
        self._since_s = self._pushed_s = self._pinged_s = 0.0
        self.refusal = ""
        """Why the venue did not take the login."""

    @property
    def is_listening(self) -> bool:
        """Whether the subscription has left."""
        return self._stage is Stage.LISTENING

    def begin(self, now_s: float) -> None:
        """Take note of an open connection."""
        self._unproven = set(self._proofs)
        self.refusal = ""
        self._turn(Stage.GREETING, now_s)
        self._pinged_s = now_s

    def end(self) -> None:
        """Take note of a broken one."""
        self._stage = Stage.CLOSED

    def told(self, head: Head, now_s: float) -> list[str]:
        """Take a message that is no push; return what to answer."""
        if head.op == "connect" and self._stage is Stage.GREETING:
            if self._login is None:
                return self._subscribe(now_s)
            self._turn(Stage.LOGIN, now_s)
            return [self._login()]
        if head.op == "login" and self._stage is Stage.LOGIN:
            answer = _told(head)
            if answer.result is True:
                return self._subscribe(now_s)
            self.refusal = sanitize(answer.msg, SAID_MAX) or "login refused"
        return []

    def pushed(self, topic: Topic, now_s: float) -> None:
        """Take note of a push."""
        self._pushed_s = now_s
        self._unproven.discard(topic)

    def due(self, now_s: float, wall_s: float) -> list[str]:
        """Return what to say now; the venue wants Unix seconds."""
        if self._stage is Stage.CLOSED or now_s - self._pinged_s < self._config.ping_s:
            return []
        self._pinged_s = now_s
        return [f'{{"op":"ping","ping":{int(wall_s)}}}']

    def trouble(self, now_s: float) -> str:
        """Return why the line must be given up; empty while it may go on."""
        waited_s = now_s - self._since_s
        match self._stage:
            case Stage.CLOSED:
                return ""
            case Stage.GREETING | Stage.LOGIN if self.refusal:
                return f"login refused: {self.refusal}"
            case Stage.GREETING | Stage.LOGIN:
                is_late = waited_s > self._config.greeting_s
                return f"no answer to {self._stage.name.lower()}" if is_late else ""
            case Stage.LISTENING:
                return self._silence(waited_s, now_s)

    def _silence(self, waited_s: float, now_s: float) -> str:
        if self._unproven and waited_s > self._config.first_push_s:
            names = [" ".join(topic).strip() for topic in sorted(self._unproven)]
            more = f" and {len(names) - NAMED_MAX} more" if len(names) > NAMED_MAX else ""
            return f"nothing came of {', '.join(names[:NAMED_MAX])}{more}"
        if self._proofs and now_s - self._pushed_s > self._config.silent_after_s:
            return f"silent for {self._config.silent_after_s:g} s"
        return ""

    def _subscribe(self, now_s: float) -> list[str]:
        self._turn(Stage.LISTENING, now_s)
        self._pushed_s = now_s
        return [self._subscription]

    def _turn(self, stage: Stage, now_s: float) -> None:
        self._stage, self._since_s = stage, now_s


def subscription(topics: Collection[Topic]) -> str:
    """Return the message that asks for channels."""
    args = [{"symbol": s, "ch": c} if s else {"ch": c} for s, c in topics]
    return msgspec.json.encode({"op": "subscribe", "args": args}).decode()


def _told(head: Head) -> Told:
    try:
        return read_told(head.data)
    except (msgspec.MsgspecError, UnicodeDecodeError):
        return Told()
