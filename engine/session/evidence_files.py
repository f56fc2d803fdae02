"""The files of one incident's evidence, and the sums that hold them.

`state.json` is the kernel between two steps, at the incident; `inputs-before.jsonl` and
`inputs-after.jsonl` are lines of the journal as they stand there; `decisions.csv` is what was
decided around it; `about.json` says what happened and what is missing. `sha256sum -c
sha256sums.txt` holds after each stage.

Source: reliability.md B8; interface.md, run folder.
"""

import csv
import io
import re
from collections.abc import Mapping, Sequence
from hashlib import sha256
from pathlib import Path
from typing import Any, Final

import msgspec

from engine.model.events import INPUT_TYPES
from engine.session.journal_reader import Line
from engine.session.journal_window import Raw, Stretch, lines_between, newest, oldest
from engine.session.run_folder import RunFolder

SUMS: Final = "sha256sums.txt"
STATE, ABOUT, DECISIONS = "state.json", "about.json", "decisions.csv"
BEFORE, AFTER = "inputs-before.jsonl", "inputs-after.jsonl"
PARTS: Final = frozenset({STATE, BEFORE, AFTER, DECISIONS})
"""What a complete folder holds besides `about.json` and the sums."""
INPUT_BYTES_MAX: Final = 8 * 1024 * 1024
"""Of inputs on either side: half a minute of 900 events a second. The nearest ones are kept."""
DECISION_BYTES_MAX: Final = 4 * 1024 * 1024
"""Of the table of decisions, the first ones."""
STATE_BYTES_MAX: Final = 8 * 1024 * 1024
"""Of the state; a larger one is left out and says so: a replay makes it again."""
DECIDING: Final = frozenset(
    {"fsm_transition", "gate_verdict", "breaker", "meta_decision", "router_decision", "alert",
     "error"}
)  # fmt: skip
"""What belongs in the table of decisions."""
_SUM_LINE: Final = re.compile(r"([0-9a-f]{64})  ([A-Za-z0-9_-][A-Za-z0-9._-]{0,63})")
_JSON: Final = (b"{", b"[")
"""How parts of a snapshot begin that are JSON; in MessagePack these are lone small numbers."""
_COLUMNS: Final = ("line", "ts_ns", "offset_s", "type", "data")


class Incident(msgspec.Struct):
    """What the session knows of one incident while it is open."""

    ref: str
    """`evidence/<kind>-<ts>`, relative to the run."""
    opened_ns: int
    since_ns: int
    until_ns: int
    """Exclusive."""
    detail: str
    """`journal.detail` of the run."""
    state: bytes
    """The kernel's snapshot; given up once it is written."""
    triggers: list[dict[str, Any]] = []
    """Every record that led here, with its type."""


class Evidence:
    """Writes one incident's folder in two stages. Used by one thread."""

    def __init__(self, run: RunFolder, incident: Incident, journal: Path) -> None:
        self._run = run
        self._incident = incident
        self._journal = journal
        self._sums: dict[str, str] = {}
        self._told: dict[str, Any] = {}

    def write_before(self) -> None:
        """Write the state and the inputs up to the incident.

        Raises:
            StateDamaged: Something can't be written, or the journal is not proven.
            OSError: The journal can't be read.

        """
        incident = self._incident
        self._write(STATE, readable(incident.state))
        incident.state = b""
        stretch = lines_between(self._journal, incident.since_ns, incident.opened_ns + 1)
        inputs = newest(filter(_is_input, stretch), INPUT_BYTES_MAX)
        self._write_kept("before", BEFORE, inputs)
        self._seal()

    def write_after(self) -> None:
        """Write what came after it, the table of decisions, and close the folder.

        Raises:
            StateDamaged: Something can't be written, or the journal is not proven.
            OSError: The journal can't be read.

        """
        incident = self._incident
        stretch = lines_between(self._journal, incident.opened_ns + 1, incident.until_ns)
        self._write_kept("after", AFTER, oldest(filter(_is_input, stretch), INPUT_BYTES_MAX))
        around = lines_between(self._journal, incident.since_ns, incident.until_ns)
        rows = (_row(one.line, incident.opened_ns) for one in around if _is_decision(one))
        decided = oldest(rows, DECISION_BYTES_MAX)
        self._write_kept("decisions", DECISIONS, decided, head=_csv(_COLUMNS))
        self._seal()

    def _write_kept(self, told_as: str, name: str, kept: Stretch, head: bytes = b"") -> None:
        self._write(name, head, *kept.pieces)
        self._told[told_as] = _counted(kept)

    def _seal(self) -> None:
        incident = self._incident
        about = {
            "ref": incident.ref,
            "ts": incident.opened_ns,
            "since_ts": incident.since_ns,
            "until_ts": incident.until_ns,
            "triggers": incident.triggers,
            "journal_detail": incident.detail,
            "has_inputs": incident.detail == "inputs",
            "is_complete": self._sums.keys() >= PARTS,
            **self._told,
        }
        self._write(ABOUT, msgspec.json.format(msgspec.json.encode(about), indent=2) + b"\n")
        lines = (f"{digest}  {name}\n" for name, digest in sorted(self._sums.items()))
        self._write(SUMS, "".join(lines).encode())

    def _write(self, name: str, *pieces: bytes | bytearray) -> None:
        folder = RunFolder(self._run.create_folder(*self._incident.ref.split("/")))
        folder.write(name, *pieces)
        digest = sha256()
        for piece in pieces:
            digest.update(piece)
        if name != SUMS:
            self._sums[name] = digest.hexdigest()


