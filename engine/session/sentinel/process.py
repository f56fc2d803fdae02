"""The sentinel process from its first line to its last; whoever starts it hands in the venue."""

import gc
import os
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Final

import msgspec

from engine.model.money import use_exact_arithmetic
from engine.session.journal_head import HEAD_NAME, read_head
from engine.session.sentinel.act import Clearing, Deeds
from engine.session.sentinel.page import Page
from engine.session.sentinel.segment import ENDED, HEAD_SEEN, KILL_SEEN, STARTED, Segment
from engine.session.sentinel.segment import NAME as SEGMENT_NAME
from engine.session.sentinel.triggers import Limits
from engine.session.sentinel.watch import EngineProcess, Watch
from engine.session.sentinel.words import is_worth_telling, json_of, line_of
from engine.venue import EmergencyDesk

READY: Final = b"ready\n"
"""What the engine waits for before it may send anything."""


class Brief(msgspec.Struct, frozen=True, kw_only=True):
    """What the engine tells its sentinel at the start: the one command line argument, as JSON."""

    run: str
    """The run folder."""
    engine_pid: int
    page_fd: int
    ready_fd: int
    kill_files: tuple[str, ...]
    grace_s: float
    deaf_after_s: float
    keeps_orders: bool
    """Whether the orders of an engine that died wait for its resume."""
    is_json: bool
    """Whether standard error takes JSON lines alone."""
    has_key: bool = False
    """Whether the account and its key are on standard input: never in arguments or surroundings."""


Conclude = Callable[[Path], int]
"""Writes the final report of a run whose engine can't any more; returns an exit code."""


class Sentinel:
    """One engine's sentinel."""

    def __init__(self, brief: Brief, desk: EmergencyDesk) -> None:
        """Take over.

        Raises:
            JournalDamaged: The run's segment was changed.
            OSError: The page or the segment can't be opened.

        """
        self._brief, self._desk = brief, desk
        self._page = Page(brief.page_fd)
        self._segment = Segment(Path(brief.run) / SEGMENT_NAME)
        self._engine = EngineProcess(brief.engine_pid)
        self._watch = Watch(
            self._engine,
            self._page,
            brief.kill_files,
            Limits(brief.grace_s, brief.deaf_after_s),
            self._on_kill,
        )

    def run(self, conclude: Conclude) -> None:
        """Watch the engine to its end, and do what is left to do then."""
        self._segment.note(STARTED, {"pid": os.getpid(), **msgspec.to_builtins(self._brief)})
        os.write(self._brief.ready_fd, READY)
        os.close(self._brief.ready_fd)
        gc.freeze()
        rule = self._watch.run()
        waited_s = self._watch.waited_s
        clearing = Clearing(
            self._desk,
            self._segment,
            self._page.event_ns,
            keeps_orders=self._brief.keeps_orders,
        )
        deeds = clearing.run(rule, self._engine)
        self._note_head()
        self._segment.note(ENDED, _summary(deeds))
        self._tell(deeds, waited_s)
        self._segment.close()
        if self._segment.failure is not None:
            _say(f"sentinel: {SEGMENT_NAME} could not be written: {self._segment.failure}")
        if rule.response.is_sticky:
            conclude(Path(self._brief.run))

    def _on_kill(self, place: int) -> None:
        self._segment.note(KILL_SEEN, {"path": self._brief.kill_files[place]})

    def _note_head(self) -> None:
        """Keep what the engine had acknowledged, now that its orders are seen to."""
        try:
            head = read_head(Path(self._brief.run) / HEAD_NAME)
        except OSError:  # as good as absent; the resume and `audit verify` tell of that
            head = None
        if head is not None and head.seq:
            self._segment.note(HEAD_SEEN, {"seq": head.seq, "hash": head.hash})

    def _tell(self, deeds: Deeds, waited_s: float) -> None:
        words = json_of if self._brief.is_json else line_of
        if is_worth_telling(deeds):
            _say(words(deeds, waited_s))


def _summary(deeds: Deeds) -> dict[str, object]:
    return {
        "canceled": len(deeds.canceled),
        "closed": len(deeds.closed),
        "left": len(deeds.left),
        "kept": len(deeds.kept),
        "held": {holding.symbol: holding.qty for holding in deeds.held},
        "killed_s": deeds.killed_s,
        "first_cancel_s": deeds.first_cancel_s,
        "clear_s": deeds.clear_s,
        "errors": deeds.errors,
    }


def _say(line: str) -> None:
    """Tell whoever reads; nobody has to."""
    try:
        sys.stderr.write(line + "\n")
        sys.stderr.flush()
    except OSError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stderr.fileno())


def open_sentinel(words: list[str], open_desk: Callable[[Path, bytes], EmergencyDesk]) -> Sentinel:
    """Build a sentinel from its command line.

    Args:
        words: The brief.
        open_desk: Opens the account of a run; what it is given beside stood on standard input.

    Raises:
        LaptopAgentsError: It can't guard this run.
        OSError: The same.

    """
    use_exact_arithmetic()
    brief = msgspec.json.decode(words[0], type=Brief)
    account = sys.stdin.buffer.read() if brief.has_key else b""
    return Sentinel(brief, open_desk(Path(brief.run), account))
