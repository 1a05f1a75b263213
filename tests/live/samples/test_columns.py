"""Rows in circles of memory, against a list of them."""

from __future__ import annotations

from bisect import bisect_left, bisect_right

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from nbrealtime.live.samples.columns import Columns

chunks = st.lists(st.integers(1, 9), min_size=1, max_size=40)


@given(chunks, st.integers(3, 20), st.floats(-1, 200))
def test_rows_are_found_by_time_wherever_they_stand(sizes, capacity, wanted):
    columns, rows = Columns(), []
    columns.add("value")
    for size in sizes:
        begin = rows[-1] + 1 if rows else 0
        fresh = list(range(begin, begin + size))
        columns.extend(np.array(fresh, dtype=float), {"value": -np.array(fresh, dtype=float)}, capacity)
        rows += fresh
        kept = rows[-min(capacity, len(rows)) :]
        # Memory grows by doubling up to the capacity, so that none falls out before.
        assert columns.times(0, len(columns)).tolist() == kept
        assert columns.column("value", 0, len(columns)).tolist() == [-time for time in kept]
        for time in (wanted, kept[0], kept[-1], kept[len(kept) // 2]):
            for low in {0, 1, len(kept) // 2, len(kept) - 1, len(kept)}:
                assert columns.search(time, "left", low) == bisect_left(kept, time, low)
                assert columns.search(time, "right", low) == bisect_right(kept, time, low)
        low, high = len(kept) // 3, len(kept) - len(kept) // 4
        times, read = columns.rows(["value", "unknown"] if size % 2 else ["value"], low, high)
        assert times.tolist() == kept[low:high]
        assert read.pop("value").tolist() == [-time for time in kept[low:high]]
        assert all(np.isnan(column).all() and len(column) == high - low for column in read.values())


@given(
    st.lists(st.tuples(st.integers(1, 9), st.sets(st.sampled_from("ab"))), max_size=40), st.integers(3, 20)
)
def test_a_column_that_does_not_come_is_a_gap_wherever_it_stands(chunks, capacity):
    columns, rows = Columns(), []
    columns.add("a")
    columns.add("b")
    for size, names in chunks:
        times = np.arange(len(rows), len(rows) + size, dtype=float)
        fell = columns.extend(times, dict.fromkeys(names, times), capacity)
        rows += [[time, *(time if name in names else np.nan for name in "ab")] for time in times]
        kept = rows[-capacity:]
        assert (len(columns), columns.count, fell) == (len(kept), len(kept), len(rows) > capacity)
        assert columns.size <= capacity
        assert columns.nbytes == columns.size * 24
        read = columns.columns(0, len(kept))
        np.testing.assert_array_equal(np.stack([columns.times(0, len(kept)), read["a"], read["b"]], 1), kept)


@given(
    st.lists(
        st.sampled_from([("extend", 1), ("extend", 7), ("cut", 0), ("cut", 2), ("resize", 4), ("clear", 0)])
    ),
    st.integers(3, 12),
)
def test_the_newest_time_is_the_last_ones_whatever_was_done(steps, capacity):
    columns, now = Columns(), 0.0
    for step, size in steps:
        if step == "extend":
            columns.extend(now + np.arange(size), {}, capacity)
            now += size
        elif step == "cut":
            columns.cut(max(0, columns.count - size))
        elif step == "resize":
            columns.resize(min(size, capacity))
        else:
            columns.clear()
        times = columns.times(0, columns.count).tolist()
        assert columns.newest == (times[-1] if times else -np.inf)
        assert [columns.time(index) for index in range(len(times))] == times


@pytest.mark.parametrize("side", ["left", "right"])
def test_nothing_is_found_where_there_is_nothing(side):
    assert Columns().search(1.0, side) == 0
