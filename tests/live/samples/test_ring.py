"""The ring against a plain list that follows the same sentences."""

from __future__ import annotations

import threading

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from nbrealtime.live.samples.bands import bins
from nbrealtime.live.samples.order import FARTHEST
from nbrealtime.live.samples.ring import LATE_SECONDS, MAX_FIELDS, Ring

NOW = 1_790_000_000.0


def put(ring: Ring, *times: float, **columns: list[float]) -> int:
    return ring.append(
        np.array(times, dtype=float),
        {name: np.array(column, dtype=float) for name, column in columns.items()}
        or {"value": np.arange(len(times), dtype=float)},
    )


def test_a_new_ring_is_empty_and_costs_nothing() -> None:
    ring = Ring()
    assert (len(ring), ring.fields, ring.written, ring.newest, ring.interval, ring.nbytes) == (
        0,
        (),
        0,
        None,
        None,
        0,
    )
    times, columns = ring.snapshot()
    assert len(times) == 0
    assert columns == {}


def test_samples_come_back_in_order_with_their_fields() -> None:
    ring = Ring()
    put(ring, NOW, NOW + 1, x=[1, 2], y=[3, 4])
    put(ring, NOW + 2, x=[5], y=[6])
    times, columns = ring.snapshot()
    assert times.tolist() == [NOW, NOW + 1, NOW + 2]
    assert columns["x"].tolist() == [1, 2, 5]
    assert columns["y"].tolist() == [3, 4, 6]
    assert (ring.written, ring.oldest, ring.newest, ring.interval) == (3, NOW, NOW + 2, 1.0)


def test_a_field_that_appears_later_is_a_gap_before() -> None:
    ring = Ring()
    put(ring, NOW, x=[1])
    put(ring, NOW + 1, y=[2])
    _, columns = ring.snapshot()
    np.testing.assert_array_equal(columns["x"], [1, np.nan])
    np.testing.assert_array_equal(columns["y"], [np.nan, 2])


def test_a_column_without_a_number_makes_no_field() -> None:
    ring = Ring()
    assert put(ring, NOW, x=[np.nan]) == 0
    put(ring, NOW, x=[1])
    put(ring, NOW + 1, y=[np.nan])
    times, columns = ring.snapshot()
    assert ring.fields == ("x",)
    assert len(times) == 2
    np.testing.assert_array_equal(columns["x"], [1, np.nan])


def test_a_gap_is_kept_once_there_is_a_field() -> None:
    ring = Ring()
    assert put(ring, NOW, NOW + 1, x=[np.nan, 1]) == 1
    assert put(ring, NOW + 2, NOW + 3, x=[np.nan, np.nan], y=[np.nan, 2]) == 2
    np.testing.assert_array_equal(ring.snapshot()[1]["y"], [np.nan, np.nan, 2])


def test_names_used_as_data_do_not_cost_a_column_each() -> None:
    ring = Ring()
    for at in range(MAX_FIELDS + 10):
        put(ring, NOW + at, **{f"f{at}": [1]})
    assert len(ring.fields) == MAX_FIELDS
    assert ring.nbytes <= 64 * 1024 * 1024
    ring = Ring()
    put(ring, NOW, **{f"f{at}": [1] for at in range(MAX_FIELDS + 10)})
    assert ring.fields == tuple(f"f{at}" for at in range(MAX_FIELDS))


def test_the_oldest_samples_go_when_it_is_full() -> None:
    ring = Ring(samples=5)
    for at in range(12):
        put(ring, NOW + at, value=[at])
    times, columns = ring.snapshot()
    assert times.tolist() == [NOW + at for at in range(7, 12)]
    assert columns["value"].tolist() == [7, 8, 9, 10, 11]
    assert ring.written == 12


def test_a_block_larger_than_the_ring_leaves_its_end() -> None:
    ring = Ring(samples=5)
    put(ring, *(NOW + np.arange(12)))
    assert ring.snapshot()[1]["value"].tolist() == [7, 8, 9, 10, 11]


def test_bytes_are_bounded_also_when_fields_appear_later() -> None:
    ring = Ring(samples=1000, max_bytes=2000)  # a fifth of it is for bins
    put(ring, *(NOW + np.arange(100.0)))
    assert (len(ring), ring.nbytes) == (100, 1600)
    put(ring, NOW + 100, other=[1])
    assert ring.nbytes <= 1600
    assert ring.newest == NOW + 100
    assert len(ring) == 66


