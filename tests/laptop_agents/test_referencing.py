"""What a session is held against: which market, which instrument of it, and what is refused."""

from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

import pytest

from engine.model.errors import SettingsRefused
from laptop_agents.recorded_settings import recorded_settings
from laptop_agents.referencing import counterparts, same_coin
from laptop_agents.settings import Settings, load
from laptop_agents.sources import Flag
from tests.engine.factories import instrument

NOWHERE = Path("/nonexistent")

COINS = [
    # base, venue, its name there
    ("BTC", "hyperliquid", "BTC"),
    ("BTC", "binance", "BTCUSDT"),
    ("BTC", "bitunix", "BTCUSDT"),
    ("1000PEPE", "hyperliquid", "kPEPE"),
    ("kPEPE", "binance", "1000PEPEUSDT"),
    ("KAS", "binance", "KASUSDT"),
    ("k", "binance", "kUSDT"),
]


def settings(**given: str) -> Settings:
    flags = [Flag("--set", name.replace("__", "."), text) for name, text in given.items()]
    return load(flags, {}, profiles=NOWHERE)


@pytest.mark.parametrize(("base", "venue", "there"), COINS)
def test_the_same_coin(base: str, venue: str, there: str) -> None:
    """Contracts here, coins there; thousands are written in two ways."""
    assert there == same_coin(instrument(symbol="X", base=base), venue)


def test_what_is_told_wins() -> None:
    """One by one; the others are of the same coin."""
    told = settings(source="binance", reference__source="hyperliquid",
                    reference__symbols="AUSDT=kB")  # fmt: skip
    feed: Any = SimpleNamespace(
        instruments=[instrument(symbol="AUSDT", base="A"), instrument(symbol="CUSDT", base="C")]
    )
    assert {"AUSDT": "kB", "CUSDT": "C"} == counterparts(told, cast("Any", feed))


REFUSED = [
    # settings, what is said
    ({"source": "mock", "reference__source": "binance"}, "needs a session on a live source"),
    ({"source": "binance", "reference__source": "binance"}, "is the session's own market"),
    ({"reference__source": "kraken"}, "reference.source"),
    ({"reference__source": "binance", "reference__symbols": "BTC"}, "BTC is not OURS=THEIRS"),
    ({"reference__source": "binance", "reference__symbols": "BTC="}, "is not OURS=THEIRS"),
    ({"reference__source": "binance", "reference__symbols": "=BTC"}, "is not OURS=THEIRS"),
    ({"reference__source": "binance", "reference__symbols": "A=B=C"}, "is not OURS=THEIRS"),
]


@pytest.mark.parametrize(("given", "said"), REFUSED)
def test_refused(given: dict[str, str], said: str) -> None:
    """Before anything is asked of any venue."""
    with pytest.raises(SettingsRefused, match=said):
        settings(**given)


def test_none_is_asked_for_by_default() -> None:
    """And what was told is told again by a resume; a replay decides without knowing the venue."""
    assert (None, ()) == (settings().reference.source, settings().reference.symbols)
    recorded = {"source": "binance", "reference.source": "bitunix",
                "reference.symbols": "A=B,C=D", "risk.max_basis_deviation_bps": "50"}  # fmt: skip
    again = recorded_settings(recorded)
    assert ("bitunix", ("A=B", "C=D")) == (again.reference.source, again.reference.symbols)
    deciding = recorded_settings(recorded, deciding_only=True)
    assert (None, 50) == (deciding.reference.source, deciding.risk.max_basis_deviation_bps)
