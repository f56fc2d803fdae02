"""Where a session is in its time: its next beat, its planned end, and the end of its close."""

from dataclasses import dataclass
from typing import Final

from engine.session.checkpoint import ShellState

TIMER_NS: Final = 250_000_000
"""Grid of timer inputs: a stale feed is noticed within its limit plus this."""

NEVER: Final = 2**63 - 1


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """When a session ends, and how much of it may be lost by a power cut."""

    duration_s: float | None
    close_deadline_s: float
    flush_s: float
    sync_s: float
    commit_wait_ms: int
    """Longest time an order waits for its line; a simulated clock waits as long as it takes."""


class Course:
    """What the parts of one session's shell know together; times are event time."""

    __slots__ = ("_plan", "close_by_ns", "deadline_ns", "free_until_ns", "is_catching_up",
                 "is_over", "next_timer_ns", "taken")  # fmt: skip

    def __init__(self, plan: Plan, *, is_catching_up: bool) -> None:
        self._plan = plan
        self.next_timer_ns = 0
        self.deadline_ns = NEVER
        self.close_by_ns = NEVER
        self.free_until_ns = 0
        """Events before this need neither a timer nor a wait first; an answer they may."""
        self.taken = 0
        """Events of the feed taken so far."""
        self.is_over = False
        self.is_catching_up = is_catching_up
        """Whether this is the rerun of an interrupted run, still behind its last line."""

    @property
    def has_begun(self) -> bool:
        """Whether the first market event has set the time."""
        return bool(self.next_timer_ns)

    @property
    def planned_end_ns(self) -> int | None:
        """The announced end; None without a duration."""
        return self.deadline_ns if self._plan.duration_s else None

    @property
    def data_end_margin_ns(self) -> int:
        """How long after the last event the close of a source without more of them may take."""
        return self._close_ns + TIMER_NS

    @property
    def _close_ns(self) -> int:
        return round(self._plan.close_deadline_s * 1e9)

    def begin(self, first_ns: int) -> None:
        """Let the session's time start."""
        self._beat_after(first_ns)
        if self._plan.duration_s is not None:
            self.deadline_ns = first_ns + round(self._plan.duration_s * 1e9)

    def skip(self, now_ns: int, paused_ns: int) -> None:
        """Let it be `now_ns` after a pause, which counts for no deadline."""
        self._beat_after(now_ns)
        self.deadline_ns = min(NEVER, self.deadline_ns + paused_ns)
        self.close_by_ns = min(NEVER, self.close_by_ns + paused_ns)

    def _beat_after(self, now_ns: int) -> None:
        self.next_timer_ns = (now_ns // TIMER_NS + 1) * TIMER_NS

    def free(self, reached_ns: int) -> None:
        """Let what comes before the next instant, and before the clock, need nothing first."""
        self.free_until_ns = min(self.next_timer_ns, self.deadline_ns, reached_ns + 1)

    def is_free(self, now_ns: int) -> bool:
        """Whether a live session has nothing of its own to do first; what others say may be."""
        is_running = self.has_begun and not (self.is_catching_up or self.is_over)
        return is_running and now_ns < min(self.next_timer_ns, self.deadline_ns)

    def ends(self, now_ns: int, *, is_settled: bool) -> bool:
        """Whether the close that was asked for is done, or out of time."""
        self.free_until_ns = 0  # from now on every instant may be the last
        if self.close_by_ns == NEVER:
            self.close_by_ns = now_ns + self._close_ns
        self.is_over = self.is_over or is_settled or now_ns >= self.close_by_ns
        return self.is_over

    def shell(self, span: tuple[int, int | None]) -> ShellState:
        """Return what a checkpoint keeps, beside the session's start and planned end."""
        return ShellState(
            *span,
            next_timer_ns=self.next_timer_ns,
            deadline_ns=self.deadline_ns,
            close_by_ns=self.close_by_ns,
            taken=self.taken,
        )

    def resume(self, shell: ShellState) -> None:
        """Go on from a checkpoint; what the journal has after it is rerun."""
        self.next_timer_ns, self.deadline_ns = shell.next_timer_ns, shell.deadline_ns
        self.close_by_ns, self.taken = shell.close_by_ns, shell.taken
        self.is_catching_up = True
