"""Keeps the trace of a bug out of the user's sight and in a file."""

import os
import time
import traceback
from collections.abc import Mapping

from laptop_agents.home import FILE_MODE, find_home, prepare_home
from laptop_agents.version import __version__


def keep_trace(error: BaseException, environ: Mapping[str, str]) -> str:
    """Append the trace to `<home>/crash.log` and return a clause that says where it is."""
    text = "".join(traceback.format_exception(error))
    stamp = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime())
    try:
        path = prepare_home(find_home(environ)) / "crash.log"
        flags = os.O_WRONLY | os.O_CREAT | os.O_APPEND | os.O_NOFOLLOW
        with open(os.open(path, flags, FILE_MODE), "a", encoding="utf-8", errors="replace") as log:
            log.write(f"{stamp} laptop-agents {__version__}\n{text}\n")
    except Exception:  # noqa: BLE001 - this runs inside the handler of last resort
        return "its trace could not be written"
    return f"its trace is in {path}"
