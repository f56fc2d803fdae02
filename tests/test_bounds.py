"""Every queue has a named limit (reliability.md E5 and section 3, queue bounds)."""

import ast
from collections.abc import Iterator
from typing import Final

import pytest

from tests.test_architecture import SOURCES, name_of

CAPACITY: Final = {
    "deque": ("maxlen", 1),
    "Queue": ("maxsize", 0),
    "LifoQueue": ("maxsize", 0),
    "PriorityQueue": ("maxsize", 0),
    "SimpleQueue": ("", 0),
}
"""What bounds each kind of queue: the keyword, and its place among the positional arguments."""

BOUNDED_OTHERWISE: Final = {
    ("brokers/link/mail.py", "_waiting"): "`post` raises beyond WAITING_MAX, and the session ends",
    ("engine/session/journal_window.py", "pieces"): "as many as fit `bytes_max`",
    ("engine/session/progress.py", "_items"): "`_put` drops the oldest at QUEUE_MAX and counts it",
    ("engine/session/replay.py", "_expected"): "one input's records: a second input with some left "
    "is a mismatch and ends the replay",
    ("engine/session/stops.py", "_asked"): "`ask` refuses beyond ASKED_MAX and says so",
    ("laptop_agents/compose/session.py", "inbox"): "one turn's answers: `Turn` drains it before "
    "the next input, and live orders are bounded by the gate",
}
"""Queues without a capacity of their own, each with what bounds it."""


def unbounded(tree: ast.AST) -> Iterator[str]:
    """Yield the name that each queue without a capacity is given; "" where it has none."""
    for node in ast.walk(tree):
        value = getattr(node, "value", None)
        if isinstance(node, ast.Assign | ast.AnnAssign) and is_unbounded(value):
            target = node.targets[0] if isinstance(node, ast.Assign) else node.target
            yield getattr(target, "attr", getattr(target, "id", ""))
        elif not isinstance(node, ast.Assign | ast.AnnAssign | ast.keyword):
            yield from ("" for child in ast.iter_child_nodes(node) if is_unbounded(child))


def is_unbounded(node: ast.AST | None) -> bool:
    """Say whether a node makes a queue that grows for ever."""
    if isinstance(node, ast.keyword):
        node = node.value
    if not isinstance(node, ast.Call):
        return False
    kind = getattr(node.func, "id", getattr(node.func, "attr", None))
    if kind is None or kind not in CAPACITY:
        return False
    keyword, place = CAPACITY[kind]
    given = [word.value for word in node.keywords if word.arg == keyword] + node.args[place:]
    return not keyword or not given or getattr(given[0], "value", 1) in (0, None)


@pytest.mark.parametrize(
    "text",
    [
        "a = deque()", "a: deque[int] = collections.deque([1])", "self.a = asyncio.Queue()",
        "a = queue.Queue(0)", "a = queue.Queue(maxsize=0)", "a = queue.SimpleQueue()",
        "a = deque([], None)",
    ],
)  # fmt: skip
def test_a_queue_without_a_limit_is_found(text: str) -> None:
    """In every spelling, under the name it is given."""
    assert ["a"] == list(unbounded(ast.parse(text)))


@pytest.mark.parametrize("text", ["f(deque())", "return_(x=asyncio.Queue())", "[Queue()]"])
def test_a_queue_without_a_name_is_found(text: str) -> None:
    """An argument or an element needs a capacity of its own: no list could name it."""
    assert [""] == list(unbounded(ast.parse(text)))


@pytest.mark.parametrize(
    "text", ["a = deque(maxlen=16)", "a = asyncio.Queue(SIZE)", "a = deque(b, 16)", "a = dict()"]
)
def test_a_queue_with_a_limit_passes(text: str) -> None:
    """By keyword, by place, by a name."""
    assert [] == list(unbounded(ast.parse(text)))


def test_every_queue_is_bounded() -> None:
    """None grows for ever; one that leaves the table is taken out of it."""
    found = {
        (name_of(path), name)
        for path in SOURCES
        for name in unbounded(ast.parse(path.read_text(encoding="utf-8")))
    }

    assert set(BOUNDED_OTHERWISE) == found
