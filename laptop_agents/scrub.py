"""A manifest or a log once more without secrets, before it leaves this machine. Pure.

Both were redacted when they were written; this is the second net, for files a hand has touched or
an older release wrote. Text is looked at under the name it stands under, so a hash that is meant to
be read stays, and a word under `api_key` goes.
"""

from typing import Final

import msgspec

from engine.session.sanitize import Redactor

WRAPPINGS: Final = frozenset({"value", "origin"})
"""Keys of a manifest's setting: what they hold belongs to the setting's own name."""


def scrub_document(content: bytes) -> bytes:
    """Return a JSON document scrubbed, or its text scrubbed where it is none."""
    redactor = Redactor()
    try:
        document = _scrubbed(redactor, "", msgspec.json.decode(content))
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return redactor.text(content.decode("utf-8", "replace")).encode()
    return msgspec.json.format(msgspec.json.encode(document), indent=2) + b"\n"


def scrub_log(content: bytes) -> bytes:
    """Return a log of one JSON object a line, each line scrubbed."""
    redactor = Redactor()
    return b"".join(_scrubbed_line(redactor, line) + b"\n" for line in content.splitlines())


def _scrubbed_line(redactor: Redactor, line: bytes) -> bytes:
    try:
        return msgspec.json.encode(_scrubbed(redactor, "", msgspec.json.decode(line)))
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return redactor.text(line.decode("utf-8", "replace")).encode()


def _scrubbed(redactor: Redactor, key: str, node: object) -> object:
    if isinstance(node, dict):
        return {
            redactor.text(name): _scrubbed(redactor, key if name in WRAPPINGS else name, child)
            for name, child in node.items()
        }
    if isinstance(node, list):
        return [_scrubbed(redactor, key, child) for child in node]
    return redactor.value(key, node) if isinstance(node, str) else node
