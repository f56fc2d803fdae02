"""`laptop-agents serve [RUN]`: the screen of a running session in a browser of this machine.

It starts no engine and touches none: each visitor is one more `attach`. This machine alone can
reach it, whoever opens the printed address is the owner, and they only watch unless told otherwise.
"""

import argparse
import asyncio
import errno
import importlib.util
import os
import socket
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Final

from engine.model.errors import UsageError
from engine.session.control.client import Connection
from engine.session.sanitize import sanitize
from engine.session.stops import GRACEFUL
from laptop_agents.attach_command import greet, last_words
from laptop_agents.home import find_home
from laptop_agents.run_shelf import find_run, is_held
from laptop_agents.web.door import HOST

if TYPE_CHECKING:
    from laptop_agents.web.door import Door

EXTRA: Final = "textual_serve"
PORT_MAX: Final = 65_535
WATCH_S: Final = 1.0
"""How often it is seen whether the session still runs."""
CLOSE_S: Final = 1.0
"""How long answers under way may take at the end; screens are hung up on before that."""
WATCHES: Final = "They only watch; --control lets them lower risk."
CONTROLS: Final = (
    "They may lower risk: pause, cancel, flatten, close, kill. What raises it needs a terminal."
)


def run(arguments: argparse.Namespace) -> int:
    """Serve until somebody stops it, or the session ends.

    Raises:
        SessionUnreachable: No session runs there.
        UsageError: The extra is not installed, or the port is taken.
    """
    if importlib.util.find_spec(EXTRA) is None:
        raise UsageError("serve needs the extra web: pip install 'laptop-agents[web]'")
    port = _port(arguments.port)
    folder = find_run(arguments.run, find_home(os.environ))
    greet(folder)
    ended = asyncio.run(_serve(folder, _bound(port), has_control=arguments.control))
    if ended:
        sys.stdout.write(last_words(folder))
    else:
        sys.stdout.write(f"No longer in the browser; run {folder.name} goes on.\n")
    return 0


def _port(text: str) -> int:
    if not text.isascii() or not text.isdecimal() or int(text[:6]) > PORT_MAX:
        raise UsageError(f"--port takes 1 to {PORT_MAX}, or 0 for any that is free")
    return int(text[:6])


def _bound(port: int) -> socket.socket:
    """Return a socket of this machine alone."""
    sock = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        sock.bind((HOST, port))
    except OSError as error:
        sock.close()
        if error.errno in (errno.EADDRINUSE, errno.EACCES):
            raise UsageError(f"port {port} can't be had: --port names another") from None
        raise
    return sock


async def _serve(folder: Path, sock: socket.socket, *, has_control: bool) -> bool:
    """Serve one run; return whether it has ended."""
    from aiohttp import web  # noqa: PLC0415 - for a server only

    from laptop_agents.web.door import Door  # noqa: PLC0415
    from laptop_agents.web.site import Site  # noqa: PLC0415

    door = Door(sock.getsockname()[1])
    limit = "--lower-only" if has_control else "--read-only"
    site = Site(door, ("attach", limit, str(folder)))
    runner = web.AppRunner(site.application(), access_log=None, shutdown_timeout=CLOSE_S)
    await runner.setup()
    try:
        await web.SockSite(runner, sock).start()
        _say(folder, door, CONTROLS if has_control else WATCHES)
        return await _end(folder)
    finally:
        await runner.cleanup()


def _say(folder: Path, door: "Door", rights: str) -> None:
    with Connection.open(folder, "cli") as connection:
        welcome = connection.welcome
    simulated = " SIMULATED" if welcome.is_simulated else ""
    name = sanitize(f"{welcome.mode.upper()}{simulated} run {welcome.run_id} on {welcome.source}")
    sys.stdout.write(
        f"{name}\n  {door.address}\n"
        f"Whoever opens this address on this machine sees the session. {rights}\n"
        "ctrl+c closes it; the session goes on.\n"
    )
    sys.stdout.flush()


async def _end(folder: Path) -> bool:
    """Wait for a signal, or the end of the session; say whether it was the latter."""
    stopped = asyncio.Event()
    for number in GRACEFUL:
        asyncio.get_running_loop().add_signal_handler(number, stopped.set)
    while is_held(folder):
        try:
            await asyncio.wait_for(stopped.wait(), WATCH_S)
        except TimeoutError:
            continue
        return False
    return True
