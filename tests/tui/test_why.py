"""`w`: who is asked about what, what is shown of the answer, how a person walks on from it."""

import threading
from decimal import Decimal

import pytest

from tests.tui.fixtures import HOSTILE, view
from tests.tui.stage import L, M, S, Stage, staged
from tui.panes import orders, positions
from tui.story import JournalLine, Judged, Reply, Rule, Told
from tui.why import entries

NS = 1_000_000_000


def line(seq: int, kind: str, **data: object) -> JournalLine:
    return JournalLine(seq, 1_700_000_000 * NS, kind, data)


def verdict(seq: int, intent_id: str, **changes: object) -> JournalLine:
    data = {
        "intent_id": intent_id, "is_approved": True, "rule": "", "setting": "", "limit": "",
        "reading": "", "is_waiting": False,
    }  # fmt: skip
    return line(seq, "gate_verdict", **(data | changes))


REFUSED = {
    "is_approved": False, "rule": "spread", "setting": "max_spread_bps", "limit": "2.0",
    "reading": "2.6",
}  # fmt: skip
WISH = line(
    10, "intent", side="BUY", qty="0.010", symbol="BTCUSDT", type="LIMIT", price="67412.3",
    tif="GTC", post_only=True, slot="bid", reason="fast over slow",
)  # fmt: skip
RULES = (
    Rule("order_size", "max_order_notional", "2500", "674.12", True),
    Rule("spread", "max_spread_bps", "2.0", "2.6", False),
    Rule("self_trade", "", "", "not judged: ours", None),
)


def told(**changes: object) -> Told:
    fields: dict = {
        "intent_id": "maker-7", "symbol": "BTCUSDT", "intents": (WISH,),
        "consensus": (line(11, "meta_decision", chosen=["maker-7"], rationale="net policy"),),
        "verdicts": (verdict(12, "maker-7", **REFUSED),),
        "judgements": (Judged(1, Decimal("0.01"), RULES, ("risk.max_spread_bps >= 2.6",)),),
        "readings_absent": None,
        "router": (line(13, "router_decision", decision="BLOCK", reason="RISK",
                        working_order_id="maker-3"),),
        "aftermath": (line(14, "order_denied", order_id="maker-7", reason="max_spread_bps"),),
        "changed_next_by": None,
        "recent_verdicts": (verdict(12, "maker-7", **REFUSED), verdict(9, "maker-6")),
    }  # fmt: skip
    return Told(**(fields | changes))


def texts(story: Told, width: int = 120) -> list[str]:
    return ["".join(cell.text for cell in entry.row) for entry in entries(story, width)]


def test_the_story_in_the_order_it_happened() -> None:
    """Wish, consensus, gate with every rule, what would flip it, router, after, last verdicts."""
    rows = texts(told())

    assert rows == sorted(rows, key=rows.index)
    places = [
        next(place for place, row in enumerate(rows) if word in row)
        for word in (
            "BUY 0.010 BTCUSDT LIMIT 67412.3 GTC post_only, slot bid", "reason: fast over slow",
            "let it pass: net policy", "REFUSED by spread (max_spread_bps): limit 2.0, reading 2.6",
            "max_order_notional", "STOP", "would have let it pass: risk.max_spread_bps >= 2.6",
            "BLOCK of maker-3, RISK", "order_denied", "the last 2 on BTCUSDT", "maker-6",
        )
    ]  # fmt: skip
    assert places == sorted(places)
    (stop,) = [row for row in rows if "STOP" in row]
    for figure in ("spread", "max_spread_bps", "2.0", "2.6"):
        assert figure in stop


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"intents": (), "consensus": ()}, "no intent of that id"),
        ({"intents": ()}, "a wish that never became an intent"),
        ({"verdicts": (verdict(1, "maker-7"),)}, "approved"),
        ({"verdicts": (verdict(1, "maker-7", **(REFUSED | {"is_waiting": True})),)}, "WAITS for"),
        ({"judgements": (), "readings_absent": "left out: the replay differs"}, "readings: left"),
        ({"judgements": (Judged(1, Decimal(1), RULES, ()),)}, "no single change"),
        ({"changed_next_by": "maker-9"}, "changed by maker-9"),
        ({"consensus": (line(1, "meta_decision", chosen=[], rationale="other side"),)},
         "DROPPED it: other side"),
    ],
)  # fmt: skip
def test_every_ending_of_a_story_is_said(changes: dict, words: str) -> None:
    """Also what is not there, in words."""
    assert any(words in row for row in texts(told(**changes)))


