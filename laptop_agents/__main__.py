"""The way in and the last line of defense: every ending becomes an exit code of interface.md."""

import gc
import os
import signal
import sys
from collections.abc import Sequence
from types import FrameType
from typing import Final, TextIO

from engine.model.errors import Defect, LaptopAgentsError
from laptop_agents import cli

BUG = 1
STOPPED_BY_OPERATOR = 4
AGAIN_S: Final = 2.0
"""Until a signal that stopped nothing is told again."""
GC_THRESHOLD: Final = 50_000
"""Young objects between two collections while a command is loaded and runs. What an import makes
stays: to look through it every 700 objects is a seventh of the start of a session."""


def main(argv: Sequence[str] | None = None) -> int:
    """Run the program and return its exit code; never raises."""
    gc.set_threshold(GC_THRESHOLD)
    _fill_closed_streams()
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, _interrupt)  # until a session's own handlers take over
    code = _run(argv)
    _let_go(sys.stderr)
    gc.freeze()  # the interpreter's end looks through everything twice, for memory that goes anyway
    return code


def _fill_closed_streams() -> None:
    """Put /dev/null where the caller closed a stream.

    Otherwise the next file opened, say the journal, takes its descriptor and with it whatever
    anybody prints.
    """
    sys.stdout = sys.stdout or open(os.devnull, "w")  # noqa: SIM115 - for the whole run
    sys.stderr = sys.stderr or open(os.devnull, "w")  # noqa: SIM115


class Interrupted(BaseException):
    """Somebody wants us to stop.

    Not KeyboardInterrupt: CPython remembers one that crossed an `exec` (dataclasses are made by it)
    and dies of SIGINT at its end, whatever the exit code.
    """


def _interrupt(number: int, _frame: FrameType | None) -> None:
    """Stop whatever is done now.

    Python drops what is raised in a callback of a weak reference, and imports are full of these:
    the signal comes again, to whoever handles it by then, until `_run` is told.
    """
    signal.signal(signal.SIGALRM, lambda *_: signal.raise_signal(number))
    signal.setitimer(signal.ITIMER_REAL, AGAIN_S)
    raise Interrupted


def _let_go(stream: TextIO) -> None:
    """Flush a stream now; where nobody reads it, keep the interpreter from trying at its end."""
    try:
        stream.flush()
    except OSError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), stream.fileno())


def _run(argv: Sequence[str] | None) -> int:
    os.umask(0o077)  # Whatever we create is for this user alone, also what a library creates.
    try:
        code = cli.run(argv)
        sys.stdout.flush()
    except SystemExit as ending:  # argparse: help, version, unknown words
        return ending.code if isinstance(ending.code, int) else 0
    except (Interrupted, KeyboardInterrupt):
        signal.setitimer(signal.ITIMER_REAL, 0.0)
        return STOPPED_BY_OPERATOR
    except BrokenPipeError:
        # The reader (`| head`) has seen enough. The interpreter's own flush would complain again.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 0
    except Exception as error:  # noqa: BLE001 - the one place left that can give it an exit code
        if isinstance(error, LaptopAgentsError) and not isinstance(error, Defect):
            return _refuse(error)
        return _report_bug(error)
    return code


def _refuse(error: LaptopAgentsError) -> int:
    for line in str(error).splitlines() or [type(error).__name__]:
        sys.stderr.write(f"error: {line}\n")
    return error.exit_code


def _report_bug(error: Exception) -> int:
    from laptop_agents.crash import keep_trace  # noqa: PLC0415 - hopefully never

    where = keep_trace(error, os.environ)
    sys.stderr.write(f"error: unexpected {type(error).__name__}, a bug of ours; {where}\n")
    return BUG


if __name__ == "__main__":
    raise SystemExit(main())
