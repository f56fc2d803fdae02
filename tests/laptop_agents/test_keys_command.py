"""`laptop-agents keys`: what is typed, what is said, how it ends; and no key is ever shown."""

import asyncio
import dataclasses
import io
import json
import sys
from collections.abc import Callable, Iterator
from decimal import Decimal
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from brokers.link.account import Facts
from brokers.link.secret import Credentials
from engine.model.errors import CredentialsRefused, DataUnavailable
from laptop_agents import __main__ as program
from laptop_agents import keys_check
from laptop_agents.keys_shape import VAULT_VARIABLE
from tests.canary import CANARY, spelled
from tests.laptop_agents.keyrings import Vault as Keyring
from tests.laptop_agents.keyrings import trusted

if TYPE_CHECKING:
    from laptop_agents.settings import Settings

KEY, NEW = "public-half-" + CANARY[:-4] + "old4", "public-half-" + CANARY[:-4] + "new4"
NEW_SECRET = CANARY[::-1] + "2"
WORDS = "correct horse battery"
GOOD = Facts(
    tail="xxxxold4",
    balance=Decimal("1000.50"),
    positions=(),
    open_orders=0,
    can_trade=True,
    can_withdraw=False,
    is_one_way=True,
    maker_fee_bps=None,
    taker_fee_bps=None,
    leverage=Decimal(5),
    clock_offset_ns=-12_345_678,
)


@pytest.fixture
def keyring() -> Iterator[Keyring]:
    with trusted(Keyring()) as keyring:
        yield keyring


@dataclasses.dataclass
class Said:
    """How a command ended."""

    code: int
    out: str
    err: str


Type = Callable[..., Said]


@pytest.fixture
def types(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> Type:
    """Return what runs a command; whatever it says is searched for both halves of every key."""
    monkeypatch.setenv("LAPTOP_AGENTS_HOME", str(tmp_path / "home"))

    def run(*words: str, piped: str | bytes = "") -> Said:
        content = piped if isinstance(piped, bytes) else piped.encode()
        monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(content)))
        code = program.main(["keys", *words])
        said = Said(code, *capsys.readouterr())
        for secret in (CANARY, KEY, NEW, NEW_SECRET, WORDS):
            assert [] == list(spelled(secret, said.out, said.err))
        return said

    return run


def both(key: str = KEY, secret: str = CANARY) -> str:
    return f"{key}\n{secret}\n"


class Venue:
    """Stands for a venue that is asked about a key."""

    def __init__(self) -> None:
        self.answers: dict[str, Facts | Exception] = {}
        self.asked: list[Credentials] = []

    async def __call__(self, credentials: Credentials, settings: "Settings") -> Facts:
        assert "binance" == settings.source
        self.asked.append(credentials)
        answer = self.answers.get(credentials.key, GOOD)
        if isinstance(answer, Exception):
            raise answer
        return answer


@pytest.fixture
def venue(monkeypatch: pytest.MonkeyPatch) -> Venue:
    venue = Venue()
    monkeypatch.setitem(keys_check.ASKERS, "binance", venue)
    return venue


def test_set_keeps_a_key_in_the_keyring(keyring: Keyring, types: Type, tmp_path: Path) -> None:
    """And leaves nothing on the disk."""
    said = types("set", "binance", "--stdin", piped=both())

    assert (0, "binance ...old4 is kept in the keyring, entry venue-binance\n", "") == (
        said.code, said.out, said.err,
    )  # fmt: skip
    assert CANARY == json.loads(keyring.kept["laptop-agents", "venue-binance"])["secret"]
    assert not (tmp_path / "home").exists()


