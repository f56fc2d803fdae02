"""A secret that must not turn up, and a search for it in everything that was left behind."""

import base64
import json
from collections.abc import Iterator, Mapping
from pathlib import Path
from urllib.parse import quote

CANARY = "cAn4ry/k7Q2+mZ9pL4xV8nB3wT6yH1sD5"
"""With characters that URL, base64 and JSON write differently; never a value anybody would use."""

SECRETS = {
    "BITUNIX_API_SECRET": CANARY,
    "HL_PRIVATE_KEY": CANARY,
    "AUTH_TOKEN": CANARY,
    "LAPTOP_AGENTS_HYPERLIQUID_WALLET": CANARY,
}
"""What the environment of every process under test holds."""


def encodings(secret: str) -> dict[str, bytes]:
    """Return every spelling of the secret that counts as a leak (reliability.md F2)."""
    raw = secret.encode()
    half = len(secret) // 2
    forms = {
        "raw": raw,
        "hex": raw.hex().encode(),
        "HEX": raw.hex().upper().encode(),
        "url": quote(secret, safe="").encode(),
        "json": json.dumps(secret).encode()[1:-1].replace(b"/", b"\\/"),
        "reversed": secret[::-1].encode(),
        "reversed halves": (secret[half:] + secret[:half]).encode(),
        "first half": secret[:half].encode(),
        "last half": secret[half:].encode(),
    }
    for shift in range(3):
        text = base64.b64encode(b"\0" * shift + raw)
        forms[f"base64+{shift}"] = text[(shift * 8 + 5) // 6 : -4]
        forms[f"base64url+{shift}"] = forms[f"base64+{shift}"].translate(
            bytes.maketrans(b"+/", b"-_")
        )
    return forms


def spellings(secret: str) -> list[str]:
    """Return the secret as somebody may write it: what the search must find, whole."""
    within = [base64.b64encode(before + secret.encode() + b"!") for before in (b"", b"a", b"ab")]
    urlsafe = [form.translate(bytes.maketrans(b"+/", b"-_")) for form in within]
    plain = [form for name, form in encodings(secret).items() if "base64" not in name]
    return [form.decode() for form in (*plain, *within, *urlsafe)]


def leaks(root: Path, *texts: str, secret: str = CANARY) -> Iterator[str]:
    """Yield where the secret stands and how it is spelled: in files, their names, and texts."""
    yield from spelled(secret, *texts)
    for path in root.rglob("*"):
        places = {str(path): path.name.encode()}
        if path.is_file():
            places[f"{path}:"] = path.read_bytes()
        yield from _found(places, secret)


def spelled(secret: str, *texts: str) -> Iterator[str]:
    """Yield how the secret is spelled in texts."""
    return _found({f"text {place}": text.encode() for place, text in enumerate(texts)}, secret)


def _found(places: Mapping[str, bytes], secret: str) -> Iterator[str]:
    for place, content in places.items():
        for spelling, form in encodings(secret).items():
            if form in content:
                yield f"{spelling} in {place}"
