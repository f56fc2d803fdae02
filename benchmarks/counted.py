"""A screen that counts itself: `python -m benchmarks.counted FILE [OPTION ...]`.

Runs laptop-agents with its options; every five seconds the screen appends a JSON line to FILE with
what a leak would show in and no one can see from outside: widgets, tasks and objects.
"""

import asyncio
import gc
import json
import sys
import time
from pathlib import Path
from typing import Final

from laptop_agents import __main__, attach_command
from tui.app import Workstation

EVERY_S: Final = 5.0


def count(app: Workstation, path: Path) -> None:
    """Append one line; what is garbage already is not counted."""
    gc.collect()
    line = {
        "at_s": time.monotonic(),
        "widgets": sum(len(list(screen.walk_children())) for screen in app.screen_stack),
        "tasks": len(asyncio.all_tasks()),
        "objects": len(gc.get_objects()),
    }
    with path.open("a") as file:
        file.write(json.dumps(line) + "\n")


def main(path: str, options: list[str]) -> int:
    """Run the program with a screen that counts itself from its start on."""
    at_start = attach_command.heed_signals

    def begin(app: Workstation) -> None:
        at_start(app)
        app.set_interval(EVERY_S, lambda: count(app, Path(path)))

    attach_command.heed_signals = begin
    return __main__.main(options)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1], sys.argv[2:]))
