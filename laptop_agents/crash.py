"""Keeps the trace of a bug out of the user's sight and in a file.

The trace has frames and messages, never local variables. A message may hold what a library put into
it, a signed URL say: each line passes the same filters as a line of session.log.

Source: reliability.md section 0.5, F2.
"""

import os
import time
import traceback
from collections.abc import Mapping

from brokers.link.secret import held
from engine.session.sanitize import Redactor, sanitize, secrets_of
from laptop_agents.home import FILE_MODE, find_home, prepare_home
from laptop_agents.version import __version__

TRACE_MAX = 256 * 1024
"""Characters kept of one trace: a recursion without end has a thousand frames."""
LINE_MAX = 2_000
"""Characters of one line: a message, not a page of HTML."""


def keep_trace(error: BaseException, environ: Mapping[str, str]) -> str:
    """Append the trace to `<home>/crash.log` and return a clause that says where it is."""
    redactor = Redactor((*secrets_of(environ), *held()))
    trace = redactor.text("".join(traceback.format_exception(error))[:TRACE_MAX])
    text = "".join(f"{sanitize(line, LINE_MAX)}\n" for line in trace.split("\n"))
    stamp = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime())
    try:
        path = prepare_home(find_home(environ)) / "crash.log"
        flags = os.O_WRONLY | os.O_CREAT | os.O_APPEND | os.O_NOFOLLOW
        with open(os.open(path, flags, FILE_MODE), "a", encoding="utf-8", errors="replace") as log:
            log.write(f"{stamp} laptop-agents {__version__}\n{text}")
    except Exception:  # noqa: BLE001 - this runs inside the handler of last resort
        return "its trace could not be written"
    return f"its trace is in {path}"
