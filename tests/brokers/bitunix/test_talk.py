"""What is said on a line, and when it is given up: a clock that only the test moves."""

import json

from brokers.bitunix.talk import Talk, TalkConfig, subscription
from brokers.bitunix.wire import Head, read_head

CONFIG = TalkConfig(ping_s=5.0, greeting_s=2.0, first_push_s=10.0, silent_after_s=8.0)
BOOK, TAPE = ("BTCUSDT", "depth_book1"), ("BTCUSDT", "trade")
GREETING = read_head(b'{"op":"connect","data":{"result":true}}')


def login(*, result: object, msg: str = "") -> Head:
    return read_head(json.dumps({"op": "login", "data": {"result": result, "msg": msg}}).encode())


def test_the_subscription_waits_for_the_greeting() -> None:
    """And is said once."""
    talk = Talk(CONFIG, "sub", [BOOK])
    assert [] == talk.told(GREETING, 0.0)
    talk.begin(0.0)
    assert [] == talk.told(login(result=True), 0.1)
    assert ["sub"] == talk.told(GREETING, 0.2)
    assert [] == talk.told(GREETING, 0.3)
    assert talk.is_listening


def test_a_private_line_logs_in_first() -> None:
    """Made anew for each connection."""
    made = iter(("one", "two"))
    talk = Talk(CONFIG, "sub", login=lambda: next(made))
    for word in ("one", "two"):
        talk.begin(0.0)
        assert [word] == talk.told(GREETING, 0.1)
        assert not talk.is_listening
        assert ["sub"] == talk.told(login(result=True), 0.2)
    assert talk.trouble(1_000.0) == "", "nothing has to happen on an account"


def test_a_login_that_is_refused() -> None:
    """With the venue's words, harmless; false, missing and nonsense are no yes."""
    for answer in (login(result=False, msg="no\x1b"), login(result=None), read_head(b'{"op":"login"}'),
                   read_head(b'{"op":"login","data":[1]}')):  # fmt: skip
        talk = Talk(CONFIG, "sub", login=lambda: "in")
        talk.begin(0.0)
        talk.told(GREETING, 0.1)
        assert [] == talk.told(answer, 0.2)
        assert talk.trouble(0.2).startswith("login refused: ")
        assert "\x1b" not in talk.trouble(0.2)
        talk.begin(1.0)
        assert "" == talk.trouble(1.0)


def test_every_stage_has_its_time() -> None:
    """No greeting, no answer to the login, no first push, no more pushes."""
    talk = Talk(CONFIG, "sub", [BOOK, TAPE])
    assert "" == talk.trouble(99.0), "no line"
    talk.begin(0.0)
    assert ("", "no answer to greeting") == (talk.trouble(2.0), talk.trouble(2.1))
    talk.told(GREETING, 1.0)
    talk.pushed(BOOK, 5.0)
    assert ("", "nothing came of BTCUSDT trade") == (talk.trouble(11.0), talk.trouble(11.1))
    talk.pushed(TAPE, 11.0)
    assert ("", "silent for 8 s") == (talk.trouble(19.0), talk.trouble(19.1))
    talk.end()
    assert "" == talk.trouble(99.0)

    private = Talk(CONFIG, "sub", login=lambda: "in")
    private.begin(0.0)
    private.told(GREETING, 1.0)
    assert ("", "no answer to login") == (private.trouble(3.0), private.trouble(3.1))


def test_a_long_list_is_cut() -> None:
    """A cause is for people."""
    talk = Talk(CONFIG, "sub", [(f"S{n}", "trade") for n in range(60)])
    talk.begin(0.0)
    talk.told(GREETING, 0.0)
    assert "nothing came of S0 trade, S1 trade, S10 trade and 57 more" == talk.trouble(10.1)


def test_pings() -> None:
    """Every so often, in Unix seconds, as whole numbers; none without a line."""
    talk = Talk(CONFIG, "sub")
    assert [] == talk.due(9.0, 1_700_000_000.9)
    talk.begin(0.0)
    assert [] == talk.due(4.9, 1_700_000_000.9)
    assert ['{"op":"ping","ping":1700000000}'] == talk.due(5.0, 1_700_000_000.9)
    assert [] == talk.due(9.9, 1_700_000_000.9)
    assert 1 == len(talk.due(10.0, 1_700_000_005.9))


def test_a_subscription() -> None:
    """One message; private channels have no symbol."""
    assert {
        "op": "subscribe",
        "args": [{"symbol": "BTCUSDT", "ch": "trade"}, {"ch": "order"}],
    } == json.loads(subscription([TAPE, ("", "order")]))
