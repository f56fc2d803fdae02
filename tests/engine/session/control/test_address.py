"""The socket's place: private, never taken from the living, always from the dead."""

import os
import socket
import stat
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from engine.model.errors import SessionUnreachable, StateDamaged, StateHeld
from engine.session.control import address
from engine.session.control.address import NAME, PATH_BYTES_MAX, Listener, find, listen


@pytest.fixture
def root() -> Iterator[Path]:
    """A folder with a short name: pytest's own may be too long for a socket."""
    with tempfile.TemporaryDirectory() as name:
        yield Path(name)


@pytest.fixture(autouse=True)
def _runtime(root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A runtime folder of the test's own."""
    (root / "x").mkdir()
    monkeypatch.setenv("XDG_RUNTIME_DIR", str(root / "x"))


@pytest.fixture
def short(root: Path) -> Path:
    run = root / "run"
    run.mkdir()
    assert len(str(run / NAME)) <= PATH_BYTES_MAX
    return run


@pytest.fixture
def deep(root: Path) -> Path:
    run = root / ("long" * 20) / ("name" * 12)
    run.mkdir(parents=True)
    return run


def answers(folder: Path) -> bool:
    with socket.socket(socket.AF_UNIX) as sock:
        try:
            sock.connect(str(find(folder)))
        except ConnectionRefusedError:
            return False
        return True


@pytest.mark.parametrize("where", ["short", "deep"])
def test_it_is_found_private_and_gone_afterwards(
    where: str, request: pytest.FixtureRequest
) -> None:
    """Also where the path is too long; no file of it outlives the session."""
    run: Path = request.getfixturevalue(where)
    umask = os.umask(0)
    listener = listen(run)
    modes = [stat.S_IMODE(path.lstat().st_mode) for path in listener.paths]
    found, is_heard = find(run), answers(run)
    mask = os.umask(umask)
    listener.close()
    listener.close()

    assert {0o600} == set(modes)
    assert len(os.fsencode(found)) <= PATH_BYTES_MAX
    assert stat.S_IMODE(found.parent.stat().st_mode) == 0o700 or where == "short"
    assert is_heard
    assert 0 == mask
    assert not any(path.exists() for path in listener.paths)


@pytest.mark.parametrize("where", ["short", "deep"])
def test_a_dead_session_leaves_its_place(where: str, request: pytest.FixtureRequest) -> None:
    """What SIGKILL left is cleared."""
    run: Path = request.getfixturevalue(where)
    dead = listen(run)
    dead.sock.close()
    left = [path.exists() or path.is_socket() for path in dead.paths]

    listener = listen(run)

    assert all(left)
    assert answers(run)
    listener.close()


@pytest.mark.parametrize("where", ["short", "deep"])
def test_a_living_session_keeps_its_place(where: str, request: pytest.FixtureRequest) -> None:
    """Nobody takes it."""
    run: Path = request.getfixturevalue(where)
    listener = listen(run)

    with pytest.raises(StateHeld):
        listen(run)

    assert answers(run)
    listener.close()


def test_something_else_in_the_way_is_left_alone(short: Path) -> None:
    """A folder of that name is no socket."""
    (short / NAME).mkdir()

    with pytest.raises(StateDamaged, match="in the way"):
        listen(short)
    with pytest.raises(SessionUnreachable, match="no control socket"):
        find(short)


def test_no_socket(short: Path) -> None:
    """Named after the run."""
    with pytest.raises(SessionUnreachable, match="run run has no control socket"):
        find(short)


@pytest.mark.parametrize("content", [b"/etc/passwd", b"", b"../../x.sock", b"\xff\x00"])
def test_a_pointer_leads_nowhere_else(short: Path, content: bytes) -> None:
    """Whoever can write the file can't send a client to a socket of theirs."""
    (short / NAME).write_bytes(content)

    with pytest.raises(SessionUnreachable):
        find(short)


def test_a_runtime_folder_of_others_is_refused(deep: Path, root: Path) -> None:
    """Somebody may have made it first."""
    (root / "x" / f"laptop-agents-{os.geteuid()}").mkdir(mode=0o755)

    with pytest.raises(StateDamaged, match="not a folder of this user alone"):
        listen(deep)


def test_a_file_system_without_sockets(short: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A mounted folder that refuses to bind gets a pointer instead."""
    bound = address._bound

    def refusing(path: Path) -> socket.socket:
        if path.parent == short:
            raise PermissionError
        return bound(path)

    monkeypatch.setattr(address, "_bound", refusing)
    listener = listen(short)

    assert (short / NAME).is_file()
    assert answers(short)
    listener.close()


def test_a_disk_that_keeps_its_files_does_not_hold_up_the_end(short: Path) -> None:
    """Read-only at the end of a session: the other files go, and the exit code is the session's."""
    listener = listen(short)
    stuck = short / "stuck"
    stuck.mkdir()
    Listener(listener.sock, (stuck, *listener.paths)).close()

    assert stuck.is_dir()
    assert [] == [path for path in listener.paths if path.exists()]
