"""session.log: what the program did, one JSON object a line, for people and for grep.

Rule 1: the last processor before the renderer takes out secrets and control characters; nothing is
        added after it. Exceptions become short frames (`file:line function`), never locals.
Rule 2: the file is 0600 from its creation, rotates by size, and a disk that refuses a line costs
        that line (`dropped` counts them), never the session.
Rule 3: a line that refers to evidence ends in `EVIDENCE_REF=<relative path>`, its last value.

Source: reliability.md sections 0.4 and 0.5, fault rows 56, 67, 108, 109.
"""

import logging
import sys
import time
import traceback
from collections.abc import Callable, Iterable, Iterator, Mapping, MutableMapping
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING, Final

import msgspec

from engine.model.errors import StateDamaged
from engine.session.rotation import RotatingFile
from engine.session.sanitize import REDACTED, Redactor, is_secret_key, sanitize

if TYPE_CHECKING:
    from structlog.typing import FilteringBoundLogger

LEVELS: Final = {"debug": 10, "info": 20, "warning": 30, "error": 40}
TEXT_MAX: Final = 2_000
"""Characters of one value: a long error message, not a page of HTML."""
SCANNED_MAX: Final = 65_536
"""Characters of one value searched for secrets; the rest is cut off unseen."""
ITEMS_MAX: Final = 100
DEPTH_MAX: Final = 4
FRAMES_MAX: Final = 12
FOUND_BYTES: Final = 64 * 1024
"""Of an older log's end: more than one turn of a session says."""
CAUSES_MAX: Final = 3

Fields = MutableMapping[str, object]


class SessionLog:
    """The open log: `logger` writes to it, and so does every library that warns."""

    def __init__(self, logger: "FilteringBoundLogger", file: RotatingFile, found: bytes) -> None:
        self.logger = logger
        self.found = found
        """The end of what stood there when it was opened."""
        self._file = file
        self._bridge = _Bridge(logger)
        logging.getLogger().addHandler(self._bridge)

    @property
    def dropped(self) -> int:
        """Lines the disk refused so far."""
        return self._file.dropped

    def close(self) -> None:
        """Stop listening to libraries and close the file; twice is fine."""
        logging.getLogger().removeHandler(self._bridge)
        self._file.close()


def open_log(
    path: Path,
    level: str = "info",
    *,
    secrets: Iterable[str] = (),
    now_ns: Callable[[], int] = time.time_ns,
) -> SessionLog:
    """Open `session.log`, appending to what is there.

    Args:
        path: The file; older ones stand beside it as `<path>.1` and up.
        level: `debug`, `info`, `warning` or `error`: the least that is written.
        secrets: Values that must not appear in any encoding; key names are known already.
        now_ns: The wall clock.

    Raises:
        StateDamaged: The file can't be opened.

    """
    with _without_rich():
        import structlog  # noqa: PLC0415  (it brings asyncio: --help must not pay for it)

    try:
        found = _end_of(path)
        file = RotatingFile(path)
    except OSError as error:
        raise StateDamaged(f"can't write {path}: {error.strerror}") from error
    logger: FilteringBoundLogger = structlog.wrap_logger(
        _Lines(file),
        processors=[_Stamp(now_ns), _frames, _Scrub(Redactor(secrets)), _render],
        wrapper_class=structlog.make_filtering_bound_logger(LEVELS[level]),
        context_class=dict,
    ).bind()
    return SessionLog(logger, file, found)


def _end_of(path: Path) -> bytes:
    try:
        with path.open("rb") as file:
            file.seek(max(0, path.stat().st_size - FOUND_BYTES))
            return file.read()
    except FileNotFoundError:
        return b""


@contextmanager
def _without_rich() -> Iterator[None]:
    """Keep structlog from loading rich for console renderers that nobody here uses.

    It does without where rich is absent. That is 30 ms and 5 MB of every start.
    """
    is_loaded = "rich" in sys.modules
    if not is_loaded:
        sys.modules["rich"] = None  # type: ignore[assignment]  # absent, to `import`
    try:
        yield
    finally:
        if not is_loaded:
            del sys.modules["rich"]


class _Lines:
    """What structlog calls with a rendered line, whatever its level."""

    def __init__(self, file: RotatingFile) -> None:
        self.msg = self.debug = self.info = self.warning = self.error = self.critical = file.write


