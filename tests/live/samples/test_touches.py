"""What readers with marks are told, against a list of everything that was touched."""

from __future__ import annotations

import math

from hypothesis import given
from hypothesis import strategies as st

from nbrealtime.live.samples.touches import Touches

times = st.integers(0, 100).map(float)


@given(st.lists(times | st.sampled_from(["one", "other"]), max_size=60))
def test_every_reader_hears_the_earliest_time_since_it_came(steps):
    touches, marks, since = Touches(), {"one": 0, "other": 0}, {"one": math.inf, "other": math.inf}
    for step in [*steps, "one", "other"]:
        if isinstance(step, str):
            marks[step], touched = touches.since(marks[step])
            assert touched == (None if since[step] == math.inf else since[step])
            since[step] = math.inf
        else:
            touches.touch(step)
            since = {reader: min(earliest, step) for reader, earliest in since.items()}


@given(st.lists(st.integers(1, 700), min_size=1, max_size=12))
def test_a_reader_that_comes_rarely_goes_back_far_enough_and_others_no_further(turns):
    touches, rare, often, time = Touches(), 0, 0, 0.0
    for many in turns:
        first = time + 1
        for _ in range(many):
            time += 1
            touches.touch(time)
            often, touched = touches.since(often)
            assert touched == time
        rare, touched = touches.since(rare)
        assert touched is not None
        assert touched <= first


def test_what_nobody_looks_at_is_one_entry():
    touches = Touches()
    for time in (5.0, 7.0, 6.0, 4.0, 9.0):
        touches.touch(time)
    assert touches.since(0) == (1, 4.0)
    assert touches.since(1) == (1, None)
