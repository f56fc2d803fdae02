"""Who may in, row by row (reliability.md F6, rows 112 and 113)."""

import pytest

from laptop_agents.web.door import LOCKED_S, WRONG_MAX, Door, Knock, Verdict

PORT = 8000
HERE = f"127.0.0.1:{PORT}"
WRONG = "x" * 43
RIGHT: dict[str, str | None] = {"token": "TOKEN"}


class FakeClock:
    def __init__(self) -> None:
        self.now_s = 0.0

    def __call__(self) -> float:
        return self.now_s


def knock(door: Door, **changes: str | None) -> Knock:
    """The owner's first request; `TOKEN`, `COOKIE` and `ROOM` stand for the door's own."""
    own = {"TOKEN": door.token, "COOKIE": door.cookie, "ROOM": door.room}
    given = {"path": "/", "host": HERE, "origin": None, "site": None, "token": None, "cookie": None}
    return Knock(**{name: own.get(text or "", text) for name, text in (given | changes).items()})


ROWS = [
    # what the request says                                              what becomes of it
    ({"token": "TOKEN"}, Verdict.OPEN),
    ({"token": "TOKEN", "site": "none"}, Verdict.OPEN),
    ({"token": "TOKEN", "host": f"localhost:{PORT}"}, Verdict.OPEN),
    ({"path": "ROOM", "cookie": "COOKIE"}, Verdict.ENTER),
    ({"path": "ROOM", "cookie": "COOKIE", "site": "same-origin"}, Verdict.ENTER),
    ({"path": "ROOM", "cookie": "COOKIE", "origin": f"http://{HERE}"}, Verdict.ENTER),
    ({}, Verdict.STRANGER),
    ({"path": "ROOM"}, Verdict.STRANGER),
    ({"path": "ROOM", "token": "TOKEN"}, Verdict.STRANGER),
    ({"path": "/", "cookie": "COOKIE"}, Verdict.STRANGER),
    ({"path": "/elsewhere", "cookie": "COOKIE"}, Verdict.STRANGER),
    ({"token": ""}, Verdict.STRANGER),
    ({"token": WRONG}, Verdict.STRANGER),
    ({"token": "\udcff\u20ac"}, Verdict.STRANGER),
    ({"path": "ROOM", "cookie": "TOKEN"}, Verdict.STRANGER),
    ({"token": "COOKIE"}, Verdict.STRANGER),
    ({"token": "TOKEN", "host": None}, Verdict.FOREIGN),
    ({"token": "TOKEN", "host": "127.0.0.1"}, Verdict.FOREIGN),
    ({"token": "TOKEN", "host": "127.0.0.1:8001"}, Verdict.FOREIGN),
    ({"token": "TOKEN", "host": f"[::1]:{PORT}.evil"}, Verdict.FOREIGN),
    ({"token": "TOKEN", "host": f"rebound.example:{PORT}"}, Verdict.FOREIGN),
    ({"path": "ROOM", "cookie": "COOKIE", "host": "rebound.example"}, Verdict.FOREIGN),
    ({"path": "ROOM", "cookie": "COOKIE", "origin": "http://127.0.0.1:9999"}, Verdict.FOREIGN),
    ({"path": "ROOM", "cookie": "COOKIE", "origin": f"https://{HERE}"}, Verdict.FOREIGN),
    ({"path": "ROOM", "cookie": "COOKIE", "origin": f"http://localhost:{PORT}"}, Verdict.FOREIGN),
    ({"path": "ROOM", "cookie": "COOKIE", "origin": "null"}, Verdict.FOREIGN),
    ({"path": "ROOM", "cookie": "COOKIE", "origin": ""}, Verdict.FOREIGN),
    ({"path": "ROOM", "cookie": "COOKIE", "site": "cross-site"}, Verdict.FOREIGN),
    ({"path": "ROOM", "cookie": "COOKIE", "site": "same-site"}, Verdict.FOREIGN),
]  # fmt: skip


@pytest.mark.parametrize(("says", "expected"), ROWS)
def test_row(says: dict[str, str | None], expected: Verdict) -> None:
    """One verdict for what a request says of itself."""
    door = Door(PORT)

    assert expected is door.judge(knock(door, **says))


def test_no_two_doors_share_a_secret() -> None:
    """Token, cookie and room are long, and new each time."""
    one, other = Door(PORT), Door(PORT)
    secrets = {one.token, one.cookie, one.room, other.token, other.cookie, other.room}

    assert 6 == len(secrets)
    assert all(len(secret) >= 22 for secret in secrets)


@pytest.mark.parametrize("field", ["token", "cookie"])
def test_too_many_wrong_words_lock_the_door(field: str) -> None:
    """The right token too has to wait; who is in stays in; later it opens."""
    clock = FakeClock()
    door = Door(PORT, clock)
    for _ in range(WRONG_MAX):
        assert Verdict.STRANGER is door.judge(knock(door, **{field: WRONG}))

    assert Verdict.LOCKED is door.judge(knock(door, **RIGHT))
    assert Verdict.ENTER is door.judge(knock(door, path="ROOM", cookie="COOKIE"))
    clock.now_s += LOCKED_S
    assert Verdict.OPEN is door.judge(knock(door, **RIGHT))


def test_a_thousand_wrong_tokens_are_at_most_ten_guesses_a_minute() -> None:
    """While it is locked nothing is compared, and nothing prolongs it."""
    clock = FakeClock()
    door = Door(PORT, clock)
    verdicts = [door.judge(knock(door, token=WRONG)) for _ in range(1_000)]

    assert WRONG_MAX == verdicts.count(Verdict.STRANGER)
    assert 1_000 - WRONG_MAX == verdicts.count(Verdict.LOCKED)


def test_strangers_without_words_lock_nobody_out() -> None:
    """A browser that asks for an icon is no attack."""
    door = Door(PORT)
    for _ in range(WRONG_MAX * 3):
        door.judge(knock(door, path="/favicon.ico"))

    assert Verdict.OPEN is door.judge(knock(door, **RIGHT))
