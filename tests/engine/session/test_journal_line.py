"""The line of interface.md, recomputed here from the page; and the rule by which a line counts."""

import hashlib
import json
import random
from decimal import Decimal

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.model.account import Fill, Liquidity
from engine.model.events import Timer
from engine.model.market import Quote
from engine.model.orders import OrderState, Side
from engine.model.records import Alert, OrderChanged
from engine.session.journal_line import GENESIS, Chain, proven

KEYS = ["v", "seq", "ts", "type", "data", "prev", "hash"]
TS = 1_700_000_000_000_000_000


def page_line(seq: int, ts: int, name: str, data: str, prev: str) -> bytes:
    """Write a line by the words of interface.md, from its parts."""
    unhashed = (
        f'{{"v":1,"seq":{seq},"ts":{ts},"type":"{name}","data":{data},"prev":"{prev}"}}'
    ).encode()
    digest = hashlib.sha256(unhashed).hexdigest()
    return unhashed[:-1] + f',"hash":"{digest}"}}\n'.encode()


def events(count: int) -> list:
    """Quotes, fills, alerts and timers, some of them in foreign letters."""
    found = []
    for n in range(count):
        found += [
            Quote(TS + n, "BTCUSDT", 10 + n, 5, 11 + n, 6, TS, n),
            Timer(TS + n),
            Alert(TS + n, "kind", "info", f'é "quoted" \\ \n\t 日本 {n}'),
            Fill(
                TS + n, f"a-{n}", "a", "BTCUSDT", f"t{n}", Side.BUY, Decimal("1.50"),
                Decimal("0.001"), Decimal("-0.000001"), Liquidity.MAKER,
            ),
        ]  # fmt: skip
    return found[:count]


def journal(count: int) -> list[bytes]:
    """A whole journal, its own lines at both ends."""
    chain = Chain()
    first = chain.data("session_started", TS, {"run_id": "r"})
    return [first, *chain.events(events(count - 2)), chain.data("session_ended", TS + 99, {})]


def accepted(content: bytes) -> int:
    """How many lines of a file count, from the first on."""
    prev, seq = GENESIS, 0
    for line in content.splitlines(keepends=True) if b"\r" not in content else _lines(content):
        head = proven(line, prev, seq + 1)
        if head is None:
            break
        prev, seq = head, seq + 1
    return seq


def _lines(content: bytes) -> list[bytes]:
    return [line + b"\n" for line in content.split(b"\n")]


def test_every_line_is_as_the_page_says() -> None:
    """Same bytes as a line put together here, key by key, hash by hash."""
    prev = "0" * 64
    for number, line in enumerate(journal(40), start=1):
        read = json.loads(line)
        assert KEYS == list(read)
        start, end = line.index(b'"data":') + 7, line.rindex(b',"prev":')
        data = line[start:end].decode()
        assert json.loads(data) == read["data"]
        assert (1, number, prev) == (read["v"], read["seq"], read["prev"])
        assert page_line(number, read["ts"], read["type"], data, prev) == line
        assert line.count(b"\n") == 1 == line.endswith(b"\n")
        prev = read["hash"]


def test_the_first_and_last_lines() -> None:
    """`session_started` after 64 zeros; numbers from 1."""
    first = json.loads(journal(3)[0])

    assert ("session_started", "0" * 64, 1) == (first["type"], first["prev"], first["seq"])


def test_time_stands_in_ts_and_nowhere_else() -> None:
    """Data repeats neither the time nor the type."""
    for line in map(json.loads, journal(10)):
        assert "ts_ns" not in line["data"]


def test_a_timer_is_an_empty_object() -> None:
    """A struct with nothing but its time."""
    line = json.loads(Chain().events([Timer(TS)])[0])

    assert (TS, "timer", {}) == (line["ts"], line["type"], {} if line["data"] == {} else None)


@pytest.mark.parametrize("state", OrderState)
def test_an_order_is_named_by_its_state(state: OrderState) -> None:
    """`order_<state>` for each of them."""
    record = OrderChanged(TS, "a-1", "BTC", state, Decimal(0), Decimal(1), None)
    line = json.loads(Chain().events([record])[0])

    assert f"order_{state.value.lower()}" == line["type"]
    assert ("0", "1", None) == tuple(line["data"][k] for k in ("filled_qty", "qty", "price"))


@given(st.text(max_size=200), st.integers(0, 2**63 - 1))
def test_no_text_breaks_a_line(text: str, ts: int) -> None:
    """Whatever stands in a message: one line, read back as it was, and proven."""
    try:
        text.encode()
    except UnicodeEncodeError:
        return
    (line,) = Chain().events([Alert(ts, "k", "info", text)])

    assert text == json.loads(line)["data"]["message"]
    assert ts == json.loads(line)["ts"]
    assert 1 == accepted(line)