class _Stamp:
    """Puts time, level and event first, and evidence last."""

    def __init__(self, now_ns: Callable[[], int]) -> None:
        self._now_ns = now_ns

    def __call__(self, _: object, level: str, fields: Fields) -> Fields:
        moment = datetime.fromtimestamp(self._now_ns() / 1e9, UTC)
        evidence = fields.pop("evidence_ref", "")
        ts = moment.isoformat(timespec="milliseconds").replace("+00:00", "Z")
        line: Fields = {"ts": ts, "level": level, "event": fields.pop("event", ""), **fields}
        if evidence:
            line["evidence"] = f"EVIDENCE_REF={evidence}"
        return line


class _Scrub:
    """Makes every key and value plain, short and harmless."""

    def __init__(self, redactor: Redactor) -> None:
        self._redactor = redactor

    def __call__(self, _: object, __: str, fields: Fields) -> Fields:
        return self._fields(fields, 0)

    def _fields(self, fields: Mapping[str, object], depth: int) -> Fields:
        return {
            sanitize(str(key), 64): self._value(str(key), value, depth)
            for key, value in list(fields.items())[:ITEMS_MAX]
        }

    def _value(self, key: str, value: object, depth: int) -> object:
        if is_secret_key(key):
            return REDACTED
        if value is None or isinstance(value, bool | float) or _is_small(value):
            return value
        if isinstance(value, Mapping | list | tuple | set | frozenset):
            return "..." if depth >= DEPTH_MAX else self._nested(key, value, depth + 1)
        text = self._redactor.value(key, _text(value)[:SCANNED_MAX])
        return sanitize(text, TEXT_MAX)

    def _nested(
        self, key: str, value: Mapping[str, object] | Iterable[object], depth: int
    ) -> object:
        if isinstance(value, Mapping):
            return self._fields(value, depth)
        return [self._value(key, item, depth) for item in list(value)[:ITEMS_MAX]]


class _Bridge(logging.Handler):
    """Hands what libraries say through `logging` to the session's log, from WARNING up."""

    def __init__(self, logger: "FilteringBoundLogger") -> None:
        super().__init__(logging.WARNING)
        self._logger = logger

    def emit(self, record: logging.LogRecord) -> None:
        """Write one library record."""
        write = self._logger.error if record.levelno >= logging.ERROR else self._logger.warning
        write("library_log", logger=record.name, message=_said(record), exc_info=record.exc_info)


def _said(record: logging.LogRecord) -> str:
    try:
        return record.getMessage()
    except (TypeError, ValueError, KeyError, AttributeError):  # arguments that don't fit the text
        return str(record.msg)


def _frames(_: object, __: str, fields: Fields) -> Fields:
    """Replace `exc_info` by the error's kind, message and short frames, and those of its causes."""
    given = fields.pop("exc_info", None)
    if given is True:
        import sys  # noqa: PLC0415

        given = sys.exc_info()
    error = given[1] if isinstance(given, tuple) else given
    if isinstance(error, BaseException):
        fields["exception"] = _described(error, CAUSES_MAX)
    return fields


def _described(error: BaseException, causes: int) -> dict[str, object]:
    described: dict[str, object] = {
        "kind": type(error).__name__,
        "message": str(error),
        "frames": _short_frames(error.__traceback__),
    }
    cause = error.__cause__ or (None if error.__suppress_context__ else error.__context__)
    if cause is not None and causes:
        described["cause"] = _described(cause, causes - 1)
    return described


def _short_frames(trace: TracebackType | None) -> list[str]:
    frames = [
        f"{'/'.join(Path(frame.f_code.co_filename).parts[-2:])}:{line} {frame.f_code.co_name}"
        for frame, line in traceback.walk_tb(trace)
    ]
    return frames[-FRAMES_MAX:]


def _text(value: object) -> str:
    if isinstance(value, bytes | bytearray):
        return value.decode("utf-8", "replace")
    if isinstance(value, BaseException):
        return f"{type(value).__name__}: {value}"
    return str(value)


def _is_small(value: object) -> bool:
    return isinstance(value, int) and -(1 << 63) <= value < 1 << 63


def _render(_: object, __: str, fields: Fields) -> bytes:
    return msgspec.json.encode(fields) + b"\n"
