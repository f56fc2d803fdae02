"""Capsules: one file that holds a run, proven before it leaves and before it comes in.

A capsule is a packed tar whose first member, `capsule.json`, names the run, the journal's head hash
and every other member with size and SHA-256. The journal is in it byte for byte. Manifest and log
pass the redactor again, so their checksums are those of the scrubbed text.

Rule 1: no capsule is made of a journal that is not proven to its end.
Rule 2: who reads one checks names against a closed list, sizes and sums against `capsule.json`;
        `capsule_import.py` does the rest.

Source: issue 3 item 5; reliability.md F2, F4, C10.
"""

import os
import re
import stat
from collections.abc import Callable, Iterator
from contextlib import ExitStack, closing, suppress
from hashlib import sha256
from io import BytesIO
from pathlib import Path
from typing import IO, TYPE_CHECKING, Final, NamedTuple

import msgspec

from engine.model.errors import JournalDamaged, StateDamaged, UsageError
from engine.reports.final_report import NAME as REPORT_NAME
from engine.session.evidence_files import fault_of
from engine.session.journal_emergency import EMERGENCY_NAME
from engine.session.journal_head import HEAD_NAME
from engine.session.journal_parts import SEGMENT
from engine.session.journal_reader import Line, read_journal
from engine.session.manifest import NAME as MANIFEST_NAME
from engine.session.metrics import CSV_NAME, JSON_NAME
from engine.session.run_folder import EVIDENCE, LATEST, valid_name
from engine.session.sanitize import sanitize
from laptop_agents.audit_verify import claimed_head
from laptop_agents.runs import JOURNAL_NAME
from laptop_agents.scrub import scrub_document, scrub_log
from laptop_agents.tarball import Broken, Limits, Reader, open_plain, write

if TYPE_CHECKING:
    from hashlib import _Hash as Digest

CONTENTS_NAME: Final = "capsule.json"
FORMAT: Final = 1
CONTENTS_MAX: Final = 1 << 20
"""Bytes of `capsule.json`: a thousand members take 150 kB."""
SCRUBBED_MAX: Final = 64 << 20
"""Bytes of a manifest or log, which are scrubbed in memory; logs rotate far below."""
CHUNK: Final = 1 << 20
LOG_NAME: Final = re.compile(r"session\.log(\.[0-9]{1,3})?")
PLAIN: Final = frozenset(
    {
        JOURNAL_NAME, HEAD_NAME, EMERGENCY_NAME, REPORT_NAME, CSV_NAME, JSON_NAME, "report.html",
    }
)  # fmt: skip


class Member(msgspec.Struct, frozen=True):
    """What `capsule.json` says of one file."""

    bytes: int
    sha256: str


class Contents(msgspec.Struct, frozen=True, kw_only=True):
    """`capsule.json`."""

    capsule: int
    run_id: str
    head_hash: str
    lines: int
    files: dict[str, Member]


class Proof(NamedTuple):
    """What a journal's lines prove."""

    run_id: str
    head_hash: str
    lines: int


def proof_of(journal: Path) -> Proof:
    """Prove every line of a journal.

    Raises:
        JournalDamaged: The first line that is not proven, or that is no start of a session.
    """
    last: Line | None = None
    run_id: object = None
    for last in read_journal(journal):
        if last.seq == 1:
            run_id = _run_id(last)
            if run_id is None:
                raise JournalDamaged(str(journal), 1, "the first line is not session_started")
    assert last is not None, "an empty journal is refused by the reader"
    return Proof(str(run_id), last.hash, last.seq)


def _run_id(first: Line) -> str | None:
    if first.type != "session_started":
        return None
    try:
        return msgspec.json.decode(first.data, type=_Started).run_id
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return None


class _Started(msgspec.Struct):
    run_id: str


def export_run(folder: Path, output: Path) -> Contents:
    """Write a run's capsule to `output`, which must not exist, and read it back.

    Raises:
        JournalDamaged: The journal is not proven; a capsule of it would prove nothing.
        UsageError: The file exists.
        StateDamaged: Something can't be read or written.
    """
    journal = folder / JOURNAL_NAME
    proof = proof_of(journal)
    if claimed_head(folder / REPORT_NAME) not in (None, proof.head_hash):
        reason = "the journal ends before the head its report names"
        raise JournalDamaged(str(journal), proof.lines + 1, reason)
    _refuse_changed_evidence(folder)
    with ExitStack() as stack:
        streams = {name: stack.enter_context(_stream(folder / name)) for name in _names(folder)}
        contents = Contents(
            capsule=FORMAT,
            run_id=proof.run_id,
            head_hash=proof.head_hash,
            lines=proof.lines,
            files={name: _measured(stream) for name, stream in streams.items()},
        )
        first = msgspec.json.encode(contents)
        rows: list[tuple[str, IO[bytes], int]] = [(CONTENTS_NAME, BytesIO(first), len(first))]
        rows += [(name, stream, contents.files[name].bytes) for name, stream in streams.items()]
        create(output, lambda file: write(file, rows))
    _read_back(output)
    return contents


def create(path: Path, fill: Callable[[IO[bytes]], None]) -> None:
    """Make a file that must not exist: 0600, written beside itself, synced, then named.

    Raises:
        UsageError: It exists.
        StateDamaged: It can't be written.
    """
    if os.path.lexists(path):
        raise UsageError(f"{path} exists already")
    beside = path.with_name(f".{path.name}.tmp")
    flags = os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_RDWR | os.O_CLOEXEC
    try:
        beside.unlink(missing_ok=True)  # left by a crash
        with open(os.open(beside, flags, 0o600), "wb") as file:
            fill(file)
            file.flush()
            os.fsync(file.fileno())
        beside.rename(path)
    except OSError as error:
        raise StateDamaged(f"can't write {path}: {error.strerror or error}") from error
    finally:
        with suppress(OSError):
            beside.unlink(missing_ok=True)


