"""The heartbeat's words as a table, and a presentation that nobody can hold up or break."""

import fcntl
import io
import json
import os
import pty
import re
import struct
import subprocess
import sys
import termios
from decimal import Decimal

import msgspec
import pytest

from engine.model.money import use_exact_arithmetic
from engine.reports.view import PositionView, SessionView
from engine.session.health import HealthReading
from engine.session.heartbeat import heartbeat_json, heartbeat_line
from engine.session.progress import QUEUE_MAX, Progress, choose_style

D = Decimal
BTC = PositionView(
    symbol="BTCUSDT", qty=D("0.020"), entry_price=D(1), mark=D(1), unrealised=D("2.34")
)
FLAT = PositionView(symbol="ETHUSDT", qty=D(0), entry_price=None, mark=None, unrealised=D(0))
VIEW = SessionView(
    ts_ns=1_763_640_139_999_999_999, state="ACTIVE", equity=D("10012.34"), balance=D(10_010),
    realised=D(12), unrealised=D("2.34"), fees=D(2), funding=D(0), peak_equity=D("10012.34"),
    drawdown_pct=D(0), open_orders=4, fills=3, positions=(BTC, FLAT), remaining_s=461.9,
    progress=0.409,
)  # fmt: skip
HEALTH = HealthReading(cpu_pct=6.1, rss_mb=91.2, disk_free_mb=54_300.0, loop_lag_ms=2.4)


def start_at(equity: str) -> dict[str, object]:
    """Change the equity and nothing else of the books."""
    return {"equity": D(equity), "unrealised": D(equity) - 10_010}


def many(count: int) -> tuple[PositionView, ...]:
    """Hold this many instruments short."""
    return tuple(msgspec.structs.replace(BTC, symbol=f"S{n}", qty=D(-1)) for n in range(count))


LINES = [
    ({}, "12:02:19Z ACTIVE  equity 10,012.34  PnL +12.34 (+0.12%)  orders 4  pos BTCUSDT +0.020"
         "  cpu 6% rss 91MB disk 53GB lag 2ms  T-07:41  [####......] 40%"),
    ({"state": "DEGRADED", "reasons": ("FEED_STALE", "CLOCK_SKEW"), "is_simulated": True},
     "Z DEGRADED (FEED_STALE, CLOCK_SKEW) SIMULATED  equity"),
    ({"reasons": ("a", "b", "c", "d", "e")}, "ACTIVE (a, b, c, 2 more)  "),
    ({"reasons": ("x\x1b[31m\n",)}, "ACTIVE (x\ufffd[31m\ufffd)  "),
    (start_at("9000"), "equity 9,000.00  PnL -1,000.00 (-10.00%)  "),
    (start_at("9999.999"), "equity 10,000.00  PnL +0.00 (+0.00%)  "),
    ({"positions": (FLAT,)}, "  pos flat  "),
    ({"positions": many(5)}, "  pos S0 -1, S1 -1, S2 -1, 2 more  "),
    ({"remaining_s": None, "progress": None}, "lag 2ms  until stopped"),
    ({"remaining_s": 3723.0}, "T-1:02:03  "),
    ({"remaining_s": -3.0, "progress": 1.7}, "T-00:00  [##########] 100%"),
    ({"progress": 0.0}, "[..........] 0%"),
]  # fmt: skip


@pytest.mark.parametrize(("change", "expected"), LINES)
def test_words(change, expected) -> None:
    """Each case shows its words, on one line."""
    line = heartbeat_line(msgspec.structs.replace(VIEW, **change), HEALTH)

    assert expected in line
    assert line.isprintable()


def test_unknown_health_is_a_question_mark() -> None:
    """Not 0."""
    assert "  cpu ? rss ? disk ?  " in heartbeat_line(VIEW, HealthReading())


def test_words_under_exact_arithmetic() -> None:
    """The session's context traps rounding; showing money must not trip it."""
    run = "from tests.engine.session.test_progress import *; use_exact_arithmetic();"
    run += "print(heartbeat_line(VIEW, HEALTH)); print(heartbeat_json(VIEW, HEALTH))"
    done = subprocess.run([sys.executable, "-c", run], check=True, capture_output=True, text=True)

    assert done.stdout.splitlines()[0] == heartbeat_line(VIEW, HEALTH)
    assert use_exact_arithmetic is not None


def test_json_is_exact_and_null_is_null() -> None:
    """Numbers keep their digits; what is unknown stays so."""
    view = msgspec.structs.replace(VIEW, remaining_s=None, progress=None)
    beat = json.loads(heartbeat_json(view, HealthReading()), parse_float=D)

    assert beat["equity"] == D("10012.34")
    assert beat["pnl"] == D("12.34")
    assert beat["positions"] == {"BTCUSDT": D("0.020"), "ETHUSDT": 0}
    assert [beat[k] for k in ("remaining_s", "progress", "cpu_pct", "rss_mb")] == [None] * 4


