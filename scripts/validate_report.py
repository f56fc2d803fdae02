"""What the report and the time series of an ended session must hold; for validate_session.sh.

Reads the files with nothing but the standard library and the words of the interface contract, so
that no bug of the engine can vouch for itself. Prints one line a check; exits 6 if one fails.
"""

import csv
import itertools
import json
import sys
from collections.abc import Callable
from decimal import Decimal
from pathlib import Path
from typing import Any, Final

DAMAGED: Final = 6
SECOND_NS: Final = 1_000_000_000
FIELDS: Final = (
    "run_id", "mode", "simulated", "symbols", "agents", "started_at", "ended_at", "duration_s",
    "requested_duration_s", "stop_reason", "exit_code", "starting_balance", "ending_balance",
    "equity", "pnl", "trades", "round_trips", "win_rate", "profit_factor", "expectancy", "avg_win",
    "avg_loss", "max_drawdown", "sharpe", "sortino", "exposure_pct", "turnover", "per_symbol",
    "per_agent", "orders", "errors", "reconnects", "malformed_ticks", "fsm", "breakers",
    "latency_us", "journal", "positions_at_end", "data_gaps",
)  # fmt: skip
"""interface.md, "final_report.json"."""

Report = dict[str, Any]
Check = Callable[[Report, Path], str]


class Failed(Exception):
    """A check that did not pass; its text is the finding."""


def fields(report: Report, _: Path) -> str:
    """Every field is there, also those whose figure is not known."""
    missing = [name for name in FIELDS if name not in report]
    if missing:
        raise Failed(f"missing: {', '.join(missing)}")
    return f"{len(FIELDS)} fields, ended by {report['stop_reason']}, exit {report['exit_code']}"


def identity(report: Report, _: Path) -> str:
    """The money adds up, to the last digit."""
    pnl = report["pnl"]
    gained = pnl["realised"] - pnl["fees"] + pnl["funding"] + pnl["unrealised"]
    expected, equity = report["starting_balance"] + gained, report["equity"]
    if equity != expected:
        raise Failed(f"equity is {equity:f}, but what made it comes to {expected:f}")
    return f"equity {equity:f} = start + realised - fees + funding + unrealised"


def positions(report: Report, _: Path) -> str:
    """Nothing is held any more."""
    held = [f"{one['symbol']} {one['qty']:+f}" for one in report["positions_at_end"]]
    if held:
        raise Failed(f"still held: {', '.join(held)}")
    return "flat at the end"


def metrics(report: Report, folder: Path) -> str:
    """One row for each second of the session, none missing, none twice."""
    with (folder / "metrics.csv").open(encoding="utf-8", newline="") as file:
        times = [int(row["ts"]) for row in csv.DictReader(file)]
    for before, after in itertools.pairwise(times):
        if after - before != SECOND_NS:
            raise Failed(f"after the row of ts {before} comes that of ts {after}")
    if abs(len(times) - report["duration_s"]) > 1:
        raise Failed(f"{len(times)} rows for {report['duration_s']} seconds")
    return f"{len(times)} rows, one a second"


CHECKS: Final[dict[str, Check]] = {
    "report": fields,
    "identity": identity,
    "positions": positions,
    "metrics": metrics,
}


def finding(check: Check, folder: Path) -> tuple[str, str]:
    """Return the mark and the words; a file or figure that can't be read is a failure as well."""
    try:
        text = (folder / "final_report.json").read_text(encoding="utf-8")
        report = json.loads(text, parse_float=Decimal, parse_int=Decimal)
        return "pass", check(report, folder)
    except Failed as failure:
        return "FAIL", str(failure)
    except OSError as error:
        return "FAIL", f"{error.strerror}: {error.filename}"
    except (ValueError, KeyError, TypeError) as error:
        return "FAIL", f"can't be read: {type(error).__name__} {error}"


def main(folder: Path) -> int:
    """Print every finding."""
    findings = [(name, *finding(check, folder)) for name, check in CHECKS.items()]
    for name, mark, words in findings:
        sys.stdout.write(f"{mark}  {name:<9}  {words}\n")
    return DAMAGED if any(mark == "FAIL" for _, mark, _ in findings) else 0


if __name__ == "__main__":
    sys.exit(main(Path(sys.argv[1])))
