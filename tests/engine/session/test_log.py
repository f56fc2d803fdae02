"""session.log: one JSON object a line, private, rotated, and nothing secret in it."""

import json
import logging
import os
import stat

import pytest

from engine.model.errors import StateDamaged
from engine.session.log import FRAMES_MAX, open_log
from engine.session.rotation import RotatingFile

CANARY = "k7Q2mZ9pL4xV8nB3"
NOW = 1_763_640_139_250_000_000


@pytest.fixture
def path(tmp_path):
    """Name the log."""
    return tmp_path / "session.log"


@pytest.fixture
def log(path):
    """Open a log with a stopped clock and one registered secret."""
    log = open_log(path, "debug", secrets=["registered-canary"], now_ns=lambda: NOW)
    yield log
    log.close()


def lines(path):
    """Parse every line; each must be one object."""
    return [json.loads(line) for line in path.read_text().splitlines()]


def test_a_line_is_time_level_event_and_fields(log, path) -> None:
    """In that order, in UTC, evidence last."""
    log.logger.info("state_changed", evidence_ref="evidence/stale-1", to="DEGRADED", n=1, none=None)

    assert path.read_text() == (
        '{"ts":"2025-11-20T12:02:19.250Z","level":"info","event":"state_changed","to":"DEGRADED",'
        '"n":1,"none":null,"evidence":"EVIDENCE_REF=evidence/stale-1"}\n'
    )


class LeakyError(Exception):
    """An exception whose text carries a secret, as a signed URL in a client error does."""


def boom() -> None:
    """Raise with a secret in a local and in the text."""
    api_key = CANARY
    try:
        raise LeakyError(f"GET /order?signature={api_key}")
    except LeakyError as error:
        raise RuntimeError("wrapped\nand split") from error


def leak_everywhere(logger) -> None:
    """Log the canary by every road."""
    logger.info("by_key", api_key=CANARY, nested={"secret": CANARY, "list": [{"token": CANARY}]})
    logger.info("by_value", url=f"https://x/?signature={CANARY}", header=f"Bearer {CANARY}")
    logger.info(f"by_event api_key={CANARY}")
    logger.info(
        "by_object", error=LeakyError(f"password={CANARY}"), raw=f"token: {CANARY}".encode()
    )
    logger.info("registered", plain="registered-canary", backwards="registered-canary"[::-1])
    logger.info("by_folder", credentials={"left": CANARY, "right": [CANARY]})
    logger.bind(authorization=CANARY).warning("bound")
    logging.getLogger("aiohttp.client").warning("GET %s", f"https://x/?token={CANARY}")
    logging.getLogger("keyring").error("failed", exc_info=LeakyError(f"secret={CANARY}"))
    try:
        boom()
    except RuntimeError:
        logger.exception("by_exception")


def test_the_canary_never_reaches_the_file(log, path) -> None:
    """Keys, values, events, objects, libraries and exceptions are all scrubbed."""
    leak_everywhere(log.logger)

    text = path.read_text()
    assert CANARY not in text
    assert "registered-canary" not in text
    assert "registered-canary"[::-1] not in text
    assert len(lines(path)) == 10


def test_exceptions_have_frames_and_no_locals(log, path) -> None:
    """File, line and function of each error and its cause, nothing of their insides."""
    try:
        boom()
    except RuntimeError:
        log.logger.exception("failed")

    error = lines(path)[0]["exception"]
    assert (error["kind"], error["cause"]["kind"]) == ("RuntimeError", "LeakyError")
    assert error["frames"][-1].startswith("session/test_log.py:")
    assert error["frames"][-1].endswith(" boom")
    assert set(error) == {"kind", "message", "frames", "cause"}


def test_deep_traces_are_short(log, path) -> None:
    """A recursion error is not a thousand lines."""

    def deeper(n: int) -> None:
        if n:
            deeper(n - 1)
        raise ValueError(n)

    try:
        deeper(100)
    except ValueError:
        log.logger.exception("deep")

    assert len(lines(path)[0]["exception"]["frames"]) == FRAMES_MAX


HOSTILE = [
    'x"}\n{"level":"info","event":"forged"}',
    "\x1b]52;c;ZXZpbA==\x07",
    "a\N{RIGHT-TO-LEFT OVERRIDE}b\N{LINE SEPARATOR}c",
    "\ud800",
    "x" * 100_000,
]


