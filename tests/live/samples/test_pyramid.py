"""The bins that a ring keeps, against plain sums over every sample that ever came."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from nbrealtime.live.samples.columns import Columns
from nbrealtime.live.samples.level import Level
from nbrealtime.live.samples.pyramid import Pyramid
from nbrealtime.live.samples.ring import Ring

NOW = 1_790_000_000.0
WIDTHS = [
    step * 10.0**power if power >= 0 else step / 10.0**-power for power in range(-3, 3) for step in (1, 2, 5)
]


def bin_of(time: float, width: float) -> int:
    return math.floor(time / width + 1e-9)


class Model:
    """Every sample of every field that was ever taken in."""

    def __init__(self) -> None:
        self.samples: list[tuple[float, dict[str, float]]] = []

    def bins(self, field: str, width: float) -> dict[int, tuple[float, float, float]]:
        found: dict[int, list[float]] = {}
        for time, values in self.samples:
            found.setdefault(bin_of(time, width), []).append(values[field])
        out = {}
        for index, values in found.items():
            known = [value for value in values if not math.isnan(value)]
            out[index] = (min(known), max(known), sum(known) / len(known)) if known else (math.nan,) * 3
        return out


@st.composite
def streams(draw: st.DrawFn) -> list[tuple[list[int], list[float], bool]]:
    """Blocks of (times in ms, values of "a", whether "b" comes too); some late, some after a pause."""
    at, seen, blocks = 0, set(), []
    for _ in range(draw(st.integers(1, 12))):
        late = draw(st.booleans()) and at > 1000
        step = draw(st.sampled_from([1, 3, 20, 700]))
        count = draw(st.sampled_from([1, 2, 30, 150, 600, 3000]))
        if late:
            times = [at - 950 + n * 7 for n in range(min(count, 100))]
        else:
            begin = at + draw(st.sampled_from([1, 40, 60_000]))
            times = [begin + n * step for n in range(count)]
        times = [time for time in times if time not in seen]
        seen.update(times)
        at = max([at, *times])
        seed = draw(st.integers(0, 5))
        values = [
            math.nan if (time + seed) % 11 == 0 else float((time * 7919 + seed) % 1000) for time in times
        ]
        blocks.append((times, values, draw(st.booleans())))
    return blocks


@settings(max_examples=30)
@given(streams(), st.sampled_from([50, 500, 5000]), st.sampled_from([2_000, 60_000, 1 << 24]), st.data())
def test_whatever_came_the_bins_are_the_sums_of_all_samples(blocks, samples, max_bytes, data) -> None:
    ring, model = Ring(samples=samples, max_bytes=max_bytes), Model()
    named = {"a"}
    for steps, values, with_b in blocks:
        if not steps or (not named & set(ring.fields) and all(map(math.isnan, values))):
            continue
        # In the middle between two milliseconds: no width here has a boundary there.
        times = NOW + np.array(steps) / 1000 + 0.0005
        columns = {"a": np.array(values)}
        if with_b:
            columns["b"] = np.arange(len(steps), dtype=float)
        before = len(ring), ring.written
        kept = ring.append(times, columns)
        if not before[1]:
            times, columns = times[-kept:], {name: column[-kept:] for name, column in columns.items()}
        assert kept == len(times)
        for at, time in enumerate(times):
            row = {name: float(columns[name][at]) if name in columns else math.nan for name in ("a", "b")}
            model.samples.append((float(time), row))
        assert ring.nbytes <= max_bytes
        if not ring.written or not data.draw(st.booleans()):
            continue
        newest = max(time for time, _ in model.samples)
        width = data.draw(st.sampled_from(WIDTHS))
        since = newest - data.draw(st.sampled_from([0.0, 0.3, 5.0, 1000.0, math.inf]))
        oldest, last = ring.extent
        assert last == newest
        shown = ring.resolution(width, since)
        assert shown >= width
        bands = ring.bands(["a", "b"], shown, since)
        complete = max(since, oldest)
        for field in ("a", "b"):
            truth = model.bins(field, shown)
            got = bands[field]
            assert list(got.index) == sorted(set(got.index.tolist()))
            # The bin in which what is kept begins lost what is not.
            first = bin_of(complete, shown)
            if first * shown < oldest and oldest > min(time for time, _ in model.samples):
                first += 1
            wanted = {index: what for index, what in truth.items() if index >= first}
            rows = {
                int(index): (low, high, mean)
                for index, low, high, mean in zip(got.index, got.low, got.high, got.mean, strict=True)
                if index >= first
            }
            assert rows.keys() == wanted.keys()
            for index, what in wanted.items():
                assert rows[index] == pytest.approx(what, nan_ok=True, rel=1e-9)


def steady(ring: Ring, seconds: float, rate: float, *, start: float = 0.0, block: int = 5000) -> None:
    steps = round(seconds * rate)
    for begin in range(0, steps, block):
        n = np.arange(begin, min(steps, begin + block))
        ring.append(NOW + start + (n + 0.5) / rate, {"value": n.astype(float)})


def test_what_falls_out_of_the_ring_stays_as_bins() -> None:
    ring = Ring(samples=10_000)
    steady(ring, 600, 1000)
    assert ring.oldest > NOW + 580
    assert ring.extent == (pytest.approx(NOW, abs=0.01), ring.newest)
    assert ring.resolution(0.1, NOW) == 0.1
    band = ring.bands(["value"], 0.1, NOW)["value"]
    assert len(band) == 6000
    assert (band.low[0], band.high[0], band.mean[0]) == (0, 99, 49.5)
    assert (band.low[-1], band.high[-1]) == (599_900, 599_999)


def test_an_hour_that_comes_at_once_is_kept_like_one_that_came_slowly() -> None:
    slow, at_once = Ring(samples=10_000), Ring(samples=10_000)
    steady(slow, 3600, 100, block=50)
    steady(at_once, 3600, 100, block=360_000)
    for width in (1.0, 5.0, 20.0, 100.0):
        one, other = (ring.bands(["value"], width)["value"] for ring in (slow, at_once))
        assert len(one) == math.ceil(3600 / width)
        for column in ("index", "low", "high", "mean"):
            np.testing.assert_allclose(getattr(one, column), getattr(other, column), rtol=1e-12)


def test_a_bin_that_began_before_its_level_is_shown_more_coarsely() -> None:
    ring = Ring(samples=50)
    ring.append(NOW + np.arange(0, 50, 40) / 1000, {"value": np.array([7.0, 8.0])})
    # With what comes now there is a finer level, from the middle of its first bin on.
    for begin in (42, 642):
        steps = np.arange(begin, begin + 600, dtype=float)
        ring.append(NOW + steps / 1000, {"value": steps})
    since = NOW + 0.9
    shown = ring.resolution(0.001, since)
    band = ring.bands(["value"], shown, since)["value"]
    assert (shown, band.low[0], band.high[0]) == (10, 7, 1241)


def test_finer_than_what_is_kept_is_shown_as_finely_as_it_is_kept() -> None:
    ring = Ring(samples=10_000)
    steady(ring, 600, 1000)
    assert not ring.reaches(NOW + 100)
    assert ring.reaches(NOW + 595)
    assert ring.resolution(0.002, NOW + 100) == 0.1
    assert ring.resolution(0.002, NOW + 595) == 0.002
    assert len(ring.bands(["value"], 0.1, NOW + 100, NOW + 101)["value"]) == 11


def test_memory_is_bounded_for_a_day_at_ten_thousand_samples_a_second() -> None:
    pyramid = Pyramid(max_bytes=1 << 20)
    n = np.arange(10_000) + 0.5
    for second in range(
        0, 86_400, 60
    ):  # the first second of each minute: as many bins of a minute, in less time
        pyramid.add(NOW + second + n / 10_000, {"value": n})
        assert pyramid.nbytes <= 1 << 20
    assert pyramid.oldest == pytest.approx(NOW, abs=1)
    index, stats = pyramid.read(["value"], 200.0)
    assert len(index) == 432
    assert stats[3].sum() == 1440 * 10_000


def test_what_is_the_oldest_is_known_after_each_change() -> None:
    pyramid = Pyramid(max_bytes=1 << 16)
    assert pyramid.oldest is None
    pyramid.add(NOW + np.arange(100_000) / 100, {"value": np.ones(100_000)})
    assert pyramid.oldest == pytest.approx(NOW, abs=1)
    pyramid.add(NOW - 100 + np.arange(1000) / 100, {"value": np.ones(1000)})
    assert pyramid.oldest == pytest.approx(NOW - 100, abs=1)
    pyramid.bound(1)
    assert pyramid.oldest is None
    pyramid.bound(1 << 16)
    pyramid.clear()
    pyramid.add(NOW + np.arange(1000) / 100, {"value": np.ones(1000)})
    assert pyramid.oldest == pytest.approx(NOW, abs=1)
    pyramid.clear()
    assert pyramid.oldest is None


def test_a_faster_stream_gets_finer_bins_and_loses_nothing() -> None:
    pyramid = Pyramid(max_bytes=1 << 20)
    slow = NOW + np.arange(1000) * 1.0
    pyramid.add(slow, {"value": np.ones(1000)})
    assert pyramid.finest == 100
    for at in range(50):
        times = NOW + 1000 + at + np.arange(1000) / 1000 + 0.0005
        pyramid.add(times, {"value": np.ones(1000)})
    assert pyramid.finest == 0.1
    assert pyramid.read(["value"], 1000.0)[1][3].sum() == 51_000
    assert pyramid.reach(0.1) > NOW + 1000
    assert pyramid.reach(100.0) == -math.inf


def test_a_slower_stream_gives_up_bins_that_would_be_larger_than_its_samples() -> None:
    pyramid = Pyramid(max_bytes=1 << 20)
    pyramid.add(NOW + np.arange(1000) / 1000 + 0.0005, {"value": np.ones(1000)})
    assert pyramid.finest == 0.1
    pyramid.add(NOW + 10 + np.arange(1000.0) + 0.0005, {"value": np.ones(1000)})
    pyramid.add(NOW + 1010 + np.arange(1000.0) + 0.0005, {"value": np.ones(1000)})
    assert pyramid.finest >= 10
    assert pyramid.read(["value"], 1000.0)[1][3].sum() == 3000


def test_clear_forgets_the_bins_too() -> None:
    ring = Ring(samples=1000)
    steady(ring, 60, 1000)
    ring.clear()
    assert ring.extent is None
    assert len(ring.bands(["value"], 1.0)["value"]) == 0
    steady(ring, 2, 1000, start=100)
    assert ring.bands(["value"], 1.0)["value"].index.tolist() == [NOW + 100, NOW + 101]


def test_without_room_for_bins_there_are_none_and_the_samples_are_shown() -> None:
    ring = Ring(samples=1000, max_bytes=8000)
    steady(ring, 5, 1000, block=100)
    assert ring.nbytes <= 8000
    assert ring.resolution(0.1, NOW) == 0.1
    assert len(ring.bands(["value"], 0.1, NOW)["value"]) == 4


def test_what_a_reading_touches_does_not_depend_on_how_much_came(monkeypatch: pytest.MonkeyPatch) -> None:
    touched = 0
    rows, read = Level.rows, Columns._read

    def counted_rows(self, begin, end=None):
        nonlocal touched
        found = rows(self, begin, end)
        touched += len(found[0])
        return found

    def counted_read(self, column, begin, end):
        nonlocal touched
        touched += max(0, end - begin)
        return read(self, column, begin, end)

    monkeypatch.setattr(Level, "rows", counted_rows)
    monkeypatch.setattr(Columns, "_read", counted_read)
    costs: dict[float, int] = {}
    ring = Ring()
    steady(ring, 3700, 1000, block=50_000)
    ring.bands(["value"], 5.0)
    for window, width in ((60.0, 0.1), (3600.0, 5.0)):
        ring.append(np.array([ring.newest + 0.001]), {"value": np.zeros(1)})
        touched = 0
        ring.bands(["value"], width, ring.newest)
        costs[window] = touched
        touched = 0
        assert len(ring.bands(["value"], width, ring.newest - window)["value"]) <= 722
        assert touched <= 12 * window / width + 100
    assert costs[3600.0] <= 150
    assert costs[60.0] <= 150
