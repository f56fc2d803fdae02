"""Hostile text becomes harmless, secrets become unreadable, everything else stays as it is."""

import base64
import json
import unicodedata
from urllib.parse import quote

import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.model.text import ELLIPSIS, HALVED_MIN, REDACTED, Redactor, is_secret_key, sanitize

R = "\N{REPLACEMENT CHARACTER}"
TEXTS = [
    ("plain ASCII, with [markup] kept", "plain ASCII, with [markup] kept"),
    ("é 漢字 €", "é 漢字 €"),
    ("", ""),
    ("two\nlines\r\t", f"two{R}lines{R}{R}"),
    ("\x1b]0;title\x07", f"{R}]0;title{R}"),
    ("\x9b31m", f"{R}31m"),
    ("a\N{RIGHT-TO-LEFT OVERRIDE}b\N{ZERO WIDTH SPACE}c", f"a{R}b{R}c"),
    ("a\N{LINE SEPARATOR}b\N{PARAGRAPH SEPARATOR}", f"a{R}b{R}"),
    ("\ud800 \ue000", f"{R} {R}"),
]


@pytest.mark.parametrize(("text", "expected"), TEXTS)
def test_sanitize(text, expected) -> None:
    """Each forbidden character becomes the replacement character, and nothing else does."""
    assert sanitize(text) == expected


@given(st.text(st.characters(), max_size=300), st.integers(2, 250))
def test_nothing_forbidden_survives(text, limit) -> None:
    """No category of the rule is left, and the length holds."""
    clean = sanitize(text, limit)

    assert not {unicodedata.category(c) for c in clean} & {"Cc", "Cf", "Cs", "Co", "Zl", "Zp"}
    assert len(clean) == min(len(text), limit)


def test_a_cut_shows() -> None:
    """Exactly the limit is kept whole; one more is cut with an ellipsis."""
    assert sanitize("x" * 200) == "x" * 200
    assert sanitize("x" * 201) == "x" * 199 + ELLIPSIS


KEYS = [
    ("api_key", True), ("apiKey", True), ("API-KEY", True), ("secret", True), ("token", True),
    ("password", True), ("arm_token", True), ("Authorization", True), ("private_key", True),
    ("keyring.backend", False), ("idempotency_key", False), ("symbol", False), ("seed", False),
    ("monkey", False), ("head_hash", False),
]  # fmt: skip


@pytest.mark.parametrize(("name", "is_secret"), KEYS)
def test_secret_keys(name, is_secret) -> None:
    """Names decide, as whole words of our vocabulary."""
    assert is_secret_key(name) is is_secret


CANARY = "k7Q2mZ9pL4xV8nB3"
VALUES = [
    f"GET /v1/order?symbol=BTC&signature={CANARY}&x=1",
    f"Authorization: Bearer {CANARY}",
    f"Config(api_key='{CANARY}', x=1)",
    f'{{"secretKey": "{CANARY}"}}',
    f"https://user:{CANARY}@example.com/",
    f"0x{'ab12' * 16} {'A1' * 16} leaked",
    f"-----BEGIN EC PRIVATE KEY-----\n{CANARY}\n-----END EC PRIVATE KEY-----",
    f"eyJhbGciOiJIUzI1NiJ9.{CANARY}.{CANARY}",
]


@pytest.mark.parametrize("text", VALUES)
def test_secrets_are_known_by_their_look(text) -> None:
    """A value nobody registered is caught by what stands around it, or by its form."""
    clean = Redactor().text(text)

    assert CANARY not in clean
    assert "ab12ab12" not in clean
    assert REDACTED in clean


@pytest.mark.parametrize(
    "text", ["run 20251120T120219Z-abcd", "order maker-000123", "/home/me/b.txt"]
)
def test_ordinary_words_stay(text) -> None:
    """Ids and paths of ours are not secrets."""
    assert Redactor().text(text) == text


def test_public_hashes_stay_readable() -> None:
    """A journal's head hash looks like a key and is not one; by another name it is gone."""
    digest = "0a1b" * 16

    assert Redactor().value("head_hash", digest) == digest
    assert Redactor().value("note", digest) == REDACTED
    assert Redactor([digest]).value("head_hash", digest) == REDACTED


@given(
    st.text(st.characters(codec="utf-8"), min_size=12, max_size=40),
    st.text(st.characters(codec="utf-8"), max_size=8),
)
def test_a_registered_secret_is_gone_in_every_form(secret, around) -> None:
    """Raw, reversed, hex, URL, JSON and base64 at any offset; a long one also by its halves."""
    raw = secret.encode()
    forms = [
        secret, secret[::-1], raw.hex(), raw.hex().upper(), quote(secret, safe=""),
        json.dumps(secret)[1:-1], json.dumps(secret)[1:-1].replace("/", "\\/"),
        base64.b64encode(around.encode() + raw + b"!").decode(),
    ]  # fmt: skip
    if len(secret) >= HALVED_MIN:
        half = len(secret) // 2
        forms += [secret[:half], secret[half:], secret[half:] + secret[:half]]
    redactor = Redactor([secret])

    for form in forms:
        clean = redactor.text(f"{around}{form}{around}")
        assert REDACTED in clean
        assert form not in clean


def test_short_registered_words_blank_nothing() -> None:
    """A secret of three letters would blank every third line."""
    assert Redactor(["abc"]).text("abc") == "abc"
