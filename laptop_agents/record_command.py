"""`laptop-agents record`: live markets to files, raw as they came and as quotes and trades.

DIR/raw/BTCUSDT-00001.jsonl.gz      `<receive ns> <message>`
DIR/csv/BTCUSDT-quotes-00001.csv.gz
DIR/csv/BTCUSDT-trades-00001.csv.gz
DIR/csv/instruments.json            what prices and sizes are steps of

`--source file:DIR/raw` plays the messages with their books, `--source file:DIR/csv` the tables.
Several sources have a folder each, DIR/SOURCE.
"""

import argparse
import asyncio
import os
import sys
import time
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Final

from engine.model.errors import UsageError
from engine.session.stops import GRACEFUL
from laptop_agents.cli import flags
from laptop_agents.home import find_home, profile_folder
from laptop_agents.recorder import TABLE_FORMATS, Recorder

if TYPE_CHECKING:
    from laptop_agents.settings import Settings

SAY_S: Final = 10.0


def run(arguments: argparse.Namespace) -> int:
    """Record until a signal or the duration ends it.

    Raises:
        UsageError: A source is none that can be recorded, or the format is none.
        DataUnavailable: A venue can't be reached.
        StateDamaged: The disk refuses, or is too slow.
    """
    home = find_home(os.environ)
    each = _settings(arguments, profile_folder(home))
    if arguments.format not in TABLE_FORMATS:
        raise UsageError(f"--format is one of {', '.join(TABLE_FORMATS)}")
    stamp = time.strftime("%Y%m%dT%H%M%SZ", time.gmtime())
    names = "-".join(settings.source for settings in each)
    folder = Path(arguments.to or home / "recordings" / f"{names}-{stamp}").absolute()
    os.umask(0o077)
    asyncio.run(_record(each, folder, arguments))
    return 0


def _settings(arguments: argparse.Namespace, profiles: Path) -> list["Settings"]:
    """Return the settings once for each source typed."""
    from laptop_agents.settings import LIVE_SOURCES, load  # noqa: PLC0415 - pydantic
    from laptop_agents.sources import Flag  # noqa: PLC0415 - the same

    typed = flags(arguments)
    texts = [flag.text for flag in typed if flag.name == "source"]
    typed = [flag for flag in typed if flag.name != "source"]
    names = dict.fromkeys(name.strip() for text in texts for name in text.split(","))
    if any(name not in LIVE_SOURCES for name in names):
        raise UsageError(f"record needs a live source: --source {', '.join(LIVE_SOURCES)}")
    chosen = [[*typed, Flag("--source", "source", name)] for name in names] or [typed]
    each = [load(row, os.environ, profiles=profiles) for row in chosen]
    if each[0].source not in LIVE_SOURCES:
        raise UsageError(f"record needs a live source: --source {', '.join(LIVE_SOURCES)}")
    return each


async def _record(each: Sequence["Settings"], folder: Path, arguments: argparse.Namespace) -> None:
    from brokers.link.tape import TapeConfig  # noqa: PLC0415 - this command only

    config = TapeConfig(rotate_mb=arguments.rotate_mb, keep_mb=arguments.keep_mb)
    folders = [folder if len(each) == 1 else folder / settings.source for settings in each]
    recorders = [
        Recorder(settings, path, arguments.format, config)
        for settings, path in zip(each, folders, strict=True)
    ]
    for recorder in recorders:
        await recorder.discover()
    _refuse_what_nobody_lists(each[0].symbols, recorders)
    await _until_over(each[0].session.duration_min, recorders)
    for recorder in recorders:
        sys.stdout.write(
            f"{recorder.source}: {recorder.summary()}\n"
            f"play it: laptop-agents --source file:{recorder.folder}/raw\n"
        )


def _refuse_what_nobody_lists(symbols: Sequence[str], recorders: Sequence[Recorder]) -> None:
    listed = {symbol for recorder in recorders for symbol in recorder.symbols}
    for symbol in symbols:
        if symbol not in listed:
            raise UsageError(f"unknown symbol {symbol}: no source of these lists it")


async def _until_over(minutes: float | None, recorders: Sequence[Recorder]) -> None:
    loop, over = asyncio.get_running_loop(), asyncio.Event()
    for number in GRACEFUL:
        loop.add_signal_handler(number, over.set)
    if minutes is not None:
        loop.call_later(minutes * 60, over.set)
    tasks = [asyncio.create_task(_one(recorder, over)) for recorder in recorders]
    await asyncio.wait(tasks, return_when=asyncio.FIRST_EXCEPTION)
    over.set()  # one that failed ends the others, which write what they have
    await asyncio.wait(tasks)
    for task in tasks:
        task.result()


async def _one(recorder: Recorder, over: asyncio.Event) -> None:
    def say() -> None:
        sys.stderr.write(f"{recorder.source}: {recorder.summary()}\n")

    symbols = ", ".join(recorder.symbols)
    sys.stderr.write(f"recording {symbols} of {recorder.source} to {recorder.folder}\n")
    await recorder.run(over, say, SAY_S)
