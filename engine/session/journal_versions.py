"""Lines of other releases: newer ones are refused, older ones brought up to date step by step.

A line is proven as it was written and changed only in memory, so its hash stays the one on disk.
"""

import re
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Final

from engine.model.events import SCHEMA_VERSION
from engine.session.journal_line import proven

if TYPE_CHECKING:
    from engine.session.journal_reader import Line

Upcaster = Callable[["Line"], "Line"]
"""Turns a line of one version into what the next version would have written."""

UPCASTERS: Final[Mapping[int, Upcaster]] = {}
"""By the version it takes; empty as long as there has been one version only."""

NEWER: Final = (
    "the line has version {}, and this release reads up to {}: use the release that wrote it"
)
UNKNOWN: Final = "the line has version {}, which this release can't read any more"
_VERSION: Final = re.compile(rb'\{"v":(0|[1-9][0-9]{0,8}),')


def proven_version(raw: bytes, prev: str, seq: int) -> tuple[int, str] | None:
    """Return version and hash of a line that is proven in whatever version it claims."""
    match = _VERSION.match(raw)
    if match is None:
        return None
    version = int(match[1])
    digest = proven(raw, prev, seq, version)
    return None if digest is None else (version, digest)


def upcast(line: "Line", version: int, upcasters: Mapping[int, Upcaster]) -> "Line | str":
    """Return a line as this release would have written it, or why that can't be."""
    if version > SCHEMA_VERSION:
        return NEWER.format(version, SCHEMA_VERSION)
    for step in range(version, SCHEMA_VERSION):
        if step not in upcasters:
            return UNKNOWN.format(version)
        line = upcasters[step](line)
    return line
