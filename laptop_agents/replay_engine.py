"""The process beside a screen that plays a recorded session: `python -m` this, never by hand.

Wishes come on standard input, frames leave on standard output. It goes when its input ends.
"""

import os
import signal
import sys
import time
from pathlib import Path

from engine.model.money import use_exact_arithmetic
from engine.session.journal_reader import Line
from engine.session.playback.player import Player
from engine.session.playback.rerun import Cast
from engine.session.playback.serve import send, serve
from engine.session.playback.words import Broken
from laptop_agents.recorded_kernel import kernel_maker, started_with

BUG = 1


def main(journal: Path) -> int:
    """Play until the screen is gone; a bug is told there, its trace kept like any other."""
    signal.signal(signal.SIGPIPE, signal.SIG_DFL)  # a screen that is gone needs no words
    os.umask(0o077)
    use_exact_arithmetic()
    frames = sys.stdout.fileno()
    try:
        serve(lambda: open_player(journal), sys.stdin.fileno(), frames)
    except Exception as error:  # noqa: BLE001 - the one place left that can tell the screen
        from laptop_agents.crash import keep_trace  # noqa: PLC0415 - hopefully never

        where = keep_trace(error, os.environ)
        send(frames, Broken(BUG, f"unexpected {type(error).__name__}, a bug of ours; {where}"))
        return BUG
    return 0


def open_player(journal: Path) -> Player:
    """Open a recorded session at its start.

    Raises:
        LaptopAgentsError: See `started_with`; or its settings are refused by this release.
    """

    def cast_of(first: Line) -> Cast:
        started = started_with(journal, first)
        symbols = tuple(instrument.symbol for instrument in started.instruments)
        instruments = tuple(started.instruments)
        return Cast(kernel_maker(started), symbols, tuple(started.agents), instruments)

    return Player(journal, cast_of, time.monotonic)


if __name__ == "__main__":
    raise SystemExit(main(Path(sys.argv[1])))
