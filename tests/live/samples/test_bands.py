"""Bins of samples, against a loop over them, whichever way they are computed."""

from __future__ import annotations

import math

import numpy as np
import pytest

from nbrealtime.live.samples.bands import bins, first_bin

START = 1.79e9


def brute(times, values, width):
    found = {}
    for time, value in zip(times.tolist(), values.tolist(), strict=True):
        found.setdefault(first_bin(time, width), []).append(value)
    for index, inside in sorted(found.items()):
        known = [value for value in inside if not math.isnan(value)]
        finite = [value for value in inside if math.isfinite(value)]
        mean = sum(finite) / len(finite) if finite else math.nan
        yield index, min(known, default=math.nan), max(known, default=math.nan), mean


# One by one, side by side, and by reduceat; bins of equal and of very unequal size.
@pytest.mark.parametrize(
    ("samples", "width"), [(3, 1.0), (16, 0.01), (17, 0.01), (40, 0.5), (200, 0.1), (480, 0.02), (5000, 0.01)]
)
@pytest.mark.parametrize("even", [True, False])
@pytest.mark.parametrize("holes", [0.0, 0.3])
def test_bins_hold_the_least_the_greatest_and_the_mean_of_their_samples(samples, width, even, holes):
    random = np.random.default_rng(samples)
    steps = np.full(samples, 0.004) if even else random.exponential(0.004, samples) ** 2 * 200
    times, values = START + np.cumsum(steps), random.normal(size=samples)
    values[random.random(samples) < holes] = np.nan
    values[random.random(samples) < holes / 10] = np.inf
    band = bins(times, values, width)
    index, low, high, mean = zip(*brute(times, values, width), strict=True)
    assert band.index.tolist() == list(index)
    np.testing.assert_array_equal(band.low, low)
    np.testing.assert_array_equal(band.high, high)
    np.testing.assert_allclose(band.mean, mean, rtol=1e-9, atol=1e-12)


@pytest.mark.parametrize("bins_of", [5, 1])
def test_a_bin_of_gaps_alone_is_a_gap(bins_of):
    values = np.ones(60)
    values[10:15] = np.nan
    band = bins(START + np.arange(60.0), values, float(bins_of))
    gap = slice(10 // bins_of, 15 // bins_of)
    for column in (band.low, band.high, band.mean):
        assert np.isnan(column[gap]).all()
        assert (np.delete(column, np.r_[gap]) == 1).all()


@pytest.mark.parametrize("count", [1, 100])
def test_a_time_beyond_all_counting_is_in_no_bin(count):
    times = np.append(np.arange(count) + 0.5, 1.79e18)
    band = bins(times, np.ones(count + 1), 0.1)
    assert band.index.tolist() == [10 * at + 5 for at in range(count)]
    assert len(bins(times[-1:], np.ones(1), 0.1)) == 0
