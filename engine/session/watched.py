"""What a resume tells the watch of a real account from lines that it does not run again."""

from collections.abc import Callable, Iterator
from typing import Final

from engine.model.events import JOURNAL_TYPES
from engine.model.sightings import AccountSeen, AccountUnseen
from engine.session.journal_reader import Line, event_of
from engine.venue import AccountWatch

Recall = Callable[[Iterator[Line]], Iterator[Line]]
KINDS: Final[dict[str, type[AccountSeen] | type[AccountUnseen]]] = {
    JOURNAL_TYPES[AccountSeen]: AccountSeen,
    JOURNAL_TYPES[AccountUnseen]: AccountUnseen,
}


def recalling(before: Recall, watch: AccountWatch) -> Recall:
    """Let a watch see what was seen, among those who want the lines that a resume passes over."""

    def recall(lines: Iterator[Line]) -> Iterator[Line]:
        for line in before(lines):
            kind = KINDS.get(line.type)
            if kind is not None:
                watch.recall(event_of(line, kind))
            yield line

    return recall