@pytest.mark.parametrize("width", [20, 40, 80, 99, 100, 200])
def test_the_verdict_of_a_rule_is_seen_at_every_width(width: int) -> None:
    """Names and figures give way, the verdict stays."""
    (stop,) = [row for row in texts(told(), width) if "STOP" in row]
    if width >= 60:
        assert len(stop) <= width
        assert "max_spread_bps" in stop


def test_hostile_text_is_harmless() -> None:
    """Reasons come from agents and venues."""
    wish = line(1, "intent", **(WISH.data | {"reason": HOSTILE}))
    assert not any(set("\x1b\x07\n\u202e") & set(row) for row in texts(told(intents=(wish,))))


class Journal:
    """Answers when it is let."""

    def __init__(self, *, is_open: bool = True) -> None:
        self.asked: list[str] = []
        self.gate = threading.Event()
        self.reply = Reply(told())
        if is_open:
            self.gate.set()

    def __call__(self, target: str) -> Reply:
        self.asked.append(target)
        self.gate.wait(20)
        answer = self.reply.told
        return Reply(None if answer is None else told(intent_id=target), self.reply.trouble)


async def shows(stage: Stage, words: str) -> None:
    await stage.until(lambda: words in stage.text())


@pytest.mark.parametrize(
    ("keys", "target"),
    [
        ((), "BTCUSDT"),
        (("right_square_bracket",), "ETHUSDT"),
        (("5",), orders.shown(view())[0].order_id),
        (("6",), view().fills[-1].order_id),
        (("4", "down"), positions.held(view())[1].symbol),
        (("9",), "BTCUSDT"),
    ],
)
async def test_w_asks_about_what_a_person_stands_on(keys: tuple[str, ...], target: str) -> None:
    """An order where one is chosen, else the instrument."""
    journal = Journal()
    async with staged(size=L, why=journal) as stage:
        await stage.press(*keys, "w")
        await shows(stage, "wish")

        assert [target] == journal.asked


async def test_the_screen_lives_while_the_journal_is_asked() -> None:
    """It says that it asks; escape closes, and the answer that comes later opens nothing."""
    journal = Journal(is_open=False)
    async with staged(size=S, why=journal) as stage:
        await stage.press("w")
        assert "asking the journal" in stage.text()
        await stage.press("escape")
        assert "asking the journal" not in stage.text()
        journal.gate.set()
        await stage.settle()

        assert "wish" not in stage.text()
        assert "67,412.9" in stage.text()


async def test_an_answer_that_is_none_is_said() -> None:
    """As the journal says it."""
    journal = Journal()
    journal.reply = Reply(None, "the journal names no symbol and no intent")
    async with staged(size=S, why=journal) as stage:
        await stage.press("w")
        await shows(stage, "names no symbol")


async def test_enter_shows_the_line_and_walks_to_other_intents() -> None:
    """And backspace comes back."""
    journal = Journal()
    async with staged(size=M, why=journal) as stage:
        await stage.press("w")
        await shows(stage, "wish")
        assert "PAPER" in stage.rows()[0]
        await stage.press("enter")
        assert '"reason":"fast over slow"' in stage.text()
        assert "line 10  intent" in stage.text()
        await stage.press("enter")
        assert "line 10  intent" not in stage.text()
        await stage.press("end", "enter")
        await stage.until(lambda: journal.asked[-1:] == ["maker-6"])
        await shows(stage, "WHY maker-6")
        await stage.press("backspace")
        await stage.until(lambda: journal.asked[-1:] == ["BTCUSDT"])


async def test_the_danger_menu_opens_over_it() -> None:
    """Less risk is quick, whatever lies on the screen."""
    async with staged(size=S, why=Journal()) as stage:
        await stage.press("w")
        await shows(stage, "wish")
        await stage.press("ctrl+x")
        assert "DANGER" in stage.text()
