"""A secret is used and never shown, whatever it is put into."""

import copy
import dataclasses
import io
import json
import pickle
import pprint
import traceback
from urllib.parse import quote

import msgspec
import pytest
from rich.console import Console
from rich.pretty import Pretty
from rich.traceback import Traceback

from brokers.link.secret import HELD_MAX, Credentials, Secret, held, hide, told
from tests.canary import CANARY, spelled

KEY = "kEy4" + CANARY[::-1] + "tail"


@dataclasses.dataclass
class Holder:
    """Something with credentials inside."""

    secret: Secret
    credentials: Credentials


@pytest.fixture
def holder() -> Holder:
    return Holder(Secret(CANARY), Credentials(KEY, Secret(CANARY)))


def drawn(what: object) -> str:
    """As rich shows it, fields of tuples and all."""
    console = Console(file=io.StringIO(), width=400)
    console.print(what)
    assert isinstance(console.file, io.StringIO)
    return console.file.getvalue()


SHOWN = {
    "repr": repr,
    "str": str,
    "format": lambda x: f"{x}",
    "format with a width": lambda x: f"{x.secret:>40}",
    "percent": lambda x: "%s %r" % (x.secret, x.credentials),  # noqa: UP031
    "json": lambda x: json.dumps([x.secret, str(x.credentials)], default=str),
    "msgspec": lambda x: msgspec.json.encode([x.secret], enc_hook=repr).decode(),
    "pprint": lambda x: pprint.pformat(x, width=20),
    "asdict": lambda x: repr(dataclasses.asdict(x)),
    "rich": lambda x: drawn(Pretty(x)),
    "error": lambda x: repr(ValueError(x.secret, x.credentials)),
    "list": lambda x: repr([x.secret, {"a": x.credentials}]),
    "copy": lambda x: repr(copy.copy(x)) + repr(copy.deepcopy(x)),
}


@pytest.mark.parametrize("way", SHOWN)
def test_nothing_shows_it(holder: Holder, way: str) -> None:
    """Neither the secret nor the key it belongs to."""
    text = SHOWN[way](holder)

    assert "***" in text
    assert [] == [*spelled(CANARY, text), *spelled(KEY, text)]


@pytest.mark.parametrize("local_variables", [True, False])
def test_a_traceback_does_not_show_it(holder: Holder, local_variables: bool) -> None:
    """Not even one that prints every local variable."""
    console = Console(file=io.StringIO(), width=400)
    try:
        held_here, credentials = holder.secret, holder.credentials
        raise RuntimeError(f"could not sign with {held_here} {credentials}")
    except RuntimeError as error:
        whole = traceback.TracebackException.from_exception(error, capture_locals=local_variables)
        console.print(
            Traceback.from_exception(
                type(error), error, error.__traceback__, show_locals=local_variables
            )
        )
    assert isinstance(console.file, io.StringIO)
    text = "".join(whole.format()) + console.file.getvalue()

    assert "credentials" in text
    assert [] == [*spelled(CANARY, text), *spelled(KEY, text)]


@pytest.mark.parametrize(
    "write",
    [
        pickle.dumps,
        json.dumps,
        msgspec.json.encode,
        lambda x: x.__getstate__(),
        lambda x: x.__reduce__(),
        vars,
    ],
)
def test_it_is_not_written_down(holder: Holder, write) -> None:
    """Not for another process, nor for a file."""
    for kept in (holder.secret, holder.credentials.secret):
        with pytest.raises(TypeError) as caught:
            write(kept)
        assert [] == list(spelled(CANARY, str(caught.value)))
    with pytest.raises(TypeError):
        pickle.dumps(holder.credentials)


def test_it_is_revealed_to_who_asks(holder: Holder) -> None:
    """By name, and the key's tail is for people."""
    assert CANARY == holder.secret.reveal() == copy.deepcopy(holder).secret.reveal()
    assert "tail" == holder.credentials.tail


def test_equal_secrets_are_equal(holder: Holder) -> None:
    """And no text is a secret."""
    assert holder.secret == Secret(CANARY)
    assert holder.secret != Secret("another")
    assert holder.secret != CANARY
    assert 1 == len({holder.secret, Secret(CANARY)})


def test_the_process_remembers_what_it_holds() -> None:
    """So that a log can take it out; a hexadecimal key also as others write it."""
    Secret("0xabcdef0123456789")
    hide("public-half")

    assert {"0xabcdef0123456789", "abcdef0123456789", "public-half"} <= set(held())
    assert len(held()) == len(set(held()))


def test_a_venue_that_echoes_a_key_is_not_repeated(holder: Holder) -> None:
    """Nor what a terminal would obey."""
    hide(KEY)
    text = told(f"-2014 API-key {KEY} or {quote(CANARY, safe='')} is wrong\x1b[2J")

    assert text.startswith("-2014 API-key [redacted] or [redacted] is wrong")
    assert text.isprintable()
    assert [] == [*spelled(CANARY, text), *spelled(KEY, text)]


def test_what_it_remembers_has_an_end() -> None:
    """A loop that makes secrets does not eat the memory."""
    for number in range(HELD_MAX + 10):
        Secret(f"secret-number-{number}")

    assert HELD_MAX == len(held())
    assert f"secret-number-{HELD_MAX + 9}" in held()