def is_complete(folder: Path) -> bool:
    """Whether a folder was closed and still is what it was then."""
    try:
        about = msgspec.json.decode((folder / ABOUT).read_bytes(), type=dict[str, Any])
    except (OSError, msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return False
    return about.get("is_complete") is True and fault_of(folder) is None


def fault_of(folder: Path) -> str | None:
    """Return what is wrong with a folder of evidence by its own sums; None where nothing is.

    A folder without sums, left by a crash, claims nothing.

    Raises:
        OSError: A file can't be read.

    """
    sums = folder / SUMS
    if not sums.is_file():
        return None
    claimed: dict[str, str] = {}
    for line in sums.read_text("utf-8", "replace").splitlines():
        match = _SUM_LINE.fullmatch(line)
        if match is None:
            return f"{SUMS} is no list of sums"
        claimed[match[2]] = match[1]
    files = (path for path in folder.iterdir() if path.is_file() and not path.is_symlink())
    present = {path.name for path in files} - {SUMS}
    for name in sorted(present ^ set(claimed)):
        return f"{name} is {'missing' if name in claimed else 'in no sum'}"
    for name, digest in claimed.items():
        with (folder / name).open("rb") as file:
            if _digest(file) != digest:
                return f"{name} is not what {SUMS} says"
    return None


def readable(snapshot: bytes) -> bytes:
    """Return a kernel's snapshot as indented JSON; parts encoded apart are opened too."""
    text = msgspec.json.format(msgspec.json.encode(_opened(snapshot)), indent=2) + b"\n"
    if len(text) > STATE_BYTES_MAX:
        return msgspec.json.encode({"left_out_bytes": len(text)}) + b"\n"
    return text


def _opened(node: object) -> object:
    match node:
        case bytes():
            decode = msgspec.json.decode if node[:1] in _JSON else msgspec.msgpack.decode
            return _opened(decode(node))
        case dict():
            return {str(key): _opened(value) for key, value in node.items()}
        case list():
            return [_opened(item) for item in node]
        case _:
            return node


def _is_input(one: Raw) -> bool:
    return one.line.type in INPUT_TYPES


def _is_decision(one: Raw) -> bool:
    return one.line.type in DECIDING


def _counted(kept: Stretch) -> Mapping[str, int | None]:
    first, last = kept.ends or (None, None)
    return {
        "lines": kept.lines,
        "first_line": first,
        "last_line": last,
        "left_out": kept.dropped,
    }


def _row(line: Line, opened_ns: int) -> Raw:
    offset = f"{(line.ts_ns - opened_ns) / 1e9:+.6f}"
    return Raw(line, _csv((line.seq, line.ts_ns, offset, line.type, line.data.decode())))


def _csv(values: Sequence[object]) -> bytes:
    text = io.StringIO()
    csv.writer(text, lineterminator="\n").writerow(values)
    return text.getvalue().encode()


def _digest(file: io.BufferedReader) -> str:
    digest = sha256()
    while chunk := file.read(1 << 20):
        digest.update(chunk)
    return digest.hexdigest()
