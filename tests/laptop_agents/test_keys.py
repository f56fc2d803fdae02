"""Where a key is looked for, which one counts, and what is refused; no refusal shows any."""

import itertools
import multiprocessing
import os
from collections.abc import Iterator, Mapping
from pathlib import Path

import pytest

from brokers.link.secret import Credentials, Secret
from engine.model.errors import CredentialsRefused
from engine.model.text import secrets_of
from laptop_agents import keyring_box
from laptop_agents.keys import Found, credentials, find, survey
from laptop_agents.keys_list import rows
from laptop_agents.keys_places import Places, places, stamp
from laptop_agents.keys_prompt import passphrase
from laptop_agents.keys_shape import SHAPES, VARIABLES, VAULT_VARIABLE, Kept, credentials_of
from laptop_agents.options import KEY_VENUES
from tests.canary import CANARY, spelled
from tests.laptop_agents.keyrings import Vault as Keyring
from tests.laptop_agents.keyrings import trusted

WORDS = "correct horse battery"
KEPT_AT = "2026-11-21T09:00:00Z"
ADDRESS = "0x" + "aB" * 20
PRIVATE = "0x" + "1f" * 32


@pytest.fixture
def keyring() -> Iterator[Keyring]:
    with trusted(Keyring()) as keyring:
        yield keyring


@pytest.fixture
def home(tmp_path: Path) -> Path:
    return tmp_path / "home"


def among(home: Path, **environ: str) -> Places:
    return places(environ, home, passphrase({VAULT_VARIABLE: WORDS}))


def kept(tail: str, secret: str = CANARY) -> Kept:
    return Kept(Credentials(f"api-key-{tail}", Secret(secret)), KEPT_AT)


def in_environment(tail: str) -> Mapping[str, str]:
    return {
        "LAPTOP_AGENTS_BINANCE_KEY": f"api-key-{tail}",
        "LAPTOP_AGENTS_BINANCE_SECRET": CANARY,
    }


ORDER = ("keyring", "environment", "file", "vault")


@pytest.mark.parametrize(
    "there", [c for n in range(1, 5) for c in itertools.combinations(ORDER, n)]
)
def test_the_first_place_that_has_one_counts(
    keyring: Keyring, home: Path, there: tuple[str, ...]
) -> None:
    """Whatever stands in those behind it."""
    all_places = among(home, **(in_environment("envi") if "environment" in there else {}))
    for name in {*there} - {"environment"}:
        all_places.stores[name].write("binance", kept(name[:4]))

    found = find("binance", all_places)

    assert found is not None
    assert (there[0], there[0][:4]) == (found.origin, found.credentials.tail)
    assert CANARY == found.credentials.secret.reveal()
    assert found.where == next(p for p in all_places.ordered if p.name == there[0]).where("binance")
    assert find("bitunix", among(home)) is None
    used = [row.origin for row in rows(all_places) if row.is_used]
    assert [there[0]] == used


def test_nothing_is_said_with_what_to_do(keyring: Keyring, home: Path) -> None:
    """And nothing is made by looking."""
    with pytest.raises(CredentialsRefused, match="keys set hyperliquid"):
        credentials("hyperliquid", {}, home)
    assert not home.exists()


def test_a_session_gets_its_key_and_where_it_is_from(keyring: Keyring, home: Path) -> None:
    """From one call."""
    among(home).file.write("bitunix", kept("0001"))

    found = credentials("bitunix", {}, home)

    expected = Found(kept("0001").credentials, "file", str(home / "keys" / "bitunix.json"))
    assert expected == found
    assert CANARY not in repr(found)


def test_without_a_keyring_to_trust_the_next_place_counts(home: Path) -> None:
    """Its reason is kept; nobody is left to think it was asked."""
    found = credentials("binance", in_environment("envi"), home)

    assert "environment" == found.origin
    assert "no keyring to trust" in found.passed_over


