"""How the session itself is doing: state, data, process, journal, errors. Pane 2.

What is wrong stands first, in the order below among itself.
"""

from collections.abc import Iterator, Mapping
from typing import ClassVar, Final

from engine.session.control.faces import StreamFace, SyncFace
from engine.session.control.views import MarketFace, RouterFace, View
from engine.session.health import HealthReading
from tui.format import UNKNOWN, age, between, big, clock, fit, latency, text
from tui.pane import Cell, Pane, Row
from tui.staleness import is_stale, limit_s, price_age
from tui.states import state_token
from tui.theme import Palette

LABEL_WIDTH: Final = 9
GRAVITY: Final = {"danger": 0, "warn": 1}
"""Tokens that move a fact up; the others stay where they are."""
HASH_DIGITS: Final = 8
"""Of the journal's last hash: enough to compare by eye."""
SYNCS_MAX: Final = 3
"""Looks at the venue's account that may be missed until what is known of it is old."""
MB: Final = 1_000_000
GB_OF_MB: Final = 1_024

Fact = tuple[str, str, str]
"""Label, words, token."""


def draw(view: View, width: int, height: int, palette: Palette) -> list[Row]:  # noqa: ARG001
    """Return a fact a row, the worst first."""
    facts = sorted(_facts(view), key=lambda fact: GRAVITY.get(fact[2], len(GRAVITY)))
    room = max(0, width - LABEL_WIDTH - 2)
    return [
        [
            Cell(f" {fit(text(label, LABEL_WIDTH), LABEL_WIDTH, 'left')} ", "dim"),
            Cell(text(words, room), token),
        ]
        for label, words, token in facts[:height]
    ]


def _facts(view: View) -> Iterator[Fact]:
    health = view.health
    yield _state(view)
    yield "process", _process(health.process), "text"
    yield _journal(view)
    yield from () if health.sync is None else (_sync(health.sync, view.session.ts_ns),)
    yield "hops p99", _hops(view.router), "text"
    yield "errors", _counts(health.errors), "text"
    yield "orders", _counts(health.orders), "text"
    streams = {stream.symbol: stream for stream in health.streams}
    for market in view.markets:
        yield _data(view, market, streams.get(market.symbol))
    feed = f"reconnects {health.reconnects}  stale after {limit_s(view):g}s"
    yield "feed", f"{feed}  screens {health.viewers}", "dim"


def _state(view: View) -> Fact:
    life, now_ns = view.lifecycle, view.session.ts_ns
    since = between(life.since_ns, now_ns)
    when = "" if since is None else f" since {clock(life.since_ns)} ({age(since)})"
    return "state", f"{life.state}{when}", state_token(life.state)


def _data(view: View, market: MarketFace, stream: StreamFace | None) -> Fact:
    """Return how old a market's prices are, how they arrive, and what is known of its book."""
    seconds = price_age(view, market)
    arrival = "" if stream is None else _arrival(stream)
    if seconds is None:
        return market.symbol, f"no data yet{arrival}", "dim"
    book = "book" if market.is_book_synced else "touch only"
    bar = "  SUSPENDED" if market.is_suspended else ""
    is_old = is_stale(seconds, limit_s(view))
    token = "warn" if market.is_suspended or is_old else "ok"
    mark = "! " if is_old else ""
    return market.symbol, f"{mark}{age(seconds)}{bar}{arrival}  {book}", token


def _arrival(stream: StreamFace) -> str:
    """Return the pace, the skew where the venue stamps, and what was kept out and why."""
    pace = UNKNOWN if stream.per_s is None else f"{stream.per_s:.0f}"
    skew = "" if stream.skew_ms is None else f"  skew {stream.skew_ms:+.0f}ms"
    refused = f"  refused {_counts(stream.refused)}" if any(stream.refused.values()) else ""
    return f"  {pace}/s{skew}{refused}"


def _process(reading: HealthReading) -> str:
    disk_gb = None if reading.disk_free_mb is None else reading.disk_free_mb / GB_OF_MB
    figures = (
        ("cpu", reading.cpu_pct, "%"),
        ("rss", reading.rss_mb, " MB"),
        ("disk", disk_gb, " GB"),
        ("loop", reading.loop_lag_ms, " ms"),
    )
    return "  ".join(
        f"{name} {UNKNOWN if value is None else f'{value:.0f}{unit}'}"
        for name, value, unit in figures
    )


def _journal(view: View) -> Fact:
    health = view.health
    if health.journal_failure:
        return "journal", f"FAILED: {health.journal_failure}", "danger"
    head = health.journal_head[:HASH_DIGITS] or UNKNOWN
    written = f"{health.journal_bytes / MB:,.1f} MB"
    unsynced = big(health.journal_unsynced)
    words = f"{big(health.journal_events)} events  {written}  unsynced {unsynced}  head {head}"
    return "journal", f"{words}  checkpoint {age(health.checkpoint_age_s)}", "ok"


def _sync(sync: SyncFace, now_ns: int) -> Fact:
    """Return how old the venue's last answer is, since when the account stands, what differs."""
    if sync.interval_s is None:
        return "sync", "off", "dim"
    seconds = between(sync.answered_ns, now_ns)
    is_old = seconds is not None and is_stale(seconds, SYNCS_MAX * sync.interval_s)
    words = [f"{'! ' if is_old else ''}{age(seconds)}"]
    words += [f"DIFFERS {_counts(sync.held)}"] if sync.held else []
    words += [f"{sync.failures} without answer"] if sync.failures else []
    words += [f"account as of {clock(sync.changed_ns)}"] if sync.changed_ns else []
    words += [f"foreign {sync.foreign}"] if sync.foreign else []
    token = "danger" if sync.held else "warn" if is_old or sync.failures else "ok"
    return "sync", "  ".join(words), token


def _hops(router: RouterFace) -> str:
    """Return how long each hop of an order's way takes, the slowest first."""
    hops = sorted(router.hops, key=lambda hop: -(hop[1].p99 or 0.0))
    return "  ".join(f"{name} {latency(times.p99)}" for name, times in hops) or UNKNOWN


def _counts(counts: Mapping[str, int]) -> str:
    """Return counters that are not zero; a session without any says so."""
    told = [f"{name} {big(count)}" for name, count in counts.items() if count]
    return "  ".join(told) or "none"


class HealthPane(Pane):
    """Draws `View.health` and the age of every market."""

    NUMBER: ClassVar[str] = "2"
    TITLE: ClassVar[str] = "Health"

    def draw(self, view: View, width: int, height: int) -> list[Row]:
        """Return the facts."""
        return draw(view, width, height, self.palette)

    def caption(self, view: View) -> str:
        """Return how many facts are wrong; nothing while none is."""
        wrong = sum(fact[2] in GRAVITY for fact in _facts(view))
        return f"({wrong} !)" if wrong else ""
