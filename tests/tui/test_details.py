"""A row as all its fields: shown, copied as text, copied as JSON, kept in a file."""

import base64
import json
from decimal import Decimal
from pathlib import Path

import pytest

from tests.tui import fixtures as fx
from tests.tui.fixtures import HOSTILE
from tests.tui.stage import FakeSource, L, M, staged
from tui.config import TuiConfig
from tui.details import COPY_MAX, as_json, as_lines, as_text, fields, record

D = Decimal


def test_fields_are_exact_and_named() -> None:
    """Every digit, times with their clock, what is unknown as a dash."""
    of = fx.position(entry_price=D("67253.1333333333333333333333"), mark=None)
    told = dict(fields(of))

    assert "67253.1333333333333333333333" == told["entry_price"]
    assert "-" == told["mark"]
    assert "0.020" == told["shares.maker"]
    assert f"{fx.NOW_NS - 12 * fx.SECOND} (12:02:07.500)" == dict(fields(fx.order()))["created_ns"]
    assert "false" == dict(fields(fx.order()))["reduce_only"]


def test_lists_of_rows_are_spelled_out() -> None:
    """A book: one line a level."""
    told = dict(fields(fx.market(bids=((D("1.5"), D(2)),))))

    assert "1.5 2" == told["bids.0"]


def test_text_is_one_harmless_line() -> None:
    """What a venue wrote can't add a line or command a terminal it is pasted into."""
    text = as_text(fx.line(text=HOSTILE))

    assert text.isprintable()
    assert len(text) <= COPY_MAX


def test_json_comes_back_as_it_was() -> None:
    """Money as text, so that no reader rounds it; outside ASCII escaped, so that nothing is hidden."""
    text = as_json(fx.order(agent="\u202eevil\x1b[31m"))
    back = json.loads(text)

    assert text.isascii()
    assert "\x1b" not in text
    assert ("67412.3", "\u202eevil\x1b[31m") == (back["price"], back["agent"])


def test_lines_stand_under_each_other() -> None:
    """Names in one column; a value of ten thousand letters is cut."""
    lines = as_lines(fx.fill(agent=HOSTILE))

    assert all(line.isprintable() and len(line) < 500 for line in lines)
    assert 1 == len({line.index("  ") > 0 for line in lines})


PANES = ("quotes", "book", "positions", "orders", "fills", "roundtrips", "agents", "risk", "log",
         "health", "fsm", "equity", "chart", "tape", "router")  # fmt: skip


@pytest.mark.parametrize("name", PANES)
async def test_enter_and_copies_in_every_pane(name: str, tmp_path: Path) -> None:
    """Every pane has something to show; both copies go to the terminal and to the file."""
    clipboard = tmp_path / "clipboard.txt"
    async with staged(size=M, clipboard=clipboard) as stage:
        stage.app.desk.go_to(name)
        await stage.settle()
        await stage.press("y", "Y")
        text, row = clipboard.read_text().splitlines()
        assert text.split()[0] in json.loads(row) or "." in text.split()[0]
        assert row == stage.app.clipboard
        assert "copied" in stage.rows()[-2]
        assert "clipboard.txt" in stage.rows()[-2]

        await stage.press("enter")
        assert "all of it" in stage.text()
        await stage.press("y")
        assert text == stage.app.clipboard
        await stage.press("escape")
        assert 1 == len(stage.app.screen_stack)


async def test_the_terminal_is_asked_to_copy() -> None:
    """OSC 52, and no file where nobody asked for one."""
    written: list[str] = []
    async with staged() as stage:
        stage.app._driver.write = written.append  # type: ignore[method-assign]
        await stage.press("4", "y")
        (request,) = [text for text in written if text.startswith("\x1b]52;c;")]

    encoded = request.removeprefix("\x1b]52;c;").removesuffix("\a")
    assert base64.b64decode(encoded).decode().startswith("symbol BTCUSDT  qty 0.020")


async def test_nothing_to_copy_says_so() -> None:
    """Before the first view there is no row."""
    async with staged(source=FakeSource(None)) as stage:
        await stage.press("y")
        assert "nothing to copy" in "\n".join(stage.rows()) or stage.app.clipboard == ""
        await stage.press("enter")

        assert 1 == len(stage.app.screen_stack)


async def test_a_file_that_cant_be_written_is_told(tmp_path: Path) -> None:
    """A link in its place is not followed; the terminal still gets the copy."""
    clipboard = tmp_path / "clipboard.txt"
    clipboard.symlink_to(tmp_path / "elsewhere")
    async with staged(size=M, clipboard=clipboard, config=TuiConfig(copy_file=True)) as stage:
        await stage.press("4", "y")

        assert "can't be written" in stage.rows()[-2]
        assert stage.app.clipboard
        assert not (tmp_path / "elsewhere").exists()


@pytest.mark.parametrize(
    ("name", "has", "lacks"),
    [
        ("quotes", {"symbol", "bid", "bids.0"}, {"bars", "prints"}),
        ("book", {"symbol", "bids.0", "asks.0"}, {"bars", "prints"}),
        ("chart", {"symbol", "bars.0.interval_s", "bars.0.bars.0.close_ticks"}, {"prints", "bids"}),
        ("tape", {"symbol", "prints.0.ticks", "prints.0.is_buy"}, {"bars", "bids"}),
        ("router", {"decisions.0.reason", "hops.0.1.p50"}, {"symbol"}),
        ("equity", {"equity", "drawdown_pct"}, {"symbol"}),
    ],
)
async def test_a_pane_tells_what_it_shows(name: str, has: set[str], lacks: set[str]) -> None:
    """Every field by its name, and nothing of what another pane shows."""
    async with staged(size=L) as stage:
        stage.app.desk.go_to(name)
        await stage.settle()
        told = {field for field, _ in fields(record(stage.app.desk.pane(name)))}

    assert has <= told
    assert not lacks & {field.split(".")[0] for field in told}
