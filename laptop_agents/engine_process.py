"""The engine of a screen: a process of its own, in a session of its own, that outlives the screen.

Rule 1: no signal of the terminal reaches it but through us, once, and none of its words the screen:
        what it has to say about a failed start goes to a file without a name.
Rule 2: which run is its own is told by the run: the socket's welcome names the pid.
"""

import contextlib
import os
import re
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Final

from brokers.link.secret import Secret
from engine.model.errors import SessionUnreachable
from engine.session.control.client import Connection
from engine.session.run_folder import LATEST, RUNS
from laptop_agents.keys_prompt import ON_STDIN
from laptop_agents.keys_shape import VAULT_VARIABLE

START_S: Final = 20.0
"""How long an engine may take until it listens: many times what it does."""
POLL_S: Final = 0.02
CLOSE_S: Final = 15.0
"""How long an ended session may take to write its report and be gone."""
WORDS_MAX: Final = 16 * 1024
"""Bytes of its last words that are repeated."""
OLD_S: Final = 2.0
"""A run folder this much older than the engine is another's."""


class EngineProcess:
    """One engine."""

    def __init__(self, words: Sequence[str], passphrase: Secret | None = None) -> None:
        """Start a session with the words of the command line, without a screen.

        `-q` because nobody reads its heartbeats; it has no terminal, so it asks for none.

        Args:
            passphrase: Of the vault, if a person just typed it: handed on by its standard input.
        """
        loud = re.compile(r"-v+")
        quiet = [word for word in words if loud.fullmatch(word) is None]
        self._said = tempfile.TemporaryFile()  # noqa: SIM115 - ours as long as the process
        self._began_s = time.time()
        self._process = subprocess.Popen(  # noqa: S603 - ourselves
            [sys.executable, "-P", "-m", "laptop_agents", "-q", *quiet],
            stdin=subprocess.DEVNULL if passphrase is None else subprocess.PIPE,
            stdout=subprocess.DEVNULL,
            stderr=self._said,
            start_new_session=True,
            env=None if passphrase is None else {**os.environ, VAULT_VARIABLE: ON_STDIN},
        )
        if passphrase is not None and self._process.stdin is not None:
            with self._process.stdin as line, contextlib.suppress(BrokenPipeError):
                line.write(f"{passphrase.reveal()}\n".encode())

    @property
    def is_alive(self) -> bool:
        """Whether it still runs."""
        return self._process.poll() is None

    @property
    def last_words(self) -> str:
        """What it said on its standard error."""
        self._said.seek(0)
        return self._said.read(WORDS_MAX).decode("utf-8", "replace").strip()

    def folder(self, runs: Path, named: Path | None) -> Path | None:
        """Wait until it listens, and return its run's folder; None if it ended before.

        Args:
            runs: Where runs are made.
            named: The folder it was told to use.

        Raises:
            SessionUnreachable: It lives and does not listen.
        """
        deadline_s = time.monotonic() + START_S
        while self.is_alive:
            for folder in [named] if named else self.candidates(runs):
                with (
                    contextlib.suppress(SessionUnreachable),
                    Connection.open(folder, "screen") as c,
                ):
                    if c.welcome.pid == self._process.pid:
                        return folder
            if time.monotonic() > deadline_s:
                self.stop()
                raise SessionUnreachable(f"the engine does not listen within {START_S:g} s")
            time.sleep(POLL_S)
        return None

    def candidates(self, runs: Path) -> Iterable[Path]:
        """Yield the run folders that are not older than the engine, newest first."""
        with contextlib.suppress(OSError):
            for folder in sorted(runs.iterdir(), reverse=True):
                is_ours = folder.name != LATEST and not folder.is_symlink()
                if is_ours and folder.stat().st_mtime >= self._began_s - OLD_S:
                    yield folder

    def stop(self) -> None:
        """Ask for the graceful end, as a signal does."""
        self._process.terminate()

    def wait(self) -> int | None:
        """Return the exit code; None while it lives on, a signal's number is negative."""
        with contextlib.suppress(subprocess.TimeoutExpired):
            return self._process.wait(CLOSE_S)
        return None


def runs_of(home: Path) -> Path:
    """Return where the runs of a home are."""
    return home / RUNS
