"""Words of others, ten thousand of them, in every place a screen has for words (T13).

The oracle is the terminal's: of what is painted nothing is a control character, and every line is
exactly as wide as it claims to be.
"""

import random
import unicodedata
from collections.abc import Iterator
from itertools import islice

import pytest
from rich.cells import cell_len

from engine.session.control.views import View
from engine.session.control.words import Farewell
from tests.tui import fixtures as fx
from tests.tui.stage import FakeSource, M, staged, welcome
from tui import plain
from tui.alerts import Alerts, line
from tui.desk import PANES
from tui.details import as_json, as_lines, as_text
from tui.dialogs.leaving import exposed
from tui.lines import AlertlinePane
from tui.link import Glance
from tui.pane import strip
from tui.panes.banner import BannerPane
from tui.panes.sessionbar import SessionbarPane, Surroundings
from tui.theme import palette

STRINGS = 10_000
PIECES = (
    "\x1b[2J", "\x1b[31;1m", "\x1b]0;owned\x07", "\x1b]52;c;aGk=\x07", "\x1b]8;;http://x\x1b\\y\x1b]8;;\x1b\\",
    "\x1bP+q544e\x1b\\", "\x1b_hidden\x1b\\", "\x1bc", "\x9b31m", "\x9d0;t\x9c", "\x00", "\x07", "\x08" * 8,
    "\r", "\n", "\r\n", "\t", "\x0b", "\x0c", "\x0e", "\x7f", "\x85", "\u2028", "\u2029", "\ufeff",
    "\u202e", "\u202d", "\u2066", "\u2069", "\u200b", "\u200d", "\u00ad", "\u0301" * 40, "\u034f",
    "\ue000", "\ufff9", "\U000e0041", "\U0001f469\u200d\U0001f680", "\ufe0f", "\ufdfd", "\N{CJK UNIFIED IDEOGRAPH-4E2D}" * 5,
    "[bold red]x[/]", "[@click=app.quit]x[/]", "[/]", "[[", "{0}", "%s", "$ground", "A" * 500, "-", "+1", "=cmd()",
    "EVIDENCE_REF=../../etc", " EVIDENCE_REF=a\x1b[2Jb", "/", "~", "\\x1b[2J",
)  # fmt: skip


def strings(seed: int) -> Iterator[str]:
    """Yield hostile strings without end, the same for a seed."""
    dice = random.Random(seed)  # noqa: S311 - dice, not secrets
    while True:
        text = "".join(dice.choice(PIECES) for _ in range(dice.randint(1, 6)))
        yield text * 40 if dice.random() < 0.005 else text


def infested(words: Iterator[str]) -> View:
    """A view in which every word is one of theirs: 250 of them."""
    symbols = list(islice(words, 8))
    reasons = tuple(islice(words, 6))
    orders = tuple(
        fx.order(i, order_id=next(words), venue_order_id=next(words), agent=next(words),
                 symbol=symbols[i % 8], slot=next(words))
        for i in range(12)
    )  # fmt: skip
    return fx.view(
        markets=tuple(fx.market(symbol) for symbol in symbols),
        positions=tuple(fx.position(s, shares={next(words): fx.D(1), next(words): fx.D(2)}) for s in symbols),
        orders=orders,
        agents=tuple(fx.agent(next(words), quarantine=next(words)) for _ in range(10)),
        breakers=tuple(fx.breaker(next(words), action=next(words), is_tripped=True) for _ in range(6)),
        fills=tuple(fx.fill(i, trade_id=next(words), order_id=next(words), agent=next(words), symbol=symbols[i])
                    for i in range(8)),
        round_trips=tuple(fx.round_trip(i, agent=next(words), symbol=symbols[i], order_ids=(next(words),))
                          for i in range(8)),
        transitions=tuple(fx.transition(next(words), scope=next(words), from_state=next(words),
                                        to_state=next(words), evidence_ref=next(words), reasons=reasons)
                          for _ in range(6)),
        log=tuple(fx.line(next(words), next(words), severity=next(words)) for _ in range(20)),
        lifecycle=fx.lifecycle(next(words), reasons=reasons, suspended=tuple(symbols[:3]), beneath=next(words)),
        session=fx.session(next(words)),
        health=fx.health(journal_failure=next(words), journal_head=next(words),
                         orders={next(words): 1}, blocked={next(words): 2}, errors={next(words): 3}),
    )  # fmt: skip


