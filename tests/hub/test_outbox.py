from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from nbrealtime.hub import Outbox


def test_a_single_part_is_handed_on_as_it_is():
    outbox = Outbox()
    part = b"x" * 1000
    outbox.put(part)
    assert outbox.take() is part
    assert (outbox.size, outbox.take()) == (0, b"")


@given(parts=st.lists(st.binary(min_size=1, max_size=20)), limits=st.lists(st.none() | st.integers(1, 50)))
def test_whatever_is_taken_in_whatever_portions_is_what_was_put_in_whole_parts(parts, limits):
    outbox = Outbox()
    for part in parts:
        outbox.put(part)
    assert outbox.size == sum(map(len, parts))
    taken = []
    for limit in [*limits, None]:
        portion = outbox.take(limit)
        taken.append(portion)
        assert limit is None or len(portion) <= max([limit, *map(len, parts)])
    assert b"".join(taken) == b"".join(parts)
    assert outbox.size == 0
    boundaries = {sum(map(len, parts[:end])) for end in range(len(parts) + 1)}
    assert {sum(map(len, taken[:end])) for end in range(len(taken) + 1)} <= boundaries


def test_after_close_nothing_more_goes_in_but_what_waits_comes_out():
    outbox = Outbox()
    outbox.put(b"a")
    outbox.close()
    outbox.put(b"b")
    assert outbox.take() == b"a"


def test_clear_drops_everything():
    outbox = Outbox()
    outbox.put(b"a")
    outbox.put(b"b")
    outbox.clear()
    assert (outbox.size, outbox.take()) == (0, b"")