class Terminal(io.StringIO):
    """A stream in memory that claims to be a terminal."""

    def isatty(self) -> bool:
        """Claim it."""
        return True


STYLES = [
    (io.StringIO, {}, "plain"),
    (Terminal, {}, "rich"),
    (Terminal, {"term": "dumb"}, "plain"),
    (Terminal, {"is_json": True}, "json"),
    (Terminal, {"is_json": True, "is_quiet": True}, "quiet"),
]


@pytest.mark.parametrize(("make", "options", "style"), STYLES)
def test_styles(make, options, style) -> None:
    """A terminal gets a bar, a pipe lines, and the flags win."""
    assert choose_style(make(), **options) == style
    assert choose_style(None, **options) == "quiet"


def present(style: str, stream: io.StringIO | None = None) -> str:
    """Show two heartbeats and a note between them."""
    stream = io.StringIO() if stream is None else stream
    progress = Progress(stream, style, is_color=False)
    progress.show(VIEW, HEALTH)
    progress.note("FALLBACK to mock\n[/]")
    progress.show(VIEW, HEALTH)
    progress.close()
    progress.close()
    return stream.getvalue()


def test_plain_lines() -> None:
    """A line each, in order, notes sanitised."""
    line = heartbeat_line(VIEW, HEALTH)

    assert present("plain") == f"{line}\nFALLBACK to mock\ufffd[/]\n{line}\n"


def test_json_lines() -> None:
    """Every line parses, the note too."""
    beats = [json.loads(line) for line in present("json").splitlines()]

    assert [b.get("state") or b["note"] for b in beats] == [
        "ACTIVE",
        "FALLBACK to mock\ufffd[/]",
        "ACTIVE",
    ]


def test_quiet_is_silent() -> None:
    """Nothing is written."""
    assert present("quiet") == ""


def open_pty() -> tuple[int, io.TextIOWrapper]:
    """Open a terminal of 100 columns; return the reading end and the stream."""
    reader, writer = pty.openpty()
    fcntl.ioctl(writer, termios.TIOCSWINSZ, struct.pack("HHHH", 30, 100, 0, 0))
    return reader, os.fdopen(writer, "w", encoding="utf-8")


def read_until(reader: int, end: str) -> str:
    """Read what a terminal was sent, up to `end`: the writer thread may be slow to import rich."""
    shown = b""
    while end.encode() not in shown:
        shown += os.read(reader, 65536)
    return shown.decode()


def test_a_terminal_shows_the_same_words_and_a_bar() -> None:
    """Remaining time and share are there at any width, the cursor is given back, markup is text."""
    reader, stream = open_pty()
    progress = Progress(stream, "rich", is_color=False)
    progress.show(VIEW, HEALTH)
    progress.note("note [bold]x[/]")
    progress.close()

    shown = read_until(reader, "\x1b[?25h")
    for words in ("equity 10,012.34", "orders 4", "T-07:41", "40%", "━", "note [bold]x[/]"):
        assert words in shown
    assert shown.rstrip().endswith("\x1b[?25h")
    assert re.search(r"\x1b\[[0-9;]*m", shown) is None
    stream.close()
    os.close(reader)


def test_a_closed_stream_ends_the_presentation_only() -> None:
    """Neither a broken pipe nor a closed stream raises, then or later."""
    reader, writer = os.pipe()
    os.close(reader)
    piped, closed = os.fdopen(writer, "w"), io.StringIO()
    for stream in (piped, closed):
        progress = Progress(stream, "plain")
        if stream is closed:
            closed.close()
        for _ in range(3):
            progress.show(VIEW, HEALTH)
        progress.close()
        progress.note("late")
    piped.close()


def test_nobody_waits_for_a_terminal_that_does_not_read() -> None:
    """A full pipe blocks the writer thread; the engine goes on, and old lines give way."""
    reader, writer = os.pipe()
    fcntl.fcntl(writer, fcntl.F_SETPIPE_SZ, 4096)
    stream = os.fdopen(writer, "w")
    progress = Progress(stream, "plain")
    for _ in range(3 * QUEUE_MAX):
        progress.show(VIEW, HEALTH)

    assert progress.dropped > QUEUE_MAX // 2
    os.close(reader)  # the terminal goes away: the thread wakes with a broken pipe
    progress.close()
    stream.close()


def test_lines_do_not_load_rich() -> None:
    """Only a terminal pays for it."""
    run = "import sys, engine.session.progress; print('rich' in sys.modules)"
    done = subprocess.run([sys.executable, "-c", run], check=True, capture_output=True, text=True)

    assert done.stdout == "False\n"