@pytest.mark.parametrize("text", HOSTILE)
def test_hostile_text_stays_inside_its_line(log, path, text) -> None:
    """As value, key, event and library message: one line each, no control character."""
    log.logger.info(text, value=text, **{text[:50]: 1})
    logging.getLogger("x").warning(text)

    content = path.read_bytes()
    assert content.count(b"\n") == len(lines(path)) == 2
    assert all(c.isprintable() for c in content.decode().replace("\n", ""))
    assert max(map(len, content.splitlines())) < 10_000


VALUES = [
    (float("nan"), None), (1 << 70, str(1 << 70)), ((1, 2), [1, 2]), (b"\xff", "\ufffd"), (True, True),
    ({"a": {"b": {"c": {"d": {"e": 1}}}}}, {"a": {"b": {"c": {"d": "..."}}}}),
]  # fmt: skip


@pytest.mark.parametrize(("value", "expected"), VALUES)
def test_values_of_any_kind(log, path, value, expected) -> None:
    """Nothing a caller logs can make a line invalid or endless."""
    log.logger.info("x", value=value)

    assert lines(path)[0]["value"] == expected


def test_levels(path) -> None:
    """What is below the level is not written; libraries speak from WARNING up."""
    log = open_log(path, "warning", now_ns=lambda: NOW)
    log.logger.info("no")
    log.logger.warning("yes")
    logging.getLogger("lib").info("no")
    # Past the root logger: pytest's own handler raises on arguments that don't fit.
    log._bridge.handle(logging.LogRecord("lib", 30, "x.py", 1, "%d", ("not a number",), None))
    log.close()

    assert [line["event"] for line in lines(path)] == ["yes", "library_log"]
    assert lines(path)[1]["logger"] == "lib"


def test_after_close_nothing_is_listened_to(log, path) -> None:
    """Libraries are let go of, late lines are counted, closing twice is fine."""
    log.close()
    log.close()
    logging.getLogger("lib").warning("late")
    log.logger.info("late")

    assert path.read_text() == ""
    assert log.dropped == 1


def test_rotation_keeps_whole_private_lines(path) -> None:
    """Five files at most, newest first, each within its size, each 0600 under any umask."""
    before = os.umask(0)
    try:
        file = RotatingFile(path, bytes_max=100, files_max=3)
        for number in range(50):
            file.write(b'{"n":%02d,"x":"xxxxxxxx"}\n' % number)
        file.close()
    finally:
        os.umask(before)

    files = [path, *(path.with_name(f"session.log.{n}") for n in (1, 2))]
    assert sorted(path.parent.iterdir()) == files
    assert {stat.S_IMODE(file.stat().st_mode) for file in files} == {0o600}
    assert all(file.stat().st_size <= 100 for file in files)
    numbers = [line["n"] for file in reversed(files) for line in lines(file)]
    assert numbers == list(range(50 - len(numbers), 50))


def test_a_failing_rotation_goes_on_in_the_same_file(path, monkeypatch) -> None:
    """Nothing is lost while the folder refuses the rename."""
    file = RotatingFile(path, bytes_max=100, files_max=3)

    def refuse(*_: object) -> None:
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(type(path), "replace", refuse)
    for number in range(50):
        file.write(b'{"n":%d}\n' % number)
    file.close()

    assert [line["n"] for line in lines(path)] == list(range(50))
    assert file.dropped == 0


def test_a_full_disk_costs_the_line_only(path, monkeypatch) -> None:
    """Half a line is taken back, so that the next one parses."""
    file = RotatingFile(path)
    real = os.write
    file.write(b'{"n":1}\n')
    with monkeypatch.context() as patch:
        patch.setattr(os, "write", lambda fd, line: real(fd, line[:3]))
        file.write(b'{"n":2}\n')
    file.write(b'{"n":3}\n')
    file.close()

    assert [line["n"] for line in lines(path)] == [1, 3]
    assert file.dropped == 1


def test_a_planted_link_is_refused(path, tmp_path) -> None:
    """The log is not written through a link to somewhere else."""
    victim = tmp_path / "victim"
    victim.touch()
    path.symlink_to(victim)

    with pytest.raises(StateDamaged, match=r"can't write .*session\.log"):
        open_log(path)
