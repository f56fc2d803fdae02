"""Sealed files open for the same key in the same place, and for nobody else."""

import os

import pytest

from engine.session.envelope import Envelope, Keyed, Passphrase, Plain

SECRET = b"the whole state"
PLACE = b"run/checkpoint-1.bin"
KEY = bytes(range(32))


@pytest.mark.parametrize("envelope", [Plain(), Keyed(KEY), Passphrase("correct horse battery")])
def test_what_is_sealed_opens_again(envelope: Envelope) -> None:
    """Byte for byte."""
    assert envelope.open(envelope.seal(SECRET, PLACE), PLACE) == SECRET


@pytest.mark.parametrize("envelope", [Keyed(KEY), Passphrase("correct horse battery")])
def test_nothing_shows_and_nothing_repeats(envelope: Envelope) -> None:
    """The content is not in the file, and no two files are alike."""
    sealed = {envelope.seal(SECRET, PLACE) for _ in range(50)}

    assert len(sealed) == 50
    assert not any(SECRET in one for one in sealed)


def test_any_change_keeps_it_shut() -> None:
    """Every byte and every length."""
    envelope = Keyed(KEY)
    sealed = envelope.seal(SECRET, PLACE)
    flipped = [sealed[:i] + bytes([sealed[i] ^ 1]) + sealed[i + 1 :] for i in range(len(sealed))]
    cut = [sealed[:length] for length in range(len(sealed))]

    assert {None} == {envelope.open(one, PLACE) for one in (*flipped, *cut, sealed + b"\0")}


def test_other_places_keys_and_words_do_not_open_it() -> None:
    """Moved to another run or name, or tried with something else."""
    envelope, words = Keyed(KEY), Passphrase("correct horse battery")
    sealed, worded = envelope.seal(SECRET, PLACE), words.seal(SECRET, PLACE)

    assert envelope.open(sealed, b"other/checkpoint-1.bin") is None
    assert Keyed(os.urandom(32)).open(sealed, PLACE) is None
    assert Passphrase("wrong horse battery").open(worded, PLACE) is None
    assert words.open(sealed, PLACE) is None
    assert Keyed(KEY).open(SECRET, PLACE) is None


def test_words_open_what_an_earlier_session_sealed() -> None:
    """The salt travels in the file."""
    assert (
        Passphrase("correct horse battery").open(
            Passphrase("correct horse battery").seal(SECRET, PLACE), PLACE
        )
        == SECRET
    )
