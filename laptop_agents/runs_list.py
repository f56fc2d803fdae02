"""`laptop-agents runs list` and `runs show [RUN|PATH]`."""

import argparse
import os
import sys
from collections.abc import Iterator, Mapping, Sequence
from decimal import Decimal
from pathlib import Path
from typing import Any

import msgspec

from engine.model.errors import StateDamaged
from engine.reports.final_report import NAME as REPORT_NAME
from engine.session.manifest import NAME as MANIFEST_NAME
from engine.session.sanitize import sanitize
from laptop_agents.audit_words import ascii_json, columns, details, figure
from laptop_agents.home import find_home
from laptop_agents.run_shelf import RunSummary, document, find_run, shelf, summary

UNKNOWN = "-"
DEFAULT_ORIGINS = ("default", "profile default")
_ENCODER = msgspec.json.Encoder(decimal_format="number")
HEADINGS = ("run", "started", "took", "mode", "stop reason", "equity", "net PnL", "fills")
FIGURES = (
    # word, path in the report
    ("stop reason", "stop_reason"),
    ("exit code", "exit_code"),
    ("took", "duration_s"),
    ("starting balance", "starting_balance"),
    ("equity", "equity"),
    ("net PnL", "pnl.net"),
    ("  realised", "pnl.realised"),
    ("  unrealised", "pnl.unrealised"),
    ("  fees", "pnl.fees"),
    ("  funding", "pnl.funding"),
    ("net PnL %", "pnl.pct"),
    ("max drawdown %", "max_drawdown.pct"),
    ("fills", "trades"),
    ("round trips", "round_trips"),
    ("win rate", "win_rate"),
    ("profit factor", "profit_factor"),
    ("orders", "orders"),
    ("errors", "errors"),
    ("reconnects", "reconnects"),
    ("malformed ticks", "malformed_ticks"),
    ("final state", "fsm.final_state"),
    ("journal lines", "journal.events"),
    ("journal head", "journal.head_hash"),
)


def run(arguments: argparse.Namespace) -> int:
    """Print what the verb asks for."""
    home = find_home(os.environ)
    if arguments.verb == "list":
        text = _list(home, as_json=arguments.json)
    else:
        text = _show(find_run(arguments.run, home), as_json=arguments.json)
    sys.stdout.write(text + "\n")
    return 0


# --- list ----------------------------------------------------------------------------------------


def _list(home: Path, *, as_json: bool) -> str:
    runs = shelf(home)
    if as_json:
        return ascii_json(_ENCODER.encode([_facts(one) for one in runs]))
    if not runs:
        return f"no runs in {sanitize(str(home), 4_096)}"
    return "\n".join(columns([HEADINGS, *map(_row, runs)], right=(2, 5, 6, 7)))


def _facts(one: RunSummary) -> dict[str, object]:
    return {
        "run_id": one.run_id,
        "started_at": one.started_at or None,
        "duration_s": one.ending.duration_s,
        "mode": one.mode or None,
        "simulated": one.simulated,
        "is_running": one.is_running,
        "stop_reason": one.ending.stop_reason or None,
        "equity": one.ending.equity,
        "net_pnl": one.ending.net_pnl,
        "fills": one.ending.fills,
    }


def _row(one: RunSummary) -> tuple[str, ...]:
    ending = one.ending
    mode = sanitize(one.mode) or UNKNOWN
    return (
        one.run_id,
        sanitize(one.started_at, 20) or UNKNOWN,
        UNKNOWN if ending.duration_s is None else _took(ending.duration_s),
        f"{mode} SIMULATED" if one.simulated else mode,
        sanitize(ending.stop_reason) or UNKNOWN,
        UNKNOWN if ending.equity is None else f"{ending.equity:z,.2f}",
        UNKNOWN if ending.net_pnl is None else f"{ending.net_pnl:+z,.2f}",
        UNKNOWN if ending.fills is None else str(ending.fills),
    )


def _took(seconds: float) -> str:
    minutes, rest = divmod(round(seconds), 60)
    return f"{minutes // 60}:{minutes % 60:02}:{rest:02}"


# --- show ----------------------------------------------------------------------------------------


def _show(folder: Path, *, as_json: bool) -> str:
    manifest, report = document(folder / MANIFEST_NAME), document(folder / REPORT_NAME)
    if not manifest and (folder / MANIFEST_NAME).exists():
        raise StateDamaged(f"{folder / MANIFEST_NAME} can't be read: it is cut off or damaged")
    one = summary(folder)
    if as_json:
        whole = {"status": _facts(one), "manifest": manifest or None, "report": report or None}
        return ascii_json(_ENCODER.encode(whole))
    rows = [*_told(one, manifest), ("", ""), *_came(one, report)]
    return "\n".join(columns(rows))


def _told(one: RunSummary, manifest: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    yield "run", one.run_id
    yield "folder", sanitize(str(one.folder), 4_096)
    yield "mode", _row(one)[3]
    for word, name in (
        ("source", "source"),
        ("symbols", "symbols"),
        ("agents", "agents"),
        ("seed", "seed"),
        ("started", "started_at"),
        ("ended", "ended_at"),
        ("resumed from", "parent_run"),
        ("versions", "versions"),
        ("git revision", "git_revision"),
    ):
        if manifest.get(name) is not None:
            yield word, _shown(manifest[name])
    settings = manifest.get("settings")
    for name, setting in (settings if isinstance(settings, dict) else {}).items():
        if isinstance(setting, dict) and setting.get("origin") not in DEFAULT_ORIGINS:
            origin = sanitize(str(setting.get("origin")))
            yield sanitize(name), f"{_shown(setting.get('value'))} ({origin})"


def _came(one: RunSummary, report: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    if not report:
        yield "stop reason", one.ending.stop_reason
        for word, cell in zip(HEADINGS[5:], _row(one)[5:], strict=True):
            yield word, f"{cell} (last heartbeat)"
        return
    for word, path in FIGURES:
        yield word, _shown(_at(report, path.split(".")))


def _at(node: Any, path: Sequence[str]) -> Any:
    for name in path:
        node = node.get(name) if isinstance(node, dict) else None
    return node


def _shown(value: object) -> str:
    if value is None:
        return UNKNOWN
    if isinstance(value, Decimal):
        return sanitize(str(value) if figure(value) is None else f"{value:f}")
    if isinstance(value, dict):
        flat = {k: _shown(v) if isinstance(v, dict) else v for k, v in value.items()}
        return details(flat) or "none"
    if isinstance(value, list):
        return sanitize(",".join(map(str, value))) or "none"
    return sanitize(str(value))
