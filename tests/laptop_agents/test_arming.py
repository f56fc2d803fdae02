"""A person arms a session: by a file that counts once, or by typing; nothing else does."""

import os
import pty
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from brokers.link.account import Facts
from brokers.link.secret import Credentials, Secret
from engine.model.errors import CredentialsRefused, SettingsRefused, UsageError
from laptop_agents.admission import Admitted
from laptop_agents.arming import NO_CONSENT, TOKEN_AGE_S, Consent, arm, at_stake, spend
from laptop_agents.permits import agreed, permitted
from laptop_agents.reaching import Reached
from laptop_agents.settings import load
from laptop_agents.sources import Flag
from tests.engine.factories import D

NOWHERE = Path("/nowhere")
FACTS = Facts(
    tail="4321", balance=D(1_000), positions=(), open_orders=0, can_trade=True, can_withdraw=False,
    is_one_way=True, maker_fee_bps=None, taker_fee_bps=None, leverage=D(5), clock_offset_ns=0,
)  # fmt: skip


def live(*pairs: str) -> Any:
    words = ["mode=live", "source=binance", *pairs]
    return load([Flag("--set", *word.split("=", 1)) for word in words], {}, profiles=NOWHERE)


def admitted(*pairs: str) -> Admitted:
    key = Credentials("key-of-4321", Secret("canary-secret"))
    return Admitted(object(), FACTS, live(*pairs), key, "the keyring")  # type: ignore[arg-type]


@pytest.fixture
def token(tmp_path: Path) -> Path:
    path = tmp_path / "token"
    path.touch(0o600)
    path.write_text("binance\n")
    return path


def test_a_token_counts_once(token: Path) -> None:
    consent = Consent("binance", token)
    assert "token file" == arm(admitted(), consent)
    assert not token.exists()
    with pytest.raises(CredentialsRefused, match="can't be read"):
        arm(admitted(), consent)


