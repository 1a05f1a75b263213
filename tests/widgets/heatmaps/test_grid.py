"""Each column falls into the bin that is its turn, however its time was rounded."""

from __future__ import annotations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from nbrealtime.widgets.heatmaps.grid import HeatGrid, bin_width

EPOCH = 1_790_000_000.0

windows = st.sampled_from([0.5, 1.0, 5.0, 10.0, 30.0, 60.0, 120.0, 300.0, 600.0, 3600.0, 86400.0])
starts = st.floats(EPOCH - 1e9, EPOCH + 1e9) | st.integers(-(10**9), 10**9).map(lambda s: EPOCH + s)


def indices(window: float, times: list[float]) -> list[int]:
    grid = HeatGrid(window)
    grid.shape(1)
    for time in times:
        grid.add(time, np.zeros(1, dtype=np.float32))
    assert grid.late == 0
    return np.frombuffer(grid.whole()[0]).astype(int).tolist()


@given(windows, starts, st.booleans(), st.integers(2, 400))
def test_one_column_in_a_bins_width_has_each_bin_to_itself(
    window: float, start: float, aligned: bool, count: int
) -> None:
    width = bin_width(window, 1)
    start = round(start / width) * width if aligned else start
    summed = [start]
    for _ in range(count - 1):
        summed.append(summed[-1] + width)
    for times in (summed, [start + at * width for at in range(count)]):
        found = indices(window, times)
        assert found == list(range(found[0], found[0] + count))


@given(starts, st.lists(st.floats(-0.01, 0.01), min_size=2, max_size=200))
def test_also_when_each_comes_a_little_early_or_late(start: float, strays: list[float]) -> None:
    width = bin_width(60.0, 1)
    start = round(start / width) * width
    found = indices(60.0, [start + at * width + stray for at, stray in enumerate(strays)])
    assert found == list(range(found[0], found[0] + len(strays)))


@given(st.sampled_from([2, 3, 5, 10]), st.integers(-(10**9), 10**9))
def test_several_columns_in_a_bins_width_share_it(share: int, second: int) -> None:
    width = bin_width(60.0, 1)
    # As a publisher's clock says it, in whole milliseconds: the first of each share lies on an edge.
    step = round(width * 1000) // share if share != 3 else 33
    times = [
        EPOCH + second + (at // share * round(width * 1000) + at % share * step) / 1000 for at in range(60)
    ]
    found = indices(60.0, times)
    assert found == list(range(found[0], found[0] + 60 // share))


@given(
    windows,
    starts,
    st.lists(st.floats(0.0, 4.0), min_size=1, max_size=200),
)
def test_whatever_the_pauses_bins_increase_and_none_is_far_from_its_time(
    window: float, start: float, pauses: list[float]
) -> None:
    grid = HeatGrid(window)
    grid.shape(1)
    time = start
    for pause in pauses:
        time += pause * grid.width
        grid.add(time, np.zeros(1, dtype=np.float32))
    bins, times = (np.frombuffer(part) for part in grid.whole()[:2])
    assert grid.late == 0
    assert (np.diff(bins) > 0).all()
    # The time is that of its newest column.
    assert (np.abs(times / grid.width - (bins + 0.5)) <= 1.01).all()
