"""The screen in a real browser: it loads, moves, and sends no more than it may (T15)."""

import re
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.end_to_end.browser import Browser, Page, needs_chromium
from tests.end_to_end.test_serve import Open, opened, until
from tui.danger import ARMED_S, GUARD_S

__all__ = ["opened"]
pytestmark = needs_chromium
PATIENCE_S = 60.0


@pytest.fixture
def browser(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Browser]:
    """A browser with a profile of its own."""
    browser = Browser(tmp_path_factory.mktemp("browser") / "profile")
    yield browser
    browser.close()


def bid(text: str) -> str:
    found = re.search(r">BTCUSDT\s+([\d,.]+)", text)
    return found[1] if found else ""


def equity(text: str) -> str:
    found = re.search(r" Eq ([\d,.]+)", text)
    return found[1] if found else ""


def test_a_page_loads_and_a_quote_changes(opened: Open, browser: Browser, tmp_path: Path) -> None:
    """Painted in pixels, nothing asked of any other machine, no complaint of the browser."""
    house = opened()
    page = browser.open(house.address)
    first = bid(page.until(lambda text: "PAPER  SIMULATED" in text and bool(bid(text))))
    before = page.screenshot()
    page.until(lambda text: bid(text) not in ("", first))
    until(lambda: before != page.screenshot())

    (tmp_path / "page.png").write_bytes(page.screenshot())
    assert len(before) > 20_000, "an empty page is a few kilobytes"
    assert [] == page.complaints
    assert all(re.match(r"(http|ws)://127\.0\.0\.1:\d+/", address) for address in page.asked)
    assert page.script("document.fonts.check('14px Roboto Mono')")
    assert house.token not in page.script("location.href + document.referrer + document.cookie")


def test_two_viewers_one_engine(opened: Open, browser: Browser) -> None:
    """Same figures on both; what a watcher asks for is refused and never reaches the session."""
    house = opened()
    one, other = browser.open(house.address), browser.open(house.address)
    for page in (one, other):
        page.until(lambda text: bool(equity(text)))
    run_id = house.session.run.path.resolve().name
    assert run_id in one.text()
    assert run_id in other.text()
    seen: set[tuple[str, str]] = set()
    other.until(lambda text: (bid(text), equity(text)) in seen or bool(seen.add(look(one))))
    assert 2 == len(house.screens())
    assert 1 == len(list((house.session.home / "runs").glob("2*")))

    other.press("P")
    other.until(lambda text: "PAUSE: NOT SENT, this screen only watches" in text)
    other.press("\x18k")
    other.until(lambda text: "KILL: NOT SENT, this screen only watches" in text)

    assert [] == house.session.run.lines("operator_command")[1:]
    one.until(lambda text: "ACTIVE" in text)


def look(page: object) -> tuple[str, str]:
    """What a page shows now."""
    page.screenshot()  # an answer comes after all that was painted before it
    return bid(page.text()), equity(page.text())


def insist(page: Page, arming: str, asks: str, key: str, is_done: Callable[[], bool]) -> None:
    """Press two keys, anew where the menu disarmed before the second one reached it.

    It disarms after seconds that a crowded machine may need from a key to the screen and back.
    """
    deadline = time.monotonic() + PATIENCE_S
    while not is_done():
        assert time.monotonic() < deadline, page.text()
        page.press(arming)
        if page.shows(lambda text: asks in text, ARMED_S):
            page.wait(GUARD_S)
            page.press(key)
            page.shows(lambda _: is_done(), 2 * ARMED_S)


def test_with_control_risk_can_be_lowered_and_not_raised(opened: Open, browser: Browser) -> None:
    """Pause acts, the resume after it is refused, and the two keys of the danger menu kill."""
    house = opened("--control")
    page = browser.open(house.address)
    page.until(lambda text: "ACTIVE" in text)
    page.press("P")
    page.until(lambda text: "PAUSE: sent" in text and "done in" in text)
    refused = "RESUME: NOT SENT, this screen only lowers risk"
    insist(page, "P", "y  resume", "y", lambda: refused in page.text())
    report = house.session.run.path / "final_report.json"
    insist(page, "\x18", "DANGER  PAPER", "k", report.exists)

    assert 0 == house.server.end().code
    assert "operator_kill" == house.session.run.report()["stop_reason"]
    commands = [line["data"]["command"] for line in house.session.run.lines("operator_command")]
    assert ("pause", "kill") == (commands[0], commands[-1])
    assert {"pause", "kill"} == set(commands), "one P too early pauses again"
