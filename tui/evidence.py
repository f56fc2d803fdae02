"""Text that ends in the path of its evidence: the path is never cut, the words before it are."""

from typing import Final

from rich.cells import cell_len

from tui.format import text

EVIDENCE: Final = "EVIDENCE_REF="


def words(outside: str, room: int) -> str:
    """Return what a line says in `room` cells; the evidence at its end stays whole if it can."""
    before, mark, path = outside.rpartition(EVIDENCE)
    if not mark or " " in path:
        return text(outside, room)
    reference = text(f"{mark}{path}", room)
    left = room - cell_len(reference) - 1
    return f"{text(before.rstrip(), left)} {reference}" if left > 0 else reference