def painted(view: View, words: Iterator[str]) -> Iterator[tuple[str, str, int]]:
    """Yield every line of every pane: its name, its text, the width it has."""
    met = welcome(mode=next(words), run_id=next(words), source=next(words))
    glance = Glance(view, 0.0, met, None, next(words))
    frozen = glance._replace(age_s=9.0)
    ended = glance._replace(farewell=Farewell(next(words)))
    alerts = Alerts()
    alerts.note(view)
    for width, looks in ((46, palette("mono", is_ascii=True)), (150, palette("safe-dark"))):
        for kind in PANES:
            for seen in (glance, frozen, ended) if kind is AlertlinePane else (glance,):
                pane = kind()
                pane.palette = looks
                if isinstance(pane, AlertlinePane):
                    pane.glance, pane.alerts = seen, alerts.unseen()
                if isinstance(pane, SessionbarPane):
                    pane.around = Surroundings(met, 4.0)
                if isinstance(pane, BannerPane):
                    pane.welcome = met
                for row in [*pane.draw(view, width, 40), *pane.waiting(width)]:
                    yield kind.__name__, strip(row, width, looks).text, width


def unsafe(text: str) -> set[str]:
    """The characters of a text that a terminal might obey, or that hide or turn round others."""
    return {c for c in text if unicodedata.category(c) in ("Cc", "Cf", "Cs", "Co", "Zl", "Zp")}


@pytest.mark.parametrize("seed", range(4))
def test_no_pane_lets_anything_through(seed: int) -> None:
    """A quarter of the ten thousand each: no control character, no line wider than its pane."""
    used = 0

    def counted() -> Iterator[str]:
        nonlocal used
        for text in strings(seed):
            used += 1
            yield text

    words = counted()
    while used < STRINGS // 4:
        view = infested(words)
        for name, text, width in painted(view, words):
            assert set() == unsafe(text), (name, text)
            assert width == cell_len(text), (name, text)


@pytest.mark.parametrize("seed", range(2))
def test_no_line_and_no_copy_lets_anything_through(seed: int) -> None:
    """Plain lines, alerts, details, both copies, what a quit dialog lists."""
    words = strings(100 + seed)
    for _ in range(6):
        view, alerts = infested(words), Alerts()
        alerts.note(view)
        rows = (*view.orders, *view.fills, *view.log, *view.agents, view.health, view.lifecycle)
        texts = [
            *plain.lines(None, view), *plain.lines(fx.view(), view), *exposed(view),
            *(line(alert) for alert in alerts.open()),
            *(text for row in rows for text in (*as_lines(row), as_text(row), as_json(row))),
        ]  # fmt: skip
        assert set() == {c for text in texts for c in unsafe(text)}


async def test_a_whole_screen_of_them() -> None:
    """Through Textual to its strips, with every dialog that repeats words of others."""
    words = strings(7)
    source = FakeSource(infested(words), welcome=welcome(mode=next(words), source=next(words)))
    async with staged(source=source, size=M, is_owner=True) as stage:
        for keys in ((), ("A",), ("x", "escape"), ("5", "enter"), ("y", "escape"), ("9", "enter"),
                     ("escape", "q"), ("escape", "question_mark"), ("escape", "ctrl+x"), ("escape",)):  # fmt: skip
            await stage.press(*keys)
            stage.clock.now_s += 1
            for row in stage.rows():
                assert set() == unsafe(row)
                assert M[0] == cell_len(row)
        assert stage.app.is_running
        assert stage.app.bug is None


def test_the_oracle_can_tell() -> None:
    """Each kind of trick is unsafe as it comes."""
    tricks = ("\x1b", "\x9b", "\u202e", "\u200b", "\ue000", "\u2028", "\x00", "\n")

    assert all(unsafe(f"a{trick}b") for trick in tricks)
    assert not unsafe("67,412.3 │ ▲ ⠒ \N{CJK UNIFIED IDEOGRAPH-4E2D}~")
