"""`laptop-agents sandbox VENUE`: an exchange on this machine that speaks a venue's protocol."""

import argparse
import asyncio
import contextlib
import sys
import tempfile
from collections.abc import Iterator
from decimal import Decimal, InvalidOperation
from pathlib import Path
from typing import TYPE_CHECKING, Final

from engine.model.errors import UsageError
from engine.session.stops import GRACEFUL
from laptop_agents.sandbox_market import played
from laptop_agents.sandbox_venues import VENUES, Opened

if TYPE_CHECKING:
    from brokers.sandbox.certificate import Identity
    from brokers.sandbox.market import SandboxMarket

HOST: Final = "127.0.0.1"
"""Loopback and nothing else: it has no lock on its door."""
LEAVE_S: Final = 0.2
"""For connections to close."""
FAULTS: Final = "/sandbox/faults"
"""Where a sandbox with a fault menu has it."""
BALANCE_MAX: Final = Decimal(10) ** 12


def run(arguments: argparse.Namespace) -> int:
    """Run an exchange until a signal ends it, or its recording.

    Raises:
        UsageError: No such venue, an unknown symbol, a port that can't be had, or a certificate
            that can't be used.
        DataUnavailable: A recording or a ledger can't be opened.
    """
    if arguments.venue not in VENUES:
        raise UsageError(f"no sandbox of {arguments.venue!r}: there is {', '.join(VENUES)}")
    from brokers.sandbox.market import SandboxMarket  # noqa: PLC0415 - this command only
    from brokers.sandbox.venue_ledger import VenueLedger  # noqa: PLC0415 - this command only

    balance = _balance(arguments.balance)
    market = SandboxMarket(played(arguments))
    opened = VENUES[arguments.venue].open(market, balance)
    ledger = VenueLedger(Path(arguments.ledger)) if arguments.ledger else None
    if ledger is not None:
        opened.exchange.listen(ledger)
    try:
        with _identity(arguments) as identity:
            asyncio.run(_serve(arguments, market, opened, identity))
    finally:
        if ledger is not None:
            ledger.close()
    return 0


def _balance(text: str) -> Decimal:
    try:
        balance = Decimal(text)
    except InvalidOperation:
        balance = Decimal(0)
    if not (balance.is_finite() and 0 < balance <= BALANCE_MAX):
        raise UsageError(f"--balance must be an amount above 0, not {text[:40]!r}")
    return balance


@contextlib.contextmanager
def _identity(arguments: argparse.Namespace) -> "Iterator[Identity | None]":
    """Return what the sandbox proves itself with; None speaks in the open."""
    if bool(arguments.cert) != bool(arguments.key):
        raise UsageError("--cert and --key go together")
    if not (arguments.tls or arguments.cert):
        yield None
        return
    from brokers.sandbox.certificate import Identity, self_signed  # noqa: PLC0415 - with TLS only

    if arguments.cert:
        yield Identity(Path(arguments.cert), Path(arguments.key))
        return
    with tempfile.TemporaryDirectory(prefix="laptop-agents-sandbox-") as folder:
        yield self_signed(Path(folder))


async def _serve(
    arguments: argparse.Namespace,
    market: "SandboxMarket",
    opened: Opened,
    identity: "Identity | None",
) -> None:
    from aiohttp import web  # noqa: PLC0415 - this command only

    tls = None if identity is None else identity.serving()
    runner = web.AppRunner(opened.app, access_log=None, shutdown_timeout=LEAVE_S)
    await runner.setup()
    try:
        await web.TCPSite(runner, HOST, arguments.port, ssl_context=tls).start()
    except OSError as error:
        await runner.cleanup()
        raise UsageError(f"port {arguments.port} can't be had: {error.strerror}") from error
    has_faults = any(one.canonical == FAULTS for one in opened.app.router.resources())
    at = f"{HOST}:{runner.addresses[0][1]}"
    _announce(arguments, at, FAULTS if has_faults else "", identity)
    playing = asyncio.create_task(market.play())
    loop = asyncio.get_running_loop()
    for number in GRACEFUL:
        loop.add_signal_handler(number, playing.cancel)
    await asyncio.gather(playing, return_exceptions=True)
    await runner.cleanup()
    if not playing.cancelled():
        playing.result()
        sys.stdout.write("the recording has ended, and the sandbox with it\n")


def _announce(
    arguments: argparse.Namespace, at: str, faults: str, identity: "Identity | None"
) -> None:
    name, safe = arguments.venue, "" if identity is None else "s"
    venue = VENUES[name]
    prices = "recorded prices" if arguments.file else "invented prices"
    lines = [f"{name} sandbox: {prices}, no money, loopback only"]
    words = [setting.replace("://", f"{safe}://") for setting in venue.settings]
    lines += [f"{name}.{word.format(at=at)}" for word in words]
    if identity is not None:
        lines.append(f"{name}.ca_file={identity.certificate.absolute()}")
    lines += venue.keys()
    if faults:
        lines.append(f"faults: http{safe}://{at}{faults}")
    sys.stdout.write("".join(f"{line}\n" for line in lines))
    sys.stdout.flush()