def test_of_many_that_use_a_token_at_once_one_has_it(token: Path) -> None:
    """The start of two sessions at the same moment."""
    gate, armed = threading.Barrier(8), []

    def use() -> None:
        gate.wait()
        try:
            spend(token, "binance")
        except CredentialsRefused:
            return
        armed.append(1)

    threads = [threading.Thread(target=use) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert [1] == armed


def _open_to(mode: int) -> Callable[[Path], object]:
    return lambda path: path.chmod(mode)


def _aged(by_s: float) -> Callable[[Path], object]:
    return lambda path: os.utime(path, (time.time() - by_s,) * 2)


def _instead(make: Callable[[Path], object]) -> Callable[[Path], object]:
    def replace(path: Path) -> None:
        path.rename(path.with_name("real"))
        make(path)

    return replace


FLAWS = {
    "group": (_open_to(0o640), "open to others"),
    "world": (_open_to(0o604), "open to others"),
    "written by a group": (_open_to(0o620), "open to others"),
    "old": (_aged(TOKEN_AGE_S + 1), "too old"),
    "future": (_aged(-3_600), "from the future"),
    "symlink": (_instead(lambda path: path.symlink_to(path.with_name("real"))), "can't be read"),
    "fifo": (_instead(lambda path: os.mkfifo(path, 0o600)), "is no file"),
    "folder": (_instead(lambda path: path.mkdir(0o700)), "is no file"),
    "second name": (lambda path: os.link(path, path.with_name("again")), "another name"),
    "gone": (Path.unlink, "can't be read"),
    "another venue": (lambda path: path.write_text("bitunix\n"), "does not say binance"),
    "upper case": (lambda path: path.write_text("BINANCE\n"), "does not say binance"),
    "empty": (lambda path: path.write_text(""), "does not say binance"),
    "more": (lambda path: path.write_text("binance bitunix"), "does not say binance"),
    "no text": (lambda path: path.write_bytes(b"\xff\xfe\x00"), "does not say binance"),
    "long": (lambda path: path.write_text("binance" * 9_999), "does not say binance"),
}


@pytest.mark.parametrize("flaw", sorted(FLAWS))
def test_a_token_that_is_not_right_arms_nothing(flaw: str, token: Path) -> None:
    """And is left where it is, for whoever wonders why."""
    spoil, words = FLAWS[flaw]
    spoil(token)
    with pytest.raises(CredentialsRefused, match=words) as refused:
        spend(token, "binance")
    assert flaw == "gone" or token.is_symlink() or token.exists()
    assert "canary" not in str(refused.value)


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can give a file away")
def test_the_token_of_somebody_else_arms_nothing(token: Path) -> None:
    os.chown(token, 65_534, -1)
    with pytest.raises(CredentialsRefused, match="belongs to somebody else"):
        spend(token, "binance")


def test_the_owner_is_looked_at(token: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "geteuid", lambda: token.stat().st_uid + 1)
    with pytest.raises(CredentialsRefused, match="belongs to somebody else"):
        spend(token, "binance")


def test_a_folder_nothing_can_be_taken_from(token: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """What could not be used up would count again."""

    def stuck(_: Path) -> None:
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(Path, "unlink", stuck)
    with pytest.raises(CredentialsRefused, match="can't be used up"):
        spend(token, "binance")


# --- typed -----------------------------------------------------------------------------------

TYPING = """
import sys
from tests.laptop_agents.test_arming import admitted
from laptop_agents.arming import Consent, arm
from engine.model.errors import CredentialsRefused
try:
    print("ARMED BY", arm(admitted(), Consent("binance")))
except CredentialsRefused as error:
    print("REFUSED", error)
"""


def typed(text: bytes | None) -> str:
    """What a process on a terminal says to what is typed there; None types nothing and hangs up."""
    master, slave = pty.openpty()
    with subprocess.Popen(
        [sys.executable, "-c", TYPING], stdin=slave, stdout=slave, stderr=slave,
        cwd=Path(__file__).parents[2], start_new_session=True,
    ) as process:  # fmt: skip
        os.close(slave)
        said = b""
        while b"anything else leaves" not in said:
            said += os.read(master, 4_096)
        os.write(master, b"\x04" if text is None else text)
        while True:
            try:
                more = os.read(master, 4_096)
            except OSError:  # a terminal nobody holds any more
                break
            if not more:
                break
            said += more
        process.wait(30)
    os.close(master)
    return said.decode().replace("\r\n", "\n")


def test_the_venues_name_typed_on_a_terminal_arms() -> None:
    said = typed(b"binance\n")
    assert "ARMED BY a person at the terminal" in said
    assert "LIVE at binance: real orders, real money." in said
    assert "...4321, key from the keyring" in said
    assert "canary-secret" not in said


@pytest.mark.parametrize("text", [b"\n", b"yes\n", b"y\n", b"bitunix\n", b"Binance\n", None])
def test_anything_else_does_not(text: bytes | None) -> None:
    said = typed(text)
    assert "REFUSED not armed: nothing was sent" in said
    assert "ARMED BY" not in said


def test_without_a_terminal_typing_is_no_way(monkeypatch: pytest.MonkeyPatch) -> None:
    """A pipe that says the right word is nobody."""
    with open(os.devnull) as nothing:
        monkeypatch.setattr("sys.stdin", nothing)
        with pytest.raises(CredentialsRefused, match="no terminal to type on"):
            arm(admitted(), Consent("binance"))


def test_what_is_at_stake_is_told() -> None:
    lines = "\n".join(at_stake(admitted("risk.max_loss_pct=3", "live.arm_ttl_s=7200")))
    assert "margin     up to 5x" in lines
    assert "worst loss 30.00 (3%)" in lines
    assert "armed for  2 h" in lines


# --- the command line ------------------------------------------------------------------------


@pytest.mark.parametrize("venue", ["", "bitunix", "Binance", "binance "])
def test_the_venue_is_named_or_nothing_is_asked(venue: str) -> None:
    with pytest.raises(UsageError, match="--yes-live binance"):
        agreed(live(), Consent(venue))
    agreed(live(), Consent("binance"))


@pytest.mark.parametrize("consent", [Consent("binance"), Consent("", Path("token"))])
def test_consent_to_a_paper_session_is_a_mistake(consent: Consent) -> None:
    paper = load([], {}, profiles=NOWHERE)
    with pytest.raises(UsageError, match="belong to --mode live"):
        agreed(paper, consent)
    agreed(paper, NO_CONSENT)


def test_a_paper_session_gets_no_permit() -> None:
    found = Reached(load([], {}, profiles=NOWHERE), None)
    assert found is permitted(found, Consent("binance", Path("token")), NOWHERE)


def test_live_is_never_taken_from_the_environment_alone() -> None:
    environ = {"LAPTOP_AGENTS_MODE": "live", "LAPTOP_AGENTS_SOURCE": "binance"}
    with pytest.raises(SettingsRefused) as refused:
        load([], environ, profiles=NOWHERE)
    assert ["mode: live is never taken from the environment alone (env LAPTOP_AGENTS_MODE)"] == [
        problem for problem in refused.value.problems if "alone" in problem
    ]
    assert "live" == load([Flag("--mode", "mode", "live")], environ, profiles=NOWHERE).mode
    with pytest.raises(SettingsRefused, match="can be traded on"):
        load([Flag("--mode", "mode", "live")], {"LAPTOP_AGENTS_SOURCE": "mock"}, profiles=NOWHERE)