@given(st.dictionaries(st.text(st.characters(codec="utf-8"), max_size=20), st.integers()))
def test_no_data_of_the_sessions_own_breaks_a_line(data: dict) -> None:
    """The other way a line is made."""
    line = Chain().data("heartbeat", TS, data)

    assert data == json.loads(line)["data"]
    assert 1 == accepted(line)


def test_a_chain_goes_on() -> None:
    """Resumed from head and number, the lines are the same."""
    whole = Chain().events(events(10))
    first = Chain()
    begun = first.events(events(10)[:4])
    rest = Chain(first.head, first.seq).events(events(10)[4:])

    assert whole == begun + rest


def test_a_good_journal_counts_to_the_end() -> None:
    """Every line of it."""
    assert 40 == accepted(b"".join(journal(40)))


def test_every_bit_flip_stops_at_its_line() -> None:
    """Each of the 8 bits of each byte of a 40-line journal."""
    lines = journal(40)
    content = b"".join(lines)
    prev, start = GENESIS, 0
    for seq, line in enumerate(lines, start=1):
        end = start + len(line)
        for offset in range(len(line)):
            for bit in range(8):
                changed = line[offset] ^ (1 << bit)
                damaged = b"%b%c%b" % (
                    line[:offset],
                    changed,
                    content[start + offset + 1 : end + 9],
                )
                read = damaged[: damaged.find(b"\n") + 1]
                assert proven(read, prev, seq) is None, (seq, offset, bit)
        head = proven(line, prev, seq)
        assert head is not None
        prev, start = head, end


def test_every_truncation_leaves_the_whole_lines() -> None:
    """For every length: exactly the lines that are complete."""
    lines = journal(40)
    content = b"".join(lines)
    ends = [0]
    for line in lines:
        ends.append(ends[-1] + len(line))
    whole = 0
    for length in range(len(content) + 1):
        if length == ends[min(whole + 1, 40)]:
            whole += 1
        cut = content[ends[whole] : length]
        head = json.loads(lines[whole - 1])["hash"] if whole else GENESIS
        assert proven(cut, head, whole + 1) is None, length
    assert [40, 39] == [accepted(content), accepted(content[:-1])]


def test_every_deletion_swap_and_duplicate_is_found() -> None:
    """Nothing but the true order counts, and it is told where it ends."""
    lines = journal(20)
    for place in range(19):
        gone = lines[:place] + lines[place + 1 :]
        swapped = [*lines[:place], lines[place + 1], lines[place], *lines[place + 2 :]]
        assert place == accepted(b"".join(gone))
        assert place == accepted(b"".join(swapped))
    for place in range(20):
        twice = [*lines[: place + 1], lines[place], *lines[place + 1 :]]
        assert place + 1 == accepted(b"".join(twice))


def test_lines_of_another_journal_do_not_count() -> None:
    """A line that is whole in itself is still not next in this chain."""
    other = Chain()
    other.data("session_started", TS, {"run_id": "x"})
    (stranger,) = other.events([Timer(TS)])
    lines = journal(3)

    assert 1 == accepted(lines[0] + stranger)


def test_a_rehashed_forgery_breaks_the_next_line() -> None:
    """Changed and hashed anew, a line is whole, but what follows no longer fits."""
    lines = journal(10)
    read = json.loads(lines[4])
    data = json.dumps({"forged": 1}, separators=(",", ":"))
    lines[4] = page_line(5, read["ts"], read["type"], data, read["prev"])

    assert 5 == accepted(b"".join(lines))


@pytest.mark.parametrize(
    "junk", [b"", b"\n", b"{}\n", b"null\n", b'"}\n', b"x" * 300 + b'"}\n', b"\xff" * 400 + b"\n"]
)
def test_junk_is_no_line(junk: bytes) -> None:
    """Nor does it raise."""
    assert proven(junk, GENESIS, 1) is None


@given(st.binary(max_size=400))
def test_no_bytes_raise(junk: bytes) -> None:
    """Whatever was found in the file."""
    assert proven(junk, GENESIS, 1) is None


def test_random_line_lengths_keep_the_rule() -> None:
    """Long data, as of a snapshot of depth."""
    rng = random.Random(1)  # noqa: S311 - reproducible
    chain = Chain()
    blob = msgspec.json.encode({"x": [rng.random() for _ in range(5_000)]})
    line = chain.data("checkpoint", TS, msgspec.Raw(blob))

    assert 1 == accepted(line)
    assert 0 == accepted(line.replace(b"0.1", b"0.2", 1))
