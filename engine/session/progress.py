"""Heartbeats on stderr: a progress bar on a terminal, plain or JSON lines anywhere else.

Rule 1: nobody waits for a terminal. `show` and `note` only queue words; a thread of its own writes
        them, so a stopped terminal (Ctrl-S, a stalled SSH) holds up that thread and never the
        engine. What it can't keep up with is dropped, oldest first, and counted.
Rule 2: a closed stderr ends the presentation and nothing else.
Rule 3: the words are made in the caller's thread, whose decimal context is exact.
"""

import threading
from collections import deque
from collections.abc import Callable
from typing import Final, Literal, NamedTuple, TextIO

from engine.reports.view import SessionView
from engine.session.health import HealthReading
from engine.session.heartbeat import heartbeat_block, heartbeat_json, heartbeat_line
from engine.session.sanitize import sanitize
from engine.session.screens import Direct, JsonScreen, LineScreen, RichScreen, Screen

QUEUE_MAX: Final = 1_024
"""Lines waiting for a slow terminal: seventeen minutes, or the burst of a fast simulation."""
NOTE_MAX: Final = 500
"""Characters of a note."""
CLOSE_DEADLINE_S: Final = 1.0
"""How long the end of a session waits for a terminal that does not read."""

Style = Literal["rich", "plain", "json", "quiet"]
Words = Callable[[SessionView, HealthReading], str]


class _Item(NamedTuple):
    text: str
    progress: float | None
    is_note: bool


_WORDS: Final[dict[Style, Words]] = {
    "rich": heartbeat_block,
    "json": heartbeat_json,
    "plain": heartbeat_line,
}


def choose_style(
    stream: TextIO | None, *, is_quiet: bool = False, is_json: bool = False, term: str = ""
) -> Style:
    """Return how to present on `stream`; `term` is the environment's TERM."""
    if is_quiet or stream is None or stream.closed:
        return "quiet"
    if is_json:
        return "json"
    return "rich" if stream.isatty() and term != "dumb" else "plain"


class Progress:
    """Shows heartbeats and notes; every method but `close` returns at once, and none raises."""

    def __init__(self, stream: TextIO | None, style: Style, *, is_color: bool = True) -> None:
        self.dropped = 0
        """Lines a slow terminal missed."""
        self._items: deque[_Item] = deque()
        self._wake = threading.Condition()
        self._is_closing = True
        self._words = _WORDS.get(style)
        if stream is not None and self._words is not None:
            self._is_closing = False
            serve = (_maker(stream, style, is_color=is_color),)
            self._thread = threading.Thread(
                target=self._serve, args=serve, name="progress", daemon=True
            )
            self._thread.start()

    def show(self, view: SessionView, health: HealthReading) -> None:
        """Present one heartbeat."""
        if self._words is not None and not self._is_closing:
            self._put(_Item(self._words(view, health), view.progress, is_note=False))

    def note(self, text: str) -> None:
        """Present one line of words, such as a fallback or an alert."""
        self._put(_Item(sanitize(text, NOTE_MAX), None, is_note=True))

    def close(self) -> None:
        """Write what is queued, give the terminal back, and leave; twice is fine."""
        with self._wake:
            was_open, self._is_closing = not self._is_closing, True
            self._wake.notify()
        if was_open:
            self._thread.join(CLOSE_DEADLINE_S)

    def _put(self, item: _Item) -> None:
        with self._wake:
            if self._is_closing:
                return
            if len(self._items) >= QUEUE_MAX:
                self._items.popleft()
                self.dropped += 1
            self._items.append(item)
            self._wake.notify()

    def _serve(self, make: Callable[[], Screen]) -> None:
        try:
            screen = make()
            while batch := self._take():
                for item in batch:
                    _present(screen, item)
            screen.close()
        except (OSError, ValueError):  # closed or hung up: there is nobody left to tell
            with self._wake:
                self._is_closing = True
                self._items.clear()

    def _take(self) -> list[_Item]:
        with self._wake:
            self._wake.wait_for(lambda: self._items or self._is_closing)
            batch = list(self._items)
            self._items.clear()
            return batch


def _present(screen: Screen, item: _Item) -> None:
    if item.is_note:
        screen.note(item.text)
    else:
        screen.beat(item.text, item.progress)


def _maker(stream: TextIO, style: Style, *, is_color: bool) -> Callable[[], Screen]:
    """Return what makes the screen, in the writer's thread: rich already writes when it starts."""
    match style:
        case "rich":
            return lambda: RichScreen(Direct(stream), is_color=is_color)
        case "json":
            return lambda: JsonScreen(Direct(stream))
        case _:
            return lambda: LineScreen(Direct(stream))
