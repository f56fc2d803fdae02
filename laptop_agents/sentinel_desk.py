"""The account a sentinel clears up: the ledger of a simulated venue, or a real one with its key."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any

import msgspec

from brokers.paper.emergency import LedgerDesk
from brokers.paper.ledger import NAME as LEDGER_NAME
from engine.model.instrument import Instrument
from engine.venue import EmergencyDesk

if TYPE_CHECKING:
    from brokers.link.secret import Credentials
    from laptop_agents.settings import Settings


class Handed(msgspec.Struct):
    """What the engine hands over a pipe."""

    venue: str
    config: dict[str, Any]
    instruments: list[Instrument]
    run_id: str
    key: str
    secret: str
    extra: dict[str, str]


def handed(
    settings: "Settings",
    instruments: Sequence[Instrument],
    run_id: str,
    credentials: "Credentials",
) -> bytes:
    """Encode a real account; the bytes hold its key."""
    extra: Mapping[str, str] = credentials.extra
    return msgspec.json.encode(
        Handed(
            venue=settings.source,
            config=asdict(getattr(settings, settings.source)),
            instruments=list(instruments),
            run_id=run_id,
            key=credentials.key,
            secret=credentials.secret.reveal(),
            extra=dict(extra),
        )
    )


def open_desk(run: Path, account: bytes) -> EmergencyDesk:
    """Return the account; nothing is sent.

    Raises:
        StateDamaged: There is no ledger of a simulated one.
    """
    if not account:
        return LedgerDesk(run / LEDGER_NAME)
    from brokers.link.secret import Credentials, Secret  # noqa: PLC0415 - for live only
    from laptop_agents.venues import emergency_desk  # noqa: PLC0415 - the same

    told = msgspec.json.decode(account, type=Handed)
    credentials = Credentials(told.key, Secret(told.secret), told.extra)
    return emergency_desk(told.venue, credentials, told.config, told.instruments, told.run_id)