def test_memory_grows_with_what_arrives() -> None:
    ring = Ring()
    put(ring, NOW)
    small = ring.nbytes
    put(ring, *(NOW + 1 + np.arange(100_000) / 1000))
    assert small < 20_000 < ring.nbytes < 64 * 1024 * 1024


@pytest.mark.parametrize("width", [1, 4])
def test_so_many_values_wait_for_the_bins(width: int) -> None:
    ring, begin = Ring(), 0
    while ring.nbytes <= (rows := 1024 << max(0, (begin - 1) // 1024).bit_length()) * 8 * (1 + width):
        times = NOW + np.arange(begin, begin + 1024, dtype=float)
        ring.append(times, {f"f{at}": times for at in range(width)})
        begin += 1024
    assert (begin, rows) == (65_536 // width + 1024, 131_072 // width)


def test_what_was_left_out_does_not_wait_for_the_bins() -> None:
    ring = Ring(samples=4)
    put(ring, NOW, np.nan, np.nan, NOW + 1, value=[0, 90, 91, 1])
    for at in range(2, 9):
        put(ring, NOW + at, value=[at])
    band = ring.bands(["value"], 100.0)["value"]
    assert (band.low.tolist(), band.high.tolist(), band.mean.tolist()) == ([0], [8], [4])


def test_equal_times_are_nudged_by_a_microsecond_in_the_order_of_arrival() -> None:
    ring = Ring()
    for at in range(6):
        put(ring, NOW, value=[at])
    times, columns = ring.snapshot()
    np.testing.assert_allclose(times - NOW, np.arange(6) * 1e-6, atol=3e-7)
    assert (np.diff(times) > 0).all()
    assert columns["value"].tolist() == [0, 1, 2, 3, 4, 5]


def test_equal_times_in_one_block_keep_their_order() -> None:
    ring = Ring()
    put(ring, NOW, NOW, NOW, NOW + 1, value=[0, 1, 2, 3])
    times, columns = ring.snapshot()
    assert columns["value"].tolist() == [0, 1, 2, 3]
    assert (np.diff(times) > 0).all()
    assert times[3] == NOW + 1


def test_a_sample_up_to_a_second_late_is_inserted_and_a_later_one_counted() -> None:
    ring = Ring()
    put(ring, NOW, NOW + 1, NOW + 2, value=[0, 1, 2])
    assert put(ring, NOW + 2 - LATE_SECONDS + 0.5, value=[9]) == 1
    assert put(ring, NOW + 2 - LATE_SECONDS, value=[8]) == 1
    assert put(ring, NOW + 0.9, value=[7]) == 0
    assert ring.snapshot()[1]["value"].tolist() == [0, 1, 8, 9, 2]
    assert (ring.late, ring.written) == (1, 5)


def test_lateness_in_a_block_counts_from_the_newest_before_it() -> None:
    ring = Ring()
    assert put(ring, NOW + 3, NOW, NOW + 2.5, NOW + 4, value=[0, 1, 2, 3]) == 3
    assert ring.snapshot()[1]["value"].tolist() == [2, 0, 3]
    assert ring.late == 1


def test_a_sample_without_a_usable_time_is_counted() -> None:
    ring = Ring()
    assert put(ring, np.nan, NOW, np.inf, value=[1, 2, 3]) == 1
    assert ring.late == 2
    assert ring.newest == NOW


def test_inserting_into_a_full_ring_drops_the_oldest() -> None:
    ring = Ring(samples=4)
    put(ring, *(NOW + np.arange(6) / 10))
    put(ring, NOW + 0.45, value=[9])
    assert ring.snapshot()[1]["value"].tolist() == [3, 4, 9, 5]


def test_a_snapshot_is_cut_by_time_and_length() -> None:
    ring = Ring()
    put(ring, *(NOW + np.arange(10.0)))
    assert ring.snapshot(last=3)[1]["value"].tolist() == [7, 8, 9]
    assert ring.snapshot(since=NOW + 2, until=NOW + 4)[1]["value"].tolist() == [2, 3, 4]
    assert ring.snapshot(since=NOW + 2, last=2)[1]["value"].tolist() == [8, 9]
    assert len(ring.snapshot(since=NOW + 99)[0]) == 0
    assert len(ring.snapshot(since=NOW + 5, until=NOW + 2)[0]) == 0
    assert len(ring.snapshot(last=0)[0]) == 0


def test_an_unknown_field_is_all_gap() -> None:
    ring = Ring()
    put(ring, NOW)
    np.testing.assert_array_equal(ring.snapshot(["other"])[1]["other"], [np.nan])


def test_a_snapshot_is_a_copy() -> None:
    ring = Ring()
    put(ring, NOW)
    ring.snapshot()[1]["value"][0] = 99
    assert ring.snapshot()[1]["value"].tolist() == [0]


def test_columns_of_another_length_are_refused() -> None:
    with pytest.raises(ValueError, match="values for"):
        put(Ring(), NOW, x=[1, 2])


def test_advance_says_how_far_back_the_picture_is_wrong() -> None:
    ring = Ring()
    mark, touched = ring.advance(0)
    assert touched is None
    put(ring, NOW, NOW + 1)
    put(ring, NOW + 1.5)
    mark, touched = ring.advance(mark)
    assert touched == NOW
    assert ring.advance(mark) == (mark, None)
    put(ring, NOW + 2)
    put(ring, NOW + 1.2)
    put(ring, NOW + 3)
    mark, touched = ring.advance(mark)
    assert touched == NOW + 1.2
    ring.clear()
    assert ring.advance(mark)[1] == -np.inf


def test_a_reader_that_comes_rarely_never_misses_a_change() -> None:
    ring = Ring()
    put(ring, NOW)
    mark, _ = ring.advance(0)
    for at in range(1, 5000):
        put(ring, NOW + at)
    _, touched = ring.advance(mark)
    assert touched is not None
    assert touched <= NOW + 1


def test_a_glance_says_at_once_what_is_asked_one_by_one() -> None:
    ring = Ring(samples=500)
    assert ring.glance(0) == (0, None, (), None, None, None, True)
    put(ring, *(NOW + np.arange(2000) / 1000), value=np.ones(2000), more=np.ones(2000))
    mark = ring.glance(0).mark
    put(ring, NOW + 2.5, NOW + 3)
    seen = ring.glance(mark)
    assert (seen.mark, seen.touched) == ring.advance(mark)
    assert seen.touched == NOW + 2.5
    assert seen[2:] == (ring.fields, ring.newest, ring.interval, ring.extent, False)
    assert ring.glance(seen.mark).touched is None


def fast(**kept: int) -> Ring:
    """A ring with 20 s at 1,000/s, whose pyramid therefore begins with bins of 0.1 s."""
    ring = Ring(**kept)
    times = NOW + np.arange(20_000) / 1000
    put(ring, *times, value=np.arange(20_000.0))
    ring.resolution(1.0, NOW)
    ring.bands(["value"], 1.0)
    return ring


def test_the_tail_is_all_that_is_in_the_bins_that_changed() -> None:
    ring = fast()
    tail = ring.tail(["value", "unknown"], 0.02, NOW + 19.985, 100)
    assert tail is not None
    times, columns = tail
    assert times == pytest.approx(NOW + 19.98 + np.arange(20) / 1000, abs=1e-6)
    assert columns["value"].tolist() == [19_980.0 + at for at in range(20)]
    assert np.isnan(columns["unknown"]).all()


def test_what_lies_a_hair_before_a_bin_is_not_in_its_tail() -> None:
    ring = fast()
    put(ring, NOW + 20.02 - 5e-6, NOW + 20.02 + 5e-6)
    put(ring, NOW + 20.03)
    tail = ring.tail(["value"], 0.02, NOW + 20.03, 100)
    assert tail is not None
    assert tail[0].tolist() == [NOW + 20.02 + 5e-6, NOW + 20.03]


@pytest.mark.parametrize(
    ("width", "since", "most"),
    [
        (0.02, NOW + 19.985, 19),  # more than were asked for
        (1.0, NOW + 19.9985, 5000),  # such bins are at hand
        (0.02, NOW + 21, 100),  # nothing is there
        (0.02, -np.inf, 100_000),
    ],
)
def test_what_is_better_read_as_bins_is_no_tail(width: float, since: float, most: int) -> None:
    assert fast().tail(["value"], width, since, most) is None


def test_a_bin_of_which_samples_have_gone_is_no_tail() -> None:
    ring = fast(samples=500)
    assert ring.oldest == pytest.approx(NOW + 19.5)
    put(ring, NOW + 20)
    assert ring.tail(["value"], 0.02, NOW + 19.505, 1000) is None
    assert ring.tail(["value"], 0.02, NOW + 19.525, 1000) is not None


def test_what_ends_a_hair_before_the_bin_that_is_asked_for_is_no_tail() -> None:
    ring = fast()
    put(ring, NOW + 20.02 - 5e-6)
    assert ring.tail(["value"], 0.02, NOW + 20.025, 100) is None


def test_times_that_no_bin_holds_are_no_tail() -> None:
    ring = fast()
    assert ring.tail(["value"], 1e-10, NOW + 19.9985, 100) is None


@given(
    steps=st.lists(st.integers(1, 40), min_size=1, max_size=60),
    back=st.floats(0, 0.3),
    width=st.sampled_from([0.001, 0.002, 0.005, 0.01, 0.02]),
)
def test_the_tail_has_the_samples_of_the_bins_that_the_bands_show(
    steps: list[int], back: float, width: float
) -> None:
    ring = fast()
    put(ring, *(NOW + 20 + np.cumsum(steps) / 1000))
    newest = ring.newest
    assert newest is not None
    tail = ring.tail(["value"], width, newest - back, 10_000)
    assert tail is not None
    band = ring.bands(["value"], width, newest - back)["value"]
    own = bins(tail[0], tail[1]["value"], width)
    for theirs, ours in ((band.index, own.index), (band.low, own.low), (band.high, own.high)):
        assert np.array_equal(theirs, ours)


def test_a_sample_on_the_edge_of_a_very_narrow_bin_is_in_it() -> None:
    ring = Ring()
    times = NOW + np.arange(40_000) / 20_000
    put(ring, *times)
    ring.bands(["value"], 1.0)
    whole = bins(times, np.arange(40_000.0), 1e-4)
    for since in times[-300::7]:
        band = ring.bands(["value"], 1e-4, float(since))["value"]
        tail = ring.tail(["value"], 1e-4, float(since), 5000)
        assert tail is not None
        own = bins(tail[0], tail[1]["value"], 1e-4)
        at = np.searchsorted(whole.index, band.index)
        assert np.array_equal(band.low, whole.low[at])
        assert np.array_equal(own.low, whole.low[at])


def test_clear_forgets_samples_but_not_how_many_there_were() -> None:
    ring = Ring()
    put(ring, NOW, NOW + 1)
    ring.clear()
    assert (len(ring), ring.written, ring.fields, ring.newest) == (0, 2, ("value",), None)
    put(ring, NOW - 50)
    assert ring.newest == NOW - 50


# The sequential reading of the sentences, one sample at a time.


class Model:
    def __init__(self, capacity: int) -> None:
        self.capacity = capacity
        self.rows: list[tuple[float, float]] = []
        self.late = 0

    def add(self, time: float, value: float, newest: float) -> None:
        if newest - time > LATE_SECONDS:
            self.late += 1
            return
        at = sum(1 for known, _ in self.rows if known <= time)
        self.rows.insert(at, (time, value))


@given(
    blocks=st.lists(
        # On a grid of a quarter of a second, without equal times: those are their own tests.
        st.lists(st.integers(0, 60), min_size=1, max_size=8),
        max_size=12,
    ),
    capacity=st.integers(1, 40),
)
def test_whatever_the_order_of_arrival_the_ring_agrees_with_the_sentences(
    blocks: list[list[int]], capacity: int
) -> None:
    ring, model, mark = Ring(samples=capacity), Model(capacity), 0
    seen: set[int] = set()
    before: list[tuple[float, float]] = []
    value = 0.0
    for block in blocks:
        block = [step for at, step in enumerate(block) if step not in seen and step not in block[:at]]
        seen.update(block)
        times = [NOW + step / 4 for step in block]
        newest = ring.newest if ring.newest is not None else -np.inf
        values = []
        for time in times:
            value += 1
            values.append(value)
            model.add(time, value, newest)
            newest = max(newest, time)
        if times:
            put(ring, *times, value=values)
        model.rows = model.rows[-capacity:]
        kept, columns = ring.snapshot()
        rows = list(zip(kept.tolist(), columns.get("value", np.empty(0)).tolist(), strict=True))
        assert rows == model.rows
        assert ring.late == model.late
        # What `advance` promises: nothing before that time differs, but for the oldest ones that went.
        mark, touched = ring.advance(mark)
        horizon = np.inf if touched is None else touched
        oldest = rows[0][0] if rows else np.inf
        assert [row for row in before if oldest <= row[0] < horizon] == [
            row for row in rows if row[0] < horizon
        ]
        before = rows


@given(
    blocks=st.lists(
        hnp.arrays(
            np.float64, st.integers(1, 20), elements=st.integers(0, 3_000_000).map(lambda n: n * 1e-6)
        ),
        min_size=1,
        max_size=8,
    ),
    epoch=st.sampled_from([0.0, NOW]),
)
def test_times_always_increase(blocks: list[np.ndarray], epoch: float) -> None:
    ring = Ring(samples=50)
    for block in blocks:
        ring.append(block + epoch, {"value": block})
        times, _ = ring.snapshot()
        assert (np.diff(times) > 0).all()
        assert np.isfinite(times).all()


def test_reading_beside_writing_never_sees_half_a_block() -> None:
    ring = Ring(samples=1000)
    stop = threading.Event()
    torn: list[str] = []

    def read() -> None:
        while not stop.is_set():
            times, columns = ring.snapshot()
            if not np.array_equal(times, columns.get("value", times)):
                torn.append("torn")

    readers = [threading.Thread(target=read) for _ in range(2)]
    for reader in readers:
        reader.start()
    for at in range(0, 20_000, 50):
        block = NOW + np.arange(at, at + 50, dtype=float)
        ring.append(block, {"value": block})
    stop.set()
    for reader in readers:
        reader.join()
    assert torn == []


def test_the_interval_of_a_fast_stream_follows_within_half_a_second():
    ring = Ring()
    ring.append(NOW + np.arange(1000) * 1e-4, {"value": np.zeros(1000)})
    assert ring.interval == pytest.approx(1e-4, rel=0.01)
    ring.append(NOW + 0.1 + np.arange(600) * 1e-3, {"value": np.zeros(600)})
    assert ring.interval == pytest.approx(1e-3, rel=0.01)
    ring.clear()
    assert ring.interval is None
    ring.append(NOW + 0.7 + np.arange(300) * 1e-4, {"value": np.zeros(300)})
    assert ring.interval == pytest.approx(1e-4, rel=0.01)


anywhen = st.floats(allow_nan=True, allow_infinity=True) | st.sampled_from([1e308, -1e308, 1e18, NOW * 1e3])


@given(st.lists(st.lists(st.floats(NOW, NOW + 1e3) | anywhen, max_size=20), max_size=8))
def test_whatever_times_come_what_is_sane_and_in_time_is_kept(batches: list[list[float]]) -> None:
    ring, sane = Ring(), Ring()
    for batch in batches:
        times = np.array(batch)
        ring.append(times, {"x": np.ones(len(times))})
        times = times[np.abs(times) <= FARTHEST]
        sane.append(times, {"x": np.ones(len(times))})
    assert ring.snapshot()[0].tolist() == sane.snapshot()[0].tolist()
    assert ring.extent == sane.extent
    assert ring.written + ring.late == sum(map(len, batches))


def test_the_latest_number_is_had_without_the_samples_before_it_and_from_behind_a_gap():
    ring = Ring(samples=4)
    assert ring.latest(["x"], 3) == [None]
    ring.append(np.arange(1.0, 7.0), {"x": [1, 2, 3, 4, 5, 6], "gap": [1, 2, 3, np.nan, np.inf, np.nan]})
    assert ring.latest(["gap", "x", "no"], 4) == [3.0, 6.0, None]
    assert ring.latest(["gap"], 3) == [None]
    # The circle's seam lies between the number and the end.
    ring.append(np.array([7.0]), {"x": [np.nan], "gap": [np.nan]})
    assert ring.latest(["x", "gap"], 4) == [6.0, None]
