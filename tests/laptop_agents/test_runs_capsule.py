"""Capsules: what leaves comes back the same, and what somebody else made does not come in."""

import gzip
import hashlib
import io
import json
import random
import stat
import tarfile
from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from engine.model.errors import (
    JournalDamaged,
    LaptopAgentsError,
    StateDamaged,
    StateHeld,
    UsageError,
)
from engine.session.journal_line import Chain
from laptop_agents.capsule import export_run
from laptop_agents.capsule_import import import_run
from laptop_agents.cli import run
from laptop_agents.tarball import Limits
from tests.laptop_agents.recorded import copied, record

SECRET = "c4n4ryT0pS3cretc4n4ryT0pS3cretc4n4ry"  # noqa: S105 - a canary


@pytest.fixture(scope="module")
def original(tmp_path_factory: pytest.TempPathFactory) -> Path:
    home = tmp_path_factory.mktemp("home")
    record(home, minutes="0.5", run_id="one")
    return home


@pytest.fixture
def home(original: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    home = copied(original, tmp_path / "home")
    monkeypatch.setenv("LAPTOP_AGENTS_HOME", str(home))
    monkeypatch.chdir(tmp_path)
    return home


@pytest.fixture(scope="module")
def capsule(original: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("out") / "one.capsule.tar.gz"
    export_run(original / "runs" / "one", path)
    return path


def unpacked(capsule: Path) -> dict[str, bytes]:
    with tarfile.open(capsule) as archive:
        return {m.name: archive.extractfile(m).read() for m in archive.getmembers()}


def packed(path: Path, files: dict[str, bytes], *, lies: bool = False) -> Path:
    """Pack like the program does; sums are made to fit unless the files come with lies."""
    files = dict(files)
    contents = json.loads(files.pop("capsule.json"))
    if not lies:
        contents["files"] = {
            name: {"bytes": len(text), "sha256": hashlib.sha256(text).hexdigest()}
            for name, text in files.items()
        }
    raw = io.BytesIO()
    with tarfile.open(fileobj=raw, mode="w", format=tarfile.USTAR_FORMAT) as archive:
        for name, text in {"capsule.json": json.dumps(contents).encode(), **files}.items():
            member = tarfile.TarInfo(name)
            member.size = len(text)
            archive.addfile(member, io.BytesIO(text))
    path.write_bytes(gzip.compress(raw.getvalue(), mtime=0))
    return path


def refused(file: Path, home: Path, kind: type[LaptopAgentsError] = StateDamaged, **limits: object):
    """Import what must not come in; nothing may be left of it."""
    with pytest.raises(kind) as caught:
        import_run(file, home, **limits)
    left = sorted(path.name for path in home.rglob("*")) if home.exists() else []
    assert left in ([], ["runs"])
    assert str(caught.value).isprintable()
    return caught.value


def test_there_and_back(home: Path, tmp_path: Path, monkeypatch, capsys) -> None:
    """The journal to the byte, the rest to the checksum; and it replays over there."""
    assert 0 == run(["runs", "export", "one"])
    there = tmp_path / "there"
    monkeypatch.setenv("LAPTOP_AGENTS_HOME", str(there))
    assert 0 == run(["runs", "import", "one.capsule.tar.gz"])
    assert 0 == run(["audit", "verify", "one"])
    assert 0 == run(["replay", "one"])

    here, over = home / "runs" / "one", there / "runs" / "one"
    for name in ("events.jsonl", "final_report.json", "metrics.csv", "metrics.json"):
        assert (here / name).read_bytes() == (over / name).read_bytes()
    modes = {stat.S_IMODE(path.stat().st_mode) for path in over.iterdir()}
    assert ({0o600}, 0o700) == (modes, stat.S_IMODE(over.stat().st_mode))
    assert 0o600 == stat.S_IMODE((tmp_path / "one.capsule.tar.gz").stat().st_mode)
    assert "proven and taken in" in capsys.readouterr().out


def test_the_same_run_makes_the_same_capsule(home: Path, tmp_path: Path) -> None:
    """A second copy proves the first."""
    for name in ("x", "y"):
        export_run(home / "runs" / "one", tmp_path / name)

    assert (tmp_path / "x").read_bytes() == (tmp_path / "y").read_bytes()


def test_secrets_stay_here(home: Path, tmp_path: Path) -> None:
    """Whatever a hand wrote into manifest or log; what is meant to be read still is."""
    folder = home / "runs" / "one"
    manifest = json.loads((folder / "manifest.json").read_text())
    manifest["settings"]["venue.api_key"] = {"value": "hunter2", "origin": "--set"}
    manifest["settings"]["venue.note"] = {"value": f"use {SECRET}", "origin": "flag"}
    manifest["git_revision"] = "a1" * 20
    (folder / "manifest.json").write_text(json.dumps(manifest))
    log = '{"event":"x","password":"hunter2"}\nplain password=hunter2\n' + SECRET + "\n"
    (folder / "session.log").write_text(log)
    export_run(folder, tmp_path / "x")
    import_run(tmp_path / "x", tmp_path / "there")

    files = unpacked(tmp_path / "x")
    whole = b"".join(files.values())
    assert b"hunter2" not in whole
    assert SECRET.encode() not in whole
    assert "a1" * 20 == json.loads(files["manifest.json"])["git_revision"]
    assert 3 == len(files["session.log"].splitlines())
    assert (folder / "events.jsonl").read_bytes() == files["events.jsonl"]


def test_evidence_travels_and_strangers_do_not(home: Path, tmp_path: Path) -> None:
    """The list of what is packed is closed: no index, no key file, nothing behind a link."""
    folder = home / "runs" / "one"
    (folder / "evidence" / "halt-1").mkdir(parents=True)
    sums = f"{hashlib.sha256(b'{}').hexdigest()}  state.json\n"
    (folder / "evidence" / "halt-1" / "sha256sums.txt").write_text(sums)
    (folder / "evidence" / "halt-1" / "state.json").write_text("{}")
    (tmp_path / "key").write_text(SECRET)
    (folder / "my.key").write_text(SECRET)
    (folder / "report.html").symlink_to(tmp_path / "key")
    (folder / "evidence" / "link").symlink_to(tmp_path)
    (folder / "evidence" / "halt-1" / "x").symlink_to(tmp_path / "key")
    export_run(folder, tmp_path / "x")
    import_run(tmp_path / "x", tmp_path / "there")

    names = {"evidence/halt-1/sha256sums.txt", "evidence/halt-1/state.json", "events.jsonl",
             "final_report.json", "manifest.json", "metrics.csv", "metrics.json", "session.log",
             "capsule.json", "journal.head"}  # fmt: skip
    assert names == set(unpacked(tmp_path / "x"))
    evidence = tmp_path / "there" / "runs" / "one" / "evidence" / "halt-1"
    assert sums == (evidence / "sha256sums.txt").read_text()


def test_changed_evidence_neither_leaves_nor_comes_in(home: Path, tmp_path: Path) -> None:
    """It is held to its own sums, whatever `capsule.json` says."""
    folder = home / "runs" / "one"
    evidence = folder / "evidence" / "halt-1"
    evidence.mkdir(parents=True)
    (evidence / "state.json").write_text("{}")
    sums = f"{hashlib.sha256(b'{}').hexdigest()}  state.json\n"
    (evidence / "sha256sums.txt").write_text(sums)
    export_run(folder, tmp_path / "x")
    files = unpacked(tmp_path / "x") | {"evidence/halt-1/state.json": b"{ }"}
    error = refused(packed(tmp_path / "y", files), tmp_path / "there")

    assert "evidence/halt-1: state.json is not what sha256sums.txt says" in str(error)
    for name, text in (("state.json", "{ }"), ("more.json", "{}"), ("sha256sums.txt", "sums")):
        before = (evidence / name).read_text() if (evidence / name).exists() else None
        (evidence / name).write_text(text)
        with pytest.raises(StateDamaged, match="evidence/halt-1: "):
            export_run(folder, tmp_path / "z")
        (evidence / name).unlink() if before is None else (evidence / name).write_text(before)


def test_no_capsule_of_what_is_not_proven(home: Path, tmp_path: Path) -> None:
    """Damage, a torn end, and an end that was cut off: file and line, and no file is written."""
    folder = home / "runs" / "one"
    content = (folder / "events.jsonl").read_bytes()
    lines = content.splitlines(keepends=True)
    changed = b"".join([*lines[:9], lines[9].replace(b"1", b"2", 1), *lines[10:]])
    for damaged, line in (
        (changed, 10),
        (content[:-1], len(lines)),
        (b"".join(lines[:-1]), len(lines)),
    ):
        (folder / "events.jsonl").write_bytes(damaged)
        with pytest.raises(JournalDamaged) as caught:
            export_run(folder, tmp_path / "x")
        assert line == caught.value.line
    assert not (tmp_path / "x").exists()


def test_what_is_there_is_never_overwritten(home: Path, tmp_path: Path, capsule: Path) -> None:
    """Not the output, not the run; also not through a dangling link."""
    (tmp_path / "x").symlink_to(tmp_path / "nowhere")
    with pytest.raises(UsageError, match="exists already"):
        export_run(home / "runs" / "one", tmp_path / "x")
    with pytest.raises(UsageError, match="is here already"):
        import_run(capsule, home)
    assert not (tmp_path / "nowhere").exists()


def test_a_running_run_is_not_exported(home: Path) -> None:
    """It would be cut off in the middle."""
    (home / "runs" / "one" / "final_report.json").unlink()
    with pytest.raises(StateHeld):
        run(["runs", "export", "one"])


def test_a_file_that_is_not_there(home: Path) -> None:
    """Exit 2, not 6."""
    with pytest.raises(UsageError, match="there is no file"):
        run(["runs", "import", "no\x1bthing"])


# --- capsules of others --------------------------------------------------------------------------


def test_a_changed_line_is_named(tmp_path: Path, capsule: Path) -> None:
    """Also where the sums were made to fit: the chain is the proof."""
    files = unpacked(capsule)
    lines = files["events.jsonl"].splitlines(keepends=True)
    lines[19] = lines[19].replace(b"1", b"2", 1)
    files["events.jsonl"] = b"".join(lines)
    error = refused(packed(tmp_path / "x", files), tmp_path / "there", JournalDamaged)

    assert f"{tmp_path}/x: events.jsonl:20: " in str(error)
    assert 6 == error.exit_code


def rechained(content: bytes, edit: Callable[[dict], None]) -> bytes:
    chain, lines = Chain(), b""
    for row in map(json.loads, content.splitlines()):
        edit(row)
        lines += chain.data(row["type"], row["ts"], row["data"])
    return lines


def other_head(files: dict) -> None:
    files["events.jsonl"] = rechained(
        files["events.jsonl"], lambda row: row.update(ts=row["ts"] + 1)
    )


def other_run(files: dict) -> None:
    def edit(row: dict) -> None:
        if row["type"] == "session_started":
            row["data"]["run_id"] = "two"

    files["events.jsonl"] = rechained(files["events.jsonl"], edit)


def of_contents(**changes: object) -> Callable[[dict], None]:
    def edit(files: dict) -> None:
        files["capsule.json"] = json.dumps(json.loads(files["capsule.json"]) | changes).encode()

    return edit


def of_file(name: str, content: bytes | None) -> Callable[[dict], None]:
    def edit(files: dict) -> None:
        if content is None:
            del files[name]
        else:
            files[name] = content

    return edit


def odd_lines(*lines: bytes) -> Callable[[dict], None]:
    """Chain lines no session writes, as somebody with our code and bad intent would."""

    def edit(files: dict) -> None:
        prev, content = "0" * 64, b""
        for seq, middle in enumerate(lines, start=1):
            body = b'{"v":1,"seq":%d,"ts":%b,"prev":"%b"}' % (seq, middle, prev.encode())
            prev = hashlib.sha256(body).hexdigest()
            content += b'%b,"hash":"%b"}\n' % (body[:-1], prev.encode())
        files["events.jsonl"] = content

    return edit


HOSTILE = [
    ("another head", other_head),
    ("another run in the journal", other_run),
    ("another run in the contents", of_contents(run_id="two")),
    ("another count", of_contents(lines=1)),
    ("another manifest", of_file("manifest.json", b'{"run_id": "two"}')),
    ("a broken manifest", of_file("manifest.json", b"[" * 200_000)),
    ("another report", of_file("final_report.json", b'{"journal": {"head_hash": "0"}}')),
    ("a broken report", of_file("final_report.json", b"[" * 200_000)),
    ("no journal", of_file("events.jsonl", None)),
    ("an empty journal", of_file("events.jsonl", b"")),
    ("no manifest", of_file("manifest.json", None)),
    ("a name that leaves", of_contents(run_id="../../escape")),
    ("a hidden name", of_contents(run_id=".hidden")),
    ("the name of the newest", of_contents(run_id="latest")),
    ("an empty name", of_contents(run_id="")),
    ("a name of no text", of_contents(run_id=7)),
    ("a format of the future", of_contents(capsule=2)),
    ("an unknown file", of_file("kill.txt", b"")),
    ("an index", of_file("audit.sqlite", b"")),
    ("a socket's name", of_file("control.sock", b"")),
    ("code", of_file("evidence/x/../../../x.py", b"")),
    ("a name going up", of_file("../escape", b"")),
    ("an absolute name", of_file("/tmp/escape", b"")),  # noqa: S108 - never written
    ("a Windows name", of_file("C:\\escape", b"")),
    ("a name with a control", of_file("evidence/\x1b[31m/x", b"")),
    ("a name of another script", of_file("evidence/é/x", b"")),
    ("a hidden file", of_file("evidence/x/.bashrc", b"")),
    ("a deep file", of_file("evidence/a/b/c/d", b"")),
    ("twice but for case", of_file("EVENTS.JSONL", b"")),
    ("no number for a time", odd_lines(b'x,"type":"session_started","data":{}')),
    ("a number without end", odd_lines(b'%b,"type":"a","data":{}' % (b"9" * 5_000))),
    ("a time beyond any calendar", odd_lines(b'%b,"type":"a","data":{}' % (b"9" * 30))),
    ("no type", odd_lines(b'1,"data":{}')),
    ("a type that is no text", odd_lines(b'1,"type":"\xff","data":{}')),
    ("no start", odd_lines(b'1,"type":"quote","data":{}')),
    ("no data", odd_lines(b'1,"type":"session_started","data":nothing')),
    ("data without a floor", odd_lines(b'1,"type":"session_started","data":' + b"[" * 100_000)),
]  # fmt: skip


@pytest.mark.parametrize(("what", "edit"), HOSTILE, ids=[row[0] for row in HOSTILE])
def test_hostile_contents(tmp_path: Path, capsule: Path, what: str, edit) -> None:
    """Exit 6 and nothing left, in the home or beside it."""
    files = unpacked(capsule)
    edit(files)
    refused(packed(tmp_path / "x", files), tmp_path / "there")

    assert {"x"} == {path.name for path in tmp_path.iterdir() if path.name != "there"}


def member(name: str, kind: bytes, target: str = "", size: int = 0) -> tarfile.TarInfo:
    info = tarfile.TarInfo(name)
    info.type, info.linkname, info.size = kind, target, size
    return info


MEMBERS = [
    member("evidence/x/y", tarfile.SYMTYPE, "/etc/passwd"),
    member("events.jsonl", tarfile.LNKTYPE, "/etc/passwd"),
    member("evidence", tarfile.DIRTYPE),
    member("evidence/x/y", tarfile.FIFOTYPE),
    member("evidence/x/y", tarfile.CHRTYPE),
    member("evidence/x/y", tarfile.CONTTYPE),
    member("evidence/x/y", b"S"),
    member("evidence/" + "x" * 200, tarfile.REGTYPE),
]


FORMS = (tarfile.USTAR_FORMAT, tarfile.GNU_FORMAT, tarfile.PAX_FORMAT)


def is_expressible(info: tarfile.TarInfo, form: int) -> bool:
    try:
        info.tobuf(form)
    except ValueError:
        return False
    return True


SAID = [(info, form) for info in MEMBERS for form in FORMS if is_expressible(info, form)]


@pytest.mark.parametrize(("info", "form"), SAID)
def test_hostile_members(tmp_path: Path, capsule: Path, info: tarfile.TarInfo, form: int) -> None:
    """Only plain files of this program's own form; everything else is refused unread."""
    files = unpacked(capsule)
    raw = io.BytesIO()
    with tarfile.open(fileobj=raw, mode="w", format=form, pax_headers={"comment": "x" * 10}) as tar:
        for name, text in files.items():
            plain = tarfile.TarInfo(name)
            plain.size = len(text)
            tar.addfile(plain, io.BytesIO(text))
            if name == "capsule.json":
                tar.addfile(info)
    (tmp_path / "x").write_bytes(gzip.compress(raw.getvalue()))
    refused(tmp_path / "x", tmp_path / "there")


def raw_tar(capsule: Path) -> bytes:
    return gzip.decompress(capsule.read_bytes())


RAW = [
    ("nothing", lambda tar: b""),
    ("no tar", lambda tar: b"x" * 4_096),
    ("no end", lambda tar: tar[:5_000]),
    ("something behind the end", lambda tar: tar + b"x"),
    ("much behind the end", lambda tar: tar + bytes(1 << 20)),
    ("a size without end", lambda tar: resized(tar, b"77777777777\0")),
    ("a size in binary", lambda tar: resized(tar, b"\x80" + b"\xff" * 11)),
    ("a size below nothing", lambda tar: resized(tar, b"-0000000001\0")),
    ("no size", lambda tar: resized(tar, bytes(12))),
]


def resized(tar: bytes, size: bytes) -> bytes:
    """Claim another size for the first file, with a header sum that fits."""
    header = bytearray(tar[:512])
    header[124:136] = size
    header[148:156] = b" " * 8
    header[148:156] = b"%06o\0 " % sum(header)
    return bytes(header) + tar[512:]


@pytest.mark.parametrize(("what", "edit"), RAW, ids=[row[0] for row in RAW])
def test_hostile_bytes(tmp_path: Path, capsule: Path, what: str, edit) -> None:
    """Sizes are bounded before they are believed; the end is looked at."""
    (tmp_path / "x").write_bytes(gzip.compress(edit(raw_tar(capsule))))
    refused(tmp_path / "x", tmp_path / "there")


@pytest.mark.parametrize("content", [b"", b"PK\3\4", b"\x1f\x8b", b"\x1f\x8b\x08\0" + b"\xff" * 99])
def test_no_capsule_at_all(tmp_path: Path, content: bytes) -> None:
    """Any other file is told apart at its first bytes."""
    (tmp_path / "x").write_bytes(content)
    refused(tmp_path / "x", tmp_path / "there")


LIMITS = [Limits(members=3), Limits(bytes=10_000)]


@pytest.mark.parametrize("limits", LIMITS)
def test_too_much(tmp_path: Path, capsule: Path, limits: Limits) -> None:
    """A bomb is stopped by what it claims, before it is unpacked."""
    error = refused(capsule, tmp_path / "there", limits=limits)

    assert "it holds more than" in str(error)


def test_a_wrong_sum_and_a_wrong_size(tmp_path: Path, capsule: Path) -> None:
    """Each alone: a figure changed in the time series, a size that would fool the free disk."""
    files = unpacked(capsule)
    changed = files | {"metrics.csv": files["metrics.csv"].replace(b"1", b"2", 1)}
    refused(packed(tmp_path / "x", changed, lies=True), tmp_path / "there")
    contents = json.loads(files["capsule.json"])
    contents["files"]["metrics.csv"]["bytes"] -= 1
    smaller = files | {"capsule.json": json.dumps(contents).encode()}
    refused(packed(tmp_path / "x", smaller, lies=True), tmp_path / "there")


def test_a_run_named_latest(tmp_path: Path, capsule: Path) -> None:
    """Consistent in every place, and still not a name a run may have."""

    def edit(row: dict) -> None:
        if row["type"] == "session_started":
            row["data"]["run_id"] = "latest"

    files = unpacked(capsule)
    files["events.jsonl"] = rechained(files["events.jsonl"], edit)
    head = json.loads(files["events.jsonl"].splitlines()[-1])["hash"]
    files["manifest.json"] = b'{"run_id": "latest"}'
    del files["final_report.json"]
    of_contents(run_id="latest", head_hash=head)(files)

    assert "describes no run" in str(refused(packed(tmp_path / "x", files), tmp_path / "there"))


def test_a_bomb_of_zeros(tmp_path: Path, capsule: Path) -> None:
    """A gigabyte in a megabyte: refused by the size in `capsule.json`, which says less."""
    files = unpacked(capsule) | {"session.log": bytes(64 << 20)}
    refused(packed(tmp_path / "x", files, lies=True), tmp_path / "there")

    assert (tmp_path / "x").stat().st_size < 4 << 20


@settings(max_examples=150, deadline=None)
@given(st.data())
def test_no_flipped_bit_comes_in(capsule: Path, tmp_path_factory, data: st.DataObject) -> None:
    """One bit anywhere in the file: refused, or what comes in is the very same run."""
    folder = tmp_path_factory.mktemp("flip")
    content = bytearray(capsule.read_bytes())
    place = data.draw(st.integers(0, len(content) - 1))
    content[place] ^= 1 << data.draw(st.integers(0, 7))
    (folder / "x").write_bytes(content)
    try:
        taken = import_run(folder / "x", folder / "there")
    except StateDamaged:
        assert [] == list((folder / "there" / "runs").glob("*"))
    else:  # a bit of gzip's own header that means nothing
        assert unpacked(capsule)["events.jsonl"] == (taken / "events.jsonl").read_bytes()


def test_no_cut_comes_in(capsule: Path, tmp_path: Path) -> None:
    """However much of the end is missing."""
    content = capsule.read_bytes()
    places = {1, 2, 9, 10, len(content) // 2, *random.Random(1).choices(range(len(content)), k=40)}  # noqa: S311
    for place in sorted(places):
        (tmp_path / "x").write_bytes(content[:-place])
        refused(tmp_path / "x", tmp_path / "there")


def test_a_shelf_others_can_reach_is_refused(tmp_path: Path, capsule: Path) -> None:
    """Nothing is put where somebody else could change it."""
    runs = tmp_path / "there" / "runs"
    runs.mkdir(parents=True)
    runs.chmod(0o777)

    refused(capsule, tmp_path / "there")