def is_member(name: str) -> bool:
    """Whether a file of that name belongs in a capsule: the list is closed."""
    parts = name.split("/")
    if len(parts) == 1:
        patterns = (LOG_NAME, SEGMENT)
        return name in (*PLAIN, MANIFEST_NAME) or any(p.fullmatch(name) for p in patterns)
    return len(parts) == 3 and parts[0] == EVIDENCE


def members(reader: Reader, contents: Contents) -> Iterator[tuple[str, Iterator[bytes]]]:
    """Yield the files behind `capsule.json`, each checked against it once it was read.

    Raises:
        Broken: A file is not what `capsule.json` says, or one of them is missing.
    """
    missing = dict(contents.files)
    for member, content in reader.members():
        expected = missing.pop(member.name, None)
        if expected is None or not is_member(member.name):
            raise Broken(f"{member.name} does not belong in it")
        if member.size != expected.bytes:
            raise Broken(f"{member.name} has another size than {CONTENTS_NAME} says")
        digest = sha256()
        yield member.name, _hashing(content, digest)
        for chunk in content:
            digest.update(chunk)
        if digest.hexdigest() != expected.sha256:
            raise Broken(f"{member.name} is not what {CONTENTS_NAME} says")
    if missing:
        raise Broken(f"{min(missing)} is missing")


def contents_of(reader: Reader) -> Contents:
    """Read `capsule.json`, which must come first.

    Raises:
        Broken: It does not, or says nothing this release understands.
    """
    member, content = next(reader.members(), (None, iter(())))
    if member is None or member.name != CONTENTS_NAME or member.size > CONTENTS_MAX:
        raise Broken("it is no capsule: capsule.json must come first")
    try:
        contents = msgspec.json.decode(b"".join(content), type=Contents)
        valid_name(contents.run_id)
    except (msgspec.DecodeError, UnicodeDecodeError, UsageError, RecursionError) as error:
        raise Broken(f"its {CONTENTS_NAME} can't be read") from error
    if contents.capsule != FORMAT:
        raise Broken(f"it has format {contents.capsule}, this release reads {FORMAT}")
    if contents.run_id == LATEST or not {JOURNAL_NAME, MANIFEST_NAME} <= set(contents.files):
        raise Broken(f"its {CONTENTS_NAME} describes no run")
    return contents


def _hashing(content: Iterator[bytes], digest: "Digest") -> Iterator[bytes]:
    for chunk in content:
        digest.update(chunk)
        yield chunk


def _read_back(output: Path) -> None:
    """Check a capsule just written as an importer would.

    Raises:
        StateDamaged: It is not what was meant; it is deleted.
    """
    try:
        with closing(Reader(output, Limits())) as reader:
            for _ in members(reader, contents_of(reader)):
                pass
    except Broken as error:
        output.unlink(missing_ok=True)
        raise StateDamaged(f"{output} could not be verified after writing: {error}") from error


def _names(folder: Path) -> list[str]:
    """Return what of a run goes into its capsule, sorted."""
    names = [path.name for path in folder.iterdir() if is_member(path.name) and _is_plain(path)]
    for path in sorted((folder / EVIDENCE).glob("*/*")):
        name = path.relative_to(folder).as_posix()
        if _is_plain(path) and not path.parent.is_symlink():
            names.append(name)
    if MANIFEST_NAME not in names:
        raise StateDamaged(f"{folder} has no {MANIFEST_NAME}: there is nothing to say what it is")
    return sorted(names)


def _refuse_changed_evidence(folder: Path) -> None:
    """Hold every folder of evidence to its own sums.

    Raises:
        StateDamaged: One is not what it was when it was closed, or can't be read.
    """
    fault = evidence_fault(folder)
    if fault is not None:
        raise StateDamaged(f"{folder}: {fault}")


def evidence_fault(folder: Path) -> str | None:
    """Return what is wrong with a run's evidence; None where nothing is, or there is none."""
    for path in sorted((folder / EVIDENCE).glob("*")):
        try:
            fault = fault_of(path) if path.is_dir() and not path.is_symlink() else None
        except OSError as error:
            fault = f"it can't be read: {error.strerror or error}"
        if fault is not None:
            return f"{EVIDENCE}/{sanitize(path.name)}: {fault}"
    return None


def _is_plain(path: Path) -> bool:
    return stat.S_ISREG(path.lstat().st_mode)


def _stream(path: Path) -> IO[bytes]:
    """Open a file as it goes into the capsule."""
    try:
        file = open_plain(path)
        if path.name != MANIFEST_NAME and LOG_NAME.fullmatch(path.name) is None:
            return file
        with file:
            content = file.read(SCRUBBED_MAX + 1)
    except OSError as error:
        raise StateDamaged(f"can't read {path}: {error.strerror or error}") from error
    if len(content) > SCRUBBED_MAX:
        raise StateDamaged(f"{path} is too large to scrub")
    is_manifest = path.name == MANIFEST_NAME
    return BytesIO(scrub_document(content) if is_manifest else scrub_log(content))


def _measured(stream: IO[bytes]) -> Member:
    digest, size = sha256(), 0
    while chunk := stream.read(CHUNK):
        digest.update(chunk)
        size += len(chunk)
    stream.seek(0)
    return Member(size, digest.hexdigest())
