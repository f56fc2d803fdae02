"""A bounded memory, compared with a list."""

from hypothesis import given
from hypothesis import strategies as st

from engine.model.recent import Recent

KEYS = st.lists(st.integers(0, 12).map(str), max_size=60)


@given(KEYS, st.integers(1, 6))
def test_it_is_the_last_distinct_keys(keys: list[str], limit: int) -> None:
    """Oldest first; a known key is not news and keeps its place."""
    recent, model = Recent(limit), []
    for key in keys:
        is_new = key not in model
        assert is_new is recent.add(key)
        if is_new:
            model = [*model, key][-limit:]
        assert model == recent.keys()
        assert all(k in recent for k in model)


@given(KEYS, KEYS, st.integers(1, 6))
def test_it_goes_on_from_its_keys(before: list[str], after: list[str], limit: int) -> None:
    """What a checkpoint holds is enough."""
    whole = Recent(limit)
    for key in before:
        whole.add(key)
    again = Recent(limit, whole.keys())

    assert [whole.add(key) for key in after] == [again.add(key) for key in after]
    assert whole.keys() == again.keys()


def test_it_does_not_grow() -> None:
    """A day of trade ids is as small as a minute's."""
    recent = Recent(100)
    for number in range(10_000):
        recent.add(str(number))

    assert 100 == len(recent.keys())
    assert "9900" in recent
    assert "9899" not in recent
