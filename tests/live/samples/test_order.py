"""Times that are in order need nothing done, and all others do."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from nbrealtime.live.samples.order import FARTHEST, is_in_order

steps = st.floats(-2, 4) | st.sampled_from([0.0, math.nan, math.inf, -math.inf, FARTHEST, -3 * FARTHEST])


@given(st.lists(steps, min_size=1, max_size=40), st.sampled_from([-math.inf, 0.0, 1.0]))
@pytest.mark.filterwarnings("ignore:invalid value")
def test_each_time_is_after_the_one_before(steps, newest):
    times = np.cumsum(steps)
    usable = np.abs(times) <= FARTHEST
    assert is_in_order(times, newest) == (usable.all() and all(np.diff([newest, *times]) > 0))


@pytest.mark.parametrize("many", [1, 16, 17, 100])
@pytest.mark.parametrize("where", [0, -1])
@pytest.mark.parametrize("beyond", [1, -1])
def test_times_reach_as_far_as_times_can(many, where, beyond):
    farthest = FARTHEST * beyond
    times = np.linspace(-1, 0, many) + farthest if beyond > 0 else np.linspace(0, 1, many) + farthest
    assert is_in_order(times, -math.inf)
    times[-1 if beyond > 0 else 0] = math.nextafter(farthest, math.inf * beyond)
    assert not is_in_order(times, -math.inf)


@pytest.mark.parametrize("many", [2, 16, 17, 100])
def test_one_that_is_equal_or_is_none_is_found_wherever_it_stands(many):
    for at in range(1, many):
        for other in (float(at - 1), math.nan):
            times = np.arange(many, dtype=float)
            assert is_in_order(times, -1.0)
            assert not is_in_order(times, 0.0)
            times[at] = other
            assert not is_in_order(times, -1.0)