def test_a_keyring_that_hangs_is_asked_once(
    keyring: Keyring, home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Three venues would wait three times."""
    monkeypatch.setattr(keyring_box, "ANSWER_S", 0.05)
    keyring.hangs.clear()
    all_places = among(home)
    for venue in SHAPES:
        assert "did not answer" in survey(venue, all_places)[0].trouble
    assert 1 == keyring.asked


def test_a_keyring_is_proved_before_it_is_given_a_key(keyring: Keyring, home: Path) -> None:
    """One that lets go of nothing would keep a key for ever."""
    keyring.keeps_for_ever = True
    with pytest.raises(CredentialsRefused, match="let go"):
        among(home).keyring.write("binance", kept("any"))
    assert [("laptop-agents", "probe")] == list(keyring.kept)


def test_a_keyring_that_fails_gets_its_old_key_back(keyring: Keyring, home: Path) -> None:
    """What it did not keep whole must not stand in the place of what worked."""
    store = among(home).keyring
    store.write("binance", kept("old"))
    before = dict(keyring.kept)
    real = keyring.set_password

    def garbles(service: str, name: str, text: str) -> None:
        real(service, name, text.replace("new", "n"))

    keyring.set_password = garbles  # type: ignore[method-assign]
    with pytest.raises(CredentialsRefused, match="give back"):
        store.write("binance", kept("new"))

    assert before == keyring.kept


# What stands in a place and is no key: refused there, not passed over for the next place.

BROKEN = [
    b"",
    b"{",
    b"[]",
    b"null",
    b"\xff\xfe",
    b'{"key": "' + CANARY.encode() + b'"}',
    b'{"secret": "' + CANARY.encode() + b'"}',
    b'{"key": 1, "secret": "' + CANARY.encode() + b'"}',
    b'{"key": "short", "secret": "' + CANARY.encode() + b'"}',
    b'{"key": "' + CANARY.encode() + b'", "secret": "a b c d e f g h"}',
    b'{"key": "' + CANARY.encode() + b'", "secret": "line\\nbreak-in-it"}',
    b'{"key": "' + CANARY.encode() + b'", "secret": "' + b"x" * 257 + b'"}',
    b'{"key": "' + CANARY.encode() + b'", "secret": "' + CANARY.encode() + b'"',
]


def refusal(all_places: Places, venue: str = "binance") -> str:
    with pytest.raises(CredentialsRefused) as caught:
        find(venue, all_places)
    text = str(caught.value)
    assert [] == list(spelled(CANARY, text, repr(caught.value.__cause__)))
    assert text.isprintable()
    return text


@pytest.mark.parametrize("content", BROKEN)
def test_a_broken_file_is_refused(keyring: Keyring, home: Path, content: bytes) -> None:
    """By its path; the good key in the vault behind it is not taken instead."""
    all_places = among(home)
    all_places.vault.write("binance", kept("vault"))
    path = home / "keys" / "binance.json"
    path.write_bytes(content)
    path.chmod(0o600)

    assert str(path) in refusal(all_places)
    seen = {one.place.name: one for one in survey("binance", all_places)}
    assert seen["file"].trouble
    assert seen["vault"].kept is not None
    assert [] == [row for row in rows(all_places) if row.is_used]


@pytest.mark.parametrize("content", [one for one in BROKEN if one != b"\xff\xfe"])
def test_a_broken_entry_of_the_keyring_is_refused(
    keyring: Keyring, home: Path, content: bytes
) -> None:
    """It was asked, and has something under our name."""
    keyring.kept["laptop-agents", "venue-binance"] = content.decode()

    assert "entry venue-binance" in refusal(among(home, **in_environment("envi")))


@pytest.mark.parametrize(
    ("environ", "said"),
    [
        ({"LAPTOP_AGENTS_BINANCE_KEY": CANARY}, "set LAPTOP_AGENTS_BINANCE_SECRET too"),
        ({"LAPTOP_AGENTS_BINANCE_SECRET": CANARY}, "set LAPTOP_AGENTS_BINANCE_KEY too"),
        (
            {"LAPTOP_AGENTS_BINANCE_KEY": CANARY, "LAPTOP_AGENTS_BINANCE_SECRET": ""},
            "set LAPTOP_AGENTS_BINANCE_SECRET too",
        ),
        (
            {"LAPTOP_AGENTS_BINANCE_KEY": CANARY, "LAPTOP_AGENTS_BINANCE_SECRET": f"{CANARY} "},
            "LAPTOP_AGENTS_BINANCE_SECRET of the environment must be 8 to 256",
        ),
    ],
)
def test_half_a_key_in_the_environment_is_refused(
    keyring: Keyring, home: Path, environ: dict[str, str], said: str
) -> None:
    """With the name of the variable."""
    assert said in refusal(among(home, **environ))


def test_an_empty_variable_is_none(keyring: Keyring, home: Path) -> None:
    """As scripts unset them."""
    empty = {"LAPTOP_AGENTS_BINANCE_KEY": "", "LAPTOP_AGENTS_BINANCE_SECRET": ""}
    assert find("binance", among(home, **empty)) is None


@pytest.mark.parametrize("what", ["file", "folder"])
@pytest.mark.parametrize("place", ["file", "vault"])
def test_a_file_open_to_others_is_refused(
    keyring: Keyring, home: Path, what: str, place: str
) -> None:
    """The file or its folder, with what to type; not even its content is looked at."""
    all_places = among(home)
    all_places.stores[place].write("binance", kept("file"))
    path = Path(all_places.stores[place].where("binance"))
    target, mode = (path, 0o640) if what == "file" else (path.parent, 0o750)
    target.chmod(mode)

    said = {one.place.name: one.trouble for one in survey("binance", all_places)}[place]
    assert f"{target} is open to other users: chmod" in said
    assert f"{target} is open to other users: chmod" in refusal(all_places)


def test_what_is_written_is_private_from_the_start(keyring: Keyring, home: Path) -> None:
    """Under any umask, home and folder made too; nothing else is left beside it."""
    before = os.umask(0o000)
    try:
        all_places = among(home)
        all_places.file.write("binance", kept("file"))
        all_places.vault.write("binance", kept("vault"))
    finally:
        os.umask(before)
    folder = home / "keys"
    modes = {path.name: path.stat().st_mode & 0o777 for path in folder.iterdir()}

    assert {"binance.json": 0o600, "vault": 0o600} == modes
    assert 0o700 == folder.stat().st_mode & 0o777 == home.stat().st_mode & 0o777


def test_a_folder_open_to_others_is_not_written_to(keyring: Keyring, home: Path) -> None:
    """Neither by file nor vault."""
    (home / "keys").mkdir(0o700, parents=True)
    (home / "keys").chmod(0o777)
    all_places = among(home)
    for store in (all_places.file, all_places.vault):
        with pytest.raises(CredentialsRefused, match="chmod 700"):
            store.write("binance", kept("any"))
    assert [] == list((home / "keys").iterdir())


def test_a_file_by_hand_is_as_old_as_it_is(keyring: Keyring, home: Path) -> None:
    """It need not say so, nor only what we would write."""
    folder = home / "keys"
    folder.mkdir(0o700, parents=True)
    path = folder / "binance.json"
    path.write_text(f'{{"key": "by-hand-key", "secret": "{CANARY}", "note": "mine"}}')
    path.chmod(0o600)
    os.utime(path, (1_700_000_000, 1_700_000_000))
    read = among(home).file.read("binance")

    assert read is not None
    assert ("2023-11-14T22:13:20Z", "-key") == (read.kept_at, read.credentials.tail)
    assert stamp(1_700_000_000) == read.kept_at


# The vault.


def test_the_vault_keeps_every_venue_sealed(keyring: Keyring, home: Path) -> None:
    """Nothing of it can be read, and it opens again."""
    for venue in ("binance", "bitunix"):
        among(home).vault.write(venue, kept(venue[:4]))
    content = (home / "keys" / "vault").read_bytes()

    assert [] == list(spelled(CANARY, content.decode("latin-1")))
    assert b"binance" not in content
    for venue in ("binance", "bitunix"):
        assert kept(venue[:4]) == among(home).vault.read(venue)


def test_a_vault_whose_last_key_goes_goes_too(keyring: Keyring, home: Path) -> None:
    """So its passphrase may be another one next time."""
    vault = among(home).vault
    vault.write("binance", kept("one"))
    vault.write("bitunix", kept("two"))

    assert vault.delete("binance")
    assert not vault.delete("binance")
    assert vault.read("binance") is None
    assert kept("two") == vault.read("bitunix")
    assert vault.delete("bitunix")
    assert not vault.vault.exists
    assert not among(home).vault.delete("bitunix")


def test_a_wrong_passphrase_and_a_changed_vault_are_refused(keyring: Keyring, home: Path) -> None:
    """The file is as before, also after an attempt to write."""
    among(home).vault.write("binance", kept("one"))
    path = home / "keys" / "vault"
    content = path.read_bytes()
    wrong = places({}, home, passphrase({VAULT_VARIABLE: "another horse battery"}))

    for call in (lambda: wrong.vault.write("bitunix", kept("two")), lambda: find("binance", wrong)):
        with pytest.raises(CredentialsRefused, match="does not open"):
            call()
    assert content == path.read_bytes()
    for at in range(0, len(content), 7):
        path.write_bytes(content[:at] + bytes([content[at] ^ 1]) + content[at + 1 :])
        assert "does not open" in refusal(among(home))


def test_a_vault_without_a_passphrase_says_so(keyring: Keyring, home: Path) -> None:
    """A service has no terminal to be asked on."""
    among(home).vault.write("binance", kept("one"))
    silent = places({}, home, passphrase({}, may_ask=False))

    assert f"set {VAULT_VARIABLE}" in refusal(silent)


def test_a_weak_passphrase_makes_no_vault(keyring: Keyring, home: Path) -> None:
    """A short one is found by trying."""
    weak = places({}, home, passphrase({VAULT_VARIABLE: "elevenchars"}))
    with pytest.raises(CredentialsRefused, match="12 to 1024"):
        weak.vault.write("binance", kept("one"))
    assert not weak.vault.vault.exists


def write_many(home: Path, venue: str, times: int) -> None:
    """Write one venue's key again and again."""
    for _ in range(times):
        among(home).vault.write(venue, kept(venue[:4]))


def test_two_that_write_at_once_lose_nothing(keyring: Keyring, home: Path) -> None:
    """Each reads, changes and replaces the whole vault; one waits for the other."""
    spawn = multiprocessing.get_context("spawn")
    writers = [
        spawn.Process(target=write_many, args=(home, venue, 4)) for venue in ("binance", "bitunix")
    ]
    for writer in writers:
        writer.start()
    for writer in writers:
        writer.join(60)

    assert [0, 0] == [writer.exitcode for writer in writers]
    for venue in ("binance", "bitunix"):
        assert kept(venue[:4]) == among(home).vault.read(venue)


# What a key looks like.

FITS = [
    ("binance", "sandbox-key", "sandbox-secret"),
    ("binance", "A" * 64, "b" * 64),
    ("bitunix", "0123456789abcdef0123456789abcdef", CANARY),
    ("hyperliquid", ADDRESS, PRIVATE),
    ("hyperliquid", ADDRESS.lower(), PRIVATE[2:]),
]
UNFIT = [
    ("binance", "", "sandbox-secret"),
    ("binance", "sandbox-key", "1234567"),
    ("binance", "sandbox key", "sandbox-secret"),
    ("bitunix", "sandbox-kéy", "sandbox-secret"),
    ("bitunix", "sandbox-key", "sandbox-secret\x1b[2J"),
    ("hyperliquid", PRIVATE, ADDRESS),
    ("hyperliquid", ADDRESS[:-1], PRIVATE),
    ("hyperliquid", ADDRESS, ADDRESS),
    ("hyperliquid", ADDRESS, PRIVATE + "0"),
    ("hyperliquid", ADDRESS, "0x" + "zz" * 32),
    ("hyperliquid", "sandbox-key", "sandbox-secret"),
]


@pytest.mark.parametrize(("venue", "key", "secret"), FITS)
def test_a_key_that_can_be_one_is_taken(venue: str, key: str, secret: str) -> None:
    """As it is."""
    made = credentials_of(venue, key, secret, lambda half: half.called)
    assert (key, secret) == (made.key, made.secret.reveal())


@pytest.mark.parametrize(("venue", "key", "secret"), UNFIT)
def test_a_key_that_can_t_be_one_is_refused(venue: str, key: str, secret: str) -> None:
    """Halves that were swapped, cut, or pasted with something else."""
    with pytest.raises(CredentialsRefused, match="must be") as caught:
        credentials_of(venue, key, secret, lambda half: half.called)
    assert not [half for half in (key, secret) if half and half in str(caught.value)]


@pytest.mark.parametrize("name", sorted(VARIABLES - {"LAPTOP_AGENTS_HYPERLIQUID_ADDRESS"}))
def test_what_the_environment_holds_is_known_as_a_secret(name: str) -> None:
    """To every log and crash report of a process that has it."""
    assert (CANARY,) == secrets_of({name: CANARY, "LAPTOP_AGENTS_HOME": "/x", "MONKEY": "x"})


def test_the_command_line_knows_the_same_venues() -> None:
    """It can't import the table: `--help` loads nothing."""
    assert tuple(SHAPES) == KEY_VENUES
    assert 7 == len(VARIABLES)
