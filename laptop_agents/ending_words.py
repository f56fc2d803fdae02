"""The last words of a session on the terminal: why it ended, what it made, what stays open."""

from collections.abc import Iterator, Sequence
from typing import Final

from engine.reports.schema import FinalReport
from engine.reports.shadow_schema import ShadowReport
from engine.risk.states import SHUTDOWN_DEADLINE
from laptop_agents.shadow_words import shadow_words

NAMED_MAX: Final = 5
"""Orders named one by one; the journal's last line has them all."""


def last_words(report: FinalReport, asked: str, working: Sequence[str]) -> Iterator[str]:
    """Yield the lines.

    Args:
        report: Of the session.
        asked: Why an end was asked for, before the close ran out of time.
        working: Orders that still work, or may.
    """
    why = report.stop_reason
    if why == SHUTDOWN_DEADLINE:
        why = f"{why} (asked for by {asked})" if asked else why
    yield (
        f"{why}: equity {report.equity:,.2f} ({report.pnl.net:+,.2f}),"
        f" {report.trades} fills, {report.round_trips} round trips, exit {report.exit_code}"
    )
    if isinstance(report.shadow, ShadowReport):
        yield from shadow_words(report.shadow)
    left = [f"{position.qty:f} {position.symbol}" for position in report.positions_at_end]
    if working:
        named = ", ".join(working[:NAMED_MAX])
        more = len(working) - NAMED_MAX
        left.append(f"{len(working)} orders ({named}{f' and {more} more' if more > 0 else ''})")
    if left:
        yield f"stays open: {'; '.join(left)}"