def test_set_takes_the_vault_where_no_keyring_is(
    types: Type, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Says why; without a passphrase nothing is kept, and said what to do."""
    said = types("set", "binance", "--stdin", piped=both())
    assert 7 == said.code
    assert f"error: the vault needs its passphrase: set {VAULT_VARIABLE}" in said.err
    monkeypatch.setenv(VAULT_VARIABLE, WORDS)
    said = types("set", "binance", "--stdin", piped=both())

    assert 0 == said.code
    assert "note: not kept in the keyring but in the vault: no keyring to trust" in said.err
    assert f"binance ...old4 is kept in {tmp_path}/home/keys/vault\n" == said.out


@pytest.mark.parametrize("place", ["keyring", "file", "vault"])
def test_set_list_and_delete_in_each_place(
    keyring: Keyring, types: Type, monkeypatch: pytest.MonkeyPatch, place: str, tmp_path: Path
) -> None:
    """From one end to the other."""
    monkeypatch.setenv(VAULT_VARIABLE, WORDS)
    assert "no keys: `laptop-agents keys set VENUE`\n" == types("list").out
    types("set", "bitunix", "--stdin", "--in", place, piped=both())
    assert f"bitunix      {place:<11}  ...old4  today         used\n" == types("list").out
    row = json.loads(types("list", "--json").out)[0]
    assert ("bitunix", place, "old4", True, "") == (
        row["venue"], row["origin"], row["tail"], row["is_used"], row["trouble"],
    )  # fmt: skip
    assert 20 == len(row["kept_at"])
    said = types("delete", "bitunix")
    assert 0 == said.code
    assert "bitunix: deleted from " in said.out
    assert "no keys: `laptop-agents keys set VENUE`\n" == types("list").out
    assert {} == keyring.kept
    assert [] == [path for path in tmp_path.rglob("*") if path.is_file()]


def test_set_says_when_another_key_is_used_before_it(
    keyring: Keyring, types: Type, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Otherwise somebody waits for the new one to work."""
    monkeypatch.setenv("LAPTOP_AGENTS_BINANCE_KEY", KEY)
    monkeypatch.setenv("LAPTOP_AGENTS_BINANCE_SECRET", CANARY)
    said = types("set", "binance", "--stdin", "--in", "file", piped=both(NEW, NEW_SECRET))
    assert "note: not used as long as there is one in LAPTOP_AGENTS_BINANCE_KEY and" in said.err
    assert "" == types("set", "binance", "--stdin", piped=both(NEW, NEW_SECRET)).err
    lines = types("list").out.splitlines()

    assert ["used", "first", "first"] == [line.split()[-1] for line in lines]
    assert "age unknown" in lines[1]


PIPED = [
    # what comes in, what is said
    ("", "the API key must be 8 to 256"),
    (f"{KEY}\n", "the API secret must be 8 to 256"),
    (f"{KEY}\n{CANARY} {CANARY}\n", "the API secret must be 8 to 256"),
    (f"{KEY}\n{'x' * 5_000}\n", "the API secret must be 8 to 256"),
    (f"{KEY}\n".encode() + CANARY.encode() + b"\xff\n", "the API secret must be 8 to 256"),
]


@pytest.mark.parametrize(("piped", "reason"), PIPED)
def test_what_can_t_be_a_key_is_not_kept(
    keyring: Keyring, types: Type, piped: str | bytes, reason: str, tmp_path: Path
) -> None:
    """Exit 7 and no trace of it, in a crash report neither."""
    said = types("set", "binance", "--stdin", piped=piped)

    assert 7 == said.code
    assert reason in said.err
    assert {} == keyring.kept
    assert not (tmp_path / "home").exists()


def test_a_key_pasted_with_blanks_and_windows_ends_is_taken(keyring: Keyring, types: Type) -> None:
    """Both come with copying."""
    assert 0 == types("set", "binance", "--stdin", piped=f"  {KEY} \r\n{CANARY}\r\n").code
    assert CANARY == json.loads(keyring.kept["laptop-agents", "venue-binance"])["secret"]


def test_without_a_terminal_nothing_is_asked(types: Type) -> None:
    """Nor read from a pipe that was not meant."""
    said = types("set", "binance", piped=both())

    assert 7 == said.code
    assert "say --stdin" in said.err


def test_a_key_on_the_command_line_is_refused(types: Type) -> None:
    """It would stand in the shell's history; it is not repeated."""
    for words in (("set", "binance", KEY, CANARY), ("set", CANARY), ("set", f"--key={CANARY}")):
        assert 2 == types(*words).code


# What a venue says of a key.

VERDICTS = [
    # what differs from a good key, exit code, said
    ({}, 0, ""),
    ({"can_trade": False}, 7, "error: this key is not fit for live trading: it can't trade"),
    ({"can_withdraw": True}, 7, "it can withdraw: make one without that right"),
    ({"can_trade": False, "can_withdraw": True}, 7, "it can't trade: allow futures trading for"),
    ({"can_withdraw": None}, 0, "note: the venue does not tell what this key may do"),
    ({"is_one_way": False}, 0, "note: the account holds long and short apart"),
    ({"clock_offset_ns": 1_500_000_000}, 0, "note: this machine's clock is off"),
    ({"clock_offset_ns": -1_500_000_000}, 0, "note: this machine's clock is off"),
]


@pytest.mark.parametrize(("change", "code", "words"), VERDICTS)
def test_check_judges_what_the_venue_says(
    keyring: Keyring, types: Type, venue: Venue, change: dict, code: int, words: str
) -> None:
    """Facts first, then the verdict; JSON has the same."""
    types("set", "binance", "--stdin", piped=both())
    venue.answers[KEY] = GOOD._replace(**change)
    said = types("check", "binance")

    assert (code, words in said.err) == (said.code, True)
    assert bool(words) == bool(said.err)
    assert 7 == len(said.out.splitlines())
    as_json = types("check", "binance", "--json")
    assert code == as_json.code
    assert (["trade", "withdraw"] if change.get("can_withdraw", 0) is None else []) == [
        name for name, text in json.loads(as_json.out).items() if text == "not told"
    ]
    assert [CANARY, CANARY] == [one.secret.reveal() for one in venue.asked]


def test_check_shows_what_the_venue_says(keyring: Keyring, types: Type, venue: Venue) -> None:
    """Row by row, money exactly."""
    types("set", "binance", "--stdin", piped=both())

    assert types("check", "binance").out.splitlines() == [
        "key           ...old4 from the keyring, entry venue-binance",
        "account       ...old4",
        "trade         yes",
        "withdraw      no",
        "one-way       yes",
        "balance       1000.50",
        "clock offset  -12 ms",
    ]


def test_check_says_which_kind_of_no(keyring: Keyring, types: Type, venue: Venue) -> None:
    """No key, a key that is refused, a venue that is away, one that never answers."""
    said = types("check", "binance")
    assert (7, "error: no key for binance: run `laptop-agents keys set binance`") == (
        said.code, said.err.partition(",")[0],
    )  # fmt: skip
    types("set", "binance", "--stdin", piped=both())
    venue.answers[KEY] = CredentialsRefused("binance does not know this key")
    assert 7 == types("check", "binance").code
    venue.answers[KEY] = DataUnavailable("binance can't be reached")
    assert 5 == types("check", "binance").code
    assert 2 == types("check", "binance", "--set", "binance.nonsense=1").code


def test_check_gives_up_on_a_venue_that_hangs(
    keyring: Keyring, types: Type, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Exit 5, as for one that is away."""

    async def hangs(*_: object) -> Facts:
        await asyncio.Event().wait()
        raise AssertionError

    monkeypatch.setitem(keys_check.ASKERS, "binance", hangs)
    monkeypatch.setattr(keys_check, "ANSWER_S", 0.05)
    types("set", "binance", "--stdin", piped=both())
    said = types("check", "binance")

    assert (5, "error: binance did not answer within 0.05 s\n") == (said.code, said.err)


# Rotation: the old key goes when the new one is proven, not before.


@pytest.mark.parametrize("place", ["keyring", "file", "vault"])
def test_rotate_puts_the_new_key_where_the_old_one_was(
    keyring: Keyring, types: Type, venue: Venue, place: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """And says which one to delete at the venue."""
    monkeypatch.setenv(VAULT_VARIABLE, WORDS)
    types("set", "binance", "--stdin", "--in", place, piped=both())
    said = types("rotate", "binance", "--stdin", piped=both(NEW, NEW_SECRET))

    assert 0 == said.code
    assert "binance ...new4 is now in " in said.out
    assert "note: delete ...old4 at the venue" in said.err
    assert [(NEW, NEW_SECRET)] == [(one.key, one.secret.reveal()) for one in venue.asked]
    assert [place] == [row["origin"] for row in json.loads(types("list", "--json").out)]
    assert "new4" in types("list").out


@pytest.mark.parametrize(
    ("answer", "code"),
    [
        (CredentialsRefused("binance does not know this key"), 7),
        (DataUnavailable("binance can't be reached"), 5),
        (GOOD._replace(can_trade=False), 7),
        (GOOD._replace(can_withdraw=True), 7),
    ],
)
def test_rotate_keeps_the_old_key_until_the_new_one_is_proven(
    keyring: Keyring, types: Type, venue: Venue, answer: Facts | Exception, code: int
) -> None:
    """Refused, unreachable, or not fit: nothing has changed."""
    types("set", "binance", "--stdin", piped=both())
    before = dict(keyring.kept)
    venue.answers[NEW] = answer
    said = types("rotate", "binance", "--stdin", piped=both(NEW, NEW_SECRET))

    assert code == said.code
    assert "note: nothing has changed: ...old4 stays in the keyring" in said.err
    assert before == keyring.kept
    unchecked = types("rotate", "binance", "--stdin", "--no-check", piped=both(NEW, NEW_SECRET))
    assert 0 == unchecked.code
    assert 1 == len(venue.asked)
    assert before != keyring.kept


def test_rotate_needs_a_key_of_ours_and_another_one(
    keyring: Keyring, types: Type, venue: Venue, monkeypatch: pytest.MonkeyPatch
) -> None:
    """None there, the same again, or one that is not ours to change."""
    assert 7 == types("rotate", "binance", "--stdin", piped=both(NEW, NEW_SECRET)).code
    types("set", "binance", "--stdin", piped=both())
    said = types("rotate", "binance", "--stdin", piped=both())
    assert (2, True) == (said.code, "already in use" in said.err)
    types("delete", "binance")
    monkeypatch.setenv("LAPTOP_AGENTS_BINANCE_KEY", KEY)
    monkeypatch.setenv("LAPTOP_AGENTS_BINANCE_SECRET", CANARY)
    said = types("rotate", "binance", "--stdin", piped=both(NEW, NEW_SECRET))
    assert (2, True) == (said.code, "in the environment" in said.err)
    assert [] == venue.asked


# Deletion.


def test_delete_takes_it_out_of_every_place(
    keyring: Keyring, types: Type, monkeypatch: pytest.MonkeyPatch
) -> None:
    """One at a time where told; what the environment has is not ours to take."""
    monkeypatch.setenv(VAULT_VARIABLE, WORDS)
    for place in ("keyring", "file", "vault"):
        types("set", "binance", "--stdin", "--in", place, piped=both())
    assert 1 == len(types("delete", "binance", "--in", "file").out.splitlines())
    monkeypatch.setenv("LAPTOP_AGENTS_BINANCE_SECRET", CANARY)
    said = types("delete", "binance")
    assert 2 == len(said.out.splitlines())
    assert "note: the environment still has one: unset LAPTOP_AGENTS_BINANCE_KEY" in said.err
    said = types("delete", "binance")
    assert (7, "error: there is no key of binance to delete\n") == (said.code, said.err)


def test_delete_says_what_it_could_not_look_into(
    keyring: Keyring, types: Type, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A vault that stays shut may still have it: exit 7, the rest is gone."""
    monkeypatch.setenv(VAULT_VARIABLE, WORDS)
    types("set", "binance", "--stdin", "--in", "vault", piped=both())
    types("set", "binance", "--stdin", "--in", "file", piped=both())
    monkeypatch.delenv(VAULT_VARIABLE)
    said = types("delete", "binance")

    assert 7 == said.code
    assert "binance.json\n" in said.out
    assert "the vault needs its passphrase" in said.err


def test_delete_takes_a_file_that_would_be_refused(
    keyring: Keyring, types: Type, tmp_path: Path
) -> None:
    """Getting rid of it is the right thing to do."""
    types("set", "binance", "--stdin", "--in", "file", piped=both())
    (tmp_path / "home" / "keys" / "binance.json").chmod(0o644)
    said = types("list")
    assert (0, True) == (said.code, "chmod 600" in said.out)
    assert 7 == types("check", "binance").code
    assert 0 == types("delete", "binance").code
