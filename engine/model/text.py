"""What outside text and secrets become before a log, a terminal or a manifest shows them.

Two filters, always in this order: `redact` takes secrets out by the name of their key and by the
look of their value, `sanitize` takes out what a terminal would obey. Neither is an excuse to pass
secrets around; they are the last net (reliability.md F2, F5 and section 0.4-0.5).
"""

import base64
import json
import re
import unicodedata
from collections.abc import Iterable, Mapping
from typing import Final
from urllib.parse import quote

REDACTED: Final = "[redacted]"
REPLACEMENT: Final = "\N{REPLACEMENT CHARACTER}"
ELLIPSIS: Final = "\N{HORIZONTAL ELLIPSIS}"
_UNSAFE: Final = frozenset({"Cc", "Cf", "Cs", "Co", "Zl", "Zp"})

KNOWN_SECRET_MIN: Final = 6
"""A registered secret shorter than this would blank ordinary words; it is not matched by value."""
HALVED_MIN: Final = 16
"""From this length on the halves of a secret are matched too."""

_SECRET_KEY: Final = re.compile(
    r"secret|passw|passphrase|token|mnemonic|signature|authorization|cookie|credential|bearer"
    r"|(?:api|private|signing|access|encryption|session)[_\-. ]?keys?"
    r"|^LAPTOP_AGENTS_[A-Z]+_(?:KEY|WALLET)$",  # a venue's, in the environment
    re.IGNORECASE,
)
PUBLIC_KEYS: Final = frozenset(
    {"hash", "prev", "head_hash", "state_hash", "sha256", "git_revision", "run_id"}
)
"""Keys whose values look like a key and are meant to be read; only exact names, in our words."""

_SECRET_VALUES: Final = re.compile(
    r"-----BEGIN [A-Z ]*PRIVATE KEY-----.*?(?:-----END [A-Z ]*PRIVATE KEY-----|\Z)"
    r"|\beyJ[\w-]+\.[\w-]+\.[\w-]*"  # a JSON web token
    r"|(?<=://)[^\s/@]+:[^\s/@]+(?=@)"  # credentials in a URL
    r"|(?<![0-9A-Za-z])(?:0x)?(?=[0-9A-Za-z]*[0-9])(?=[0-9A-Za-z]*[A-Za-z])[0-9A-Za-z]{32,}",
    re.DOTALL,
)
_SECRET_PAIRS: Final = re.compile(
    r"((?:(?:secret|passw(?:or)?d|passphrase|token|(?:api|private|signing|access)[_-]?key)[\w-]*"
    r"|sign(?:ature)?|authorization|cookie|x-[a-z-]*key)[\"']?\s*[=:]\s*[\"']?"
    r"(?:(?:bearer|basic)\s+)?|\b(?:bearer|basic)\s+)[^\s&\"',;}]+",
    re.IGNORECASE,
)


def sanitize(text: str, limit: int = 200) -> str:
    """Return `text` with what a terminal or a log reader could obey replaced, and cut to `limit`.

    Replaced are the Unicode categories Cc, Cf, Cs, Co, Zl and Zp: controls and newlines, bidi and
    zero-width marks, lone surrogates, private use, line separators. A cut shows as an ellipsis.
    """
    if len(text) > limit:
        text = text[: limit - 1] + ELLIPSIS
    if text.isprintable():  # none of those categories is printable, so most text ends here
        return text
    return "".join(REPLACEMENT if unicodedata.category(c) in _UNSAFE else c for c in text)


def is_secret_key(name: str) -> bool:
    """Return whether a value under this key must not be shown, whatever it looks like."""
    return _SECRET_KEY.search(name) is not None


def secrets_of(environ: Mapping[str, str]) -> tuple[str, ...]:
    """Return the values that an environment keeps under names of secrets."""
    return tuple(value for name, value in sorted(environ.items()) if is_secret_key(name))


class Redactor:
    """Takes secrets out of text: those it was told, and what looks like one."""

    def __init__(self, secrets: Iterable[str] = ()) -> None:
        known = {form for secret in secrets for form in _forms(secret)}
        longest_first = sorted(known, key=lambda form: (-len(form), form))
        self._known = re.compile("|".join(map(re.escape, longest_first))) if known else None

    def text(self, text: str) -> str:
        """Return `text` with every secret replaced."""
        if self._known is not None:
            text = self._known.sub(REDACTED, text)
        text = _SECRET_PAIRS.sub(rf"\g<1>{REDACTED}", text)
        return _SECRET_VALUES.sub(REDACTED, text)

    def value(self, key: str, text: str) -> str:
        """Return what may stand under `key`."""
        if is_secret_key(key):
            return REDACTED
        if key in PUBLIC_KEYS:
            return text if self._known is None else self._known.sub(REDACTED, text)
        return self.text(text)


def _forms(secret: str) -> Iterable[str]:
    if len(secret) < KNOWN_SECRET_MIN:
        return
    raw = secret.encode("utf-8", "surrogatepass")
    yield secret
    yield secret[::-1]
    yield raw.hex()
    yield raw.hex().upper()
    yield quote(secret, safe="")
    spelled = json.dumps(secret)[1:-1]
    yield spelled
    yield spelled.replace("/", "\\/")
    if len(secret) >= HALVED_MIN:  # one that was cut still says half of itself
        yield secret[: len(secret) // 2]
        yield secret[len(secret) // 2 :]
    yield from _base64_forms(raw)


def _base64_forms(raw: bytes) -> Iterable[str]:
    """Yield the base64 core of `raw` at each of the three offsets it can have in a longer text."""
    for offset in range(3):
        for encode in (base64.b64encode, base64.urlsafe_b64encode):
            text = encode(b"\0" * offset + raw).decode("ascii").rstrip("=")
            whole = text[(offset * 8 + 5) // 6 :]
            yield whole[: (len(whole) - 1) // 4 * 4] if offset else whole[: len(raw) * 8 // 6]
