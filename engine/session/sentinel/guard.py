"""The engine's side of its sentinel: start it, beat, hear of kills, notice its death.

The beat comes from the decision loop itself, never from a thread beside it: a loop that no longer
turns must fall silent.
"""

import os
import select
import signal
import subprocess
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from time import monotonic
from typing import Final, Protocol

import msgspec

from engine.model.errors import Unguarded
from engine.model.events import HealthChanged
from engine.session.config import SentinelConfig
from engine.session.sentinel.page import Page, Phase, new_page
from engine.session.sentinel.process import READY, Brief
from engine.session.sentinel.segment import read_verdict

COUNT: Final = "sentinel_count"
"""The reading by which the kernel knows whether the session is guarded; its limit is 1."""
RESTARTS_MAX: Final = 1
"""A sentinel that dies twice has a reason that a third would share."""
BLIND_AFTER_S: Final = 0.75
"""A sentinel that has not looked for so long counts as dead: it looks every 50 ms."""
FAREWELL_S: Final = 12.0
"""How long the session's end waits for its sentinel's: it may have to ask a venue for ten seconds
that refuses. One with nothing to do is gone within a beat."""


class Guard(Protocol):
    """What a session tells and asks its guard."""

    @property
    def canceled_meanwhile(self) -> Sequence[str]:
        """Orders taken out while no engine ran, to be taken out here too."""
        ...

    def beat(self, event_ns: int, *, has_obeyed: bool) -> str | None:
        """Say that the loop turns; return the kill file the guard has seen, as long as it has."""
        ...

    def check(self, ts_ns: int) -> list[HealthChanged]:
        """Look after the guard itself; what changed is an input of the session."""
        ...


class NoGuard:
    """Sessions in simulated time: nothing of theirs outlives them."""

    canceled_meanwhile: Sequence[str] = ()

    def beat(self, event_ns: int, *, has_obeyed: bool) -> str | None:  # noqa: ARG002 - nobody listens
        """Do nothing."""
        return None

    def check(self, ts_ns: int) -> list[HealthChanged]:  # noqa: ARG002 - nobody to look after
        """Do nothing."""
        return []


class SentinelGuard:
    """A sentinel process and the page shared with it."""

    def __init__(
        self,
        command: Sequence[str],
        environment: Mapping[str, str],
        *,
        run: Path,
        kill_files: Sequence[Path],
        config: SentinelConfig,
        is_json: bool,
        each_check: Callable[[], None],
        account: Callable[[], bytes] | None = None,
    ) -> None:
        """Start the sentinel; `wait_until_ready` before anything may be sent.

        Args:
            command: The program; its last argument, the brief, is added here.
            environment: Of the process.
            run: The run folder; the venue's ledger stands there already.
            kill_files: What to watch for.
            config: How patient to be.
            is_json: Whether standard error takes JSON lines alone.
            each_check: Called at every `check`, before anything else.
            account: Encodes a real account with its key, for each start; None for a simulated one.

        Raises:
            JournalDamaged: What an earlier sentinel wrote was changed.
            Unguarded: The process can't be started.

        """
        self._command, self._environment, self._config = command, environment, config
        self._run, self._is_json, self._each_check = run, is_json, each_check
        self._account = account
        self._kill_files = tuple(os.path.abspath(path) for path in kill_files)
        self.canceled_meanwhile: Sequence[str] = read_verdict(run).canceled
        self._page_fd = new_page()
        self._page = Page(self._page_fd)
        self._restarts = 0
        self._is_up = False
        self._looks, self._looked_s = 0, monotonic()
        self._process, self._ready_fd = self._start()

    def wait_until_ready(self) -> None:
        """Return once it watches.

        Raises:
            Unguarded: It did not come up in time; what there was of it is gone.

        """
        poll = select.poll()
        poll.register(self._ready_fd, select.POLLIN)
        is_heard = bool(poll.poll(self._config.ready_s * 1_000))
        if not is_heard or os.read(self._ready_fd, len(READY)) != READY:
            self._end()
            raise Unguarded(
                f"the sentinel did not start within {self._config.ready_s:g} s, so no session does:"
                " sentinel.enabled=false trades without one"
            )
        self._is_up = True
        self._looked_s = monotonic()

    def beat(self, event_ns: int, *, has_obeyed: bool) -> str | None:
        """Say that the loop turns; return the kill file the sentinel has seen, if any."""
        self._page.beat(event_ns, Phase.OBEYING if has_obeyed else Phase.TRADING)
        seen = self._page.kill_seen
        return None if seen is None else self._kill_files[seen]

    def check(self, ts_ns: int) -> list[HealthChanged]:
        """Notice within a second that it is dead or stopped, start it once more, and say so."""
        self._each_check()
        if self._is_up and self._is_lost():
            self._end()
            self._is_up = False
            if self._restarts < RESTARTS_MAX:
                self._restarts += 1
                with suppress(Unguarded):  # told below: it is not up
                    self._process, self._ready_fd = self._start()
            return [HealthChanged(ts_ns, COUNT, 1.0, 0.0, is_over=True)]
        if not self._is_up and self._process.poll() is None and self._page.looks > self._looks:
            self._is_up = True
            return [HealthChanged(ts_ns, COUNT, 1.0, 1.0, is_over=False)]
        return []

    def goodbye(self) -> None:
        """Say that nothing will be sent any more, and see the sentinel off."""
        self._page.beat(self._page.event_ns, Phase.DONE)
        try:
            self._process.wait(FAREWELL_S)
        except subprocess.TimeoutExpired:
            self._end()

    def _is_lost(self) -> bool:
        looks, now_s = self._page.looks, monotonic()
        if looks != self._looks:
            self._looks, self._looked_s = looks, now_s
        return self._process.poll() is not None or now_s - self._looked_s > BLIND_AFTER_S

    def _start(self) -> tuple[subprocess.Popen[bytes], int]:
        reading, writing = os.pipe()
        brief = Brief(
            run=os.fspath(self._run),
            engine_pid=os.getpid(),
            page_fd=self._page_fd,
            ready_fd=writing,
            kill_files=self._kill_files,
            grace_s=self._config.grace_s,
            deaf_after_s=self._config.deaf_after_s,
            keeps_orders=self._config.on_crash == "keep",
            is_json=self._is_json,
            has_key=self._account is not None,
        )
        try:
            process = subprocess.Popen(  # noqa: S603 - our own program, no shell
                [*self._command, msgspec.json.encode(brief).decode()],
                env=self._environment,
                stdin=subprocess.DEVNULL if self._account is None else subprocess.PIPE,
                stdout=subprocess.DEVNULL,
                pass_fds=(self._page_fd, writing),
                start_new_session=True,  # Ctrl-C is for the engine
            )
        except OSError as error:
            raise Unguarded(f"can't start the sentinel: {error.strerror}") from error
        finally:
            os.close(writing)
        self._hand_over(process)
        return process, reading

    def _hand_over(self, process: subprocess.Popen[bytes]) -> None:
        """Give it the account; one that is gone already is noticed by whoever waits for it."""
        if process.stdin is not None and self._account is not None:
            with suppress(BrokenPipeError), process.stdin as pipe:
                pipe.write(self._account())

    def _end(self) -> None:
        """Make sure that it is gone; SIGKILL also ends one that is stopped."""
        self._process.send_signal(signal.SIGKILL)
        self._process.wait()
        os.close(self._ready_fd)
