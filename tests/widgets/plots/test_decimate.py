"""Bins that do not shimmer, envelopes that lose no peak, numbers that keep their digits."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from nbrealtime.widgets.plots.decimate import (
    bin_width,
    bins,
    choose,
    first_bin,
    pack_band,
    pack_points,
    pack_samples,
)

FINITE = st.floats(-1e6, 1e6, allow_nan=False)


@pytest.mark.parametrize(
    ("window", "pixels", "width"),
    [(60, 800, 0.1), (60, 600, 0.1), (60, 599, 0.2), (10, 1000, 0.01), (3600, 700, 10), (0.01, 400, 5e-5)],
)
def test_a_bin_is_the_narrowest_round_width_that_a_pixel_covers(window, pixels, width):
    assert bin_width(window, pixels) == width


@given(st.floats(0.001, 1e7), st.integers(1, 16384))
def test_a_window_never_needs_more_bins_than_pixels(window, pixels):
    width = bin_width(window, pixels)
    assert window / width <= pixels * (1 + 1e-6)
    mantissa = float(f"{width:e}".split("e")[0])
    assert mantissa in (1.0, 2.0, 5.0)


@given(st.lists(FINITE, min_size=1, max_size=300), st.integers(1, 50), st.integers(0, 10**6))
def test_a_band_is_what_its_samples_are(values, per_bin, start):
    times = 1.7e9 + start + np.arange(len(values)) / per_bin * 0.1 + 0.0005
    array = np.array(values)
    band = bins(times, array, 0.1)
    index = np.floor(times / 0.1 + 1e-9).astype(np.int64)
    assert list(band.index) == sorted(set(index.tolist()))
    for k, low, high, mean in zip(band.index, band.low, band.high, band.mean, strict=True):
        inside = array[index == k]
        assert (low, high) == (inside.min(), inside.max())
        assert mean == pytest.approx(inside.mean(), rel=1e-9, abs=1e-6)


def test_the_same_samples_make_the_same_bins_wherever_the_window_begins():
    times = 1.7e9 + np.arange(1000) * 0.013
    values = np.sin(times)
    whole = bins(times, values, 0.1)
    later = bins(times[500:], values[500:], 0.1)
    shared = np.isin(whole.index, later.index[1:])
    assert np.array_equal(whole.low[shared], later.low[1:])
    assert first_bin(times[500], 0.1) == later.index[0]


@given(st.lists(st.floats(-1e6, 1e6) | st.just(float("nan")), min_size=1, max_size=200), st.integers(1, 9))
def test_few_bins_are_what_many_bins_are(values, per_bin):
    column = np.array(values)
    # The same samples once as the beginning of many bins, once alone.
    more = np.concatenate((column, np.zeros(2000)))
    times = np.arange(len(more)) / per_bin
    whole, few = 1.0, -(-len(column) // per_bin)
    many = bins(times, more, whole)
    alone = bins(times[: len(column)], column, whole)
    full = len(column) // per_bin
    assert len(alone) == few
    for ours, theirs in ((alone.low, many.low), (alone.high, many.high), (alone.mean, many.mean)):
        np.testing.assert_allclose(ours[:full], theirs[:full], rtol=1e-9, atol=1e-9)


def test_nan_is_passed_over_and_a_bin_of_nothing_else_is_a_gap():
    band = bins(np.array([0.01, 0.02, 0.11, 0.21]), np.array([np.nan, 2.0, np.nan, 3.0]), 0.1)
    assert band.index.tolist() == [0, 1, 2]
    assert band.mean[0] == 2.0
    assert np.isnan([band.low[1], band.high[1], band.mean[1]]).all()


def test_no_samples_make_no_bins():
    assert len(bins(np.empty(0), np.empty(0), 0.1)) == 0


def test_points_are_drawn_while_they_are_fewer_than_bins_and_the_choice_does_not_flicker():
    assert choose(None, 60, 1.0, 0.1) == "points"
    assert choose(None, 60, 0.001, 0.1) == "band"
    assert choose("band", 60, 0.12, 0.1) == "band"
    assert choose("points", 60, 0.12, 0.1) == "points"
    assert choose("band", 60, 0.5, 0.1) == "points"
    assert choose(None, 60, None, 0.1) == "points"


def unpack_points(header, body):
    floats = np.frombuffer(body, "<f4").astype(float)
    n = header["n"]
    return header["t0"] + floats[:n], header["v0"] + header["scale"] * floats[n:]


def test_points_keep_microseconds_and_small_changes_of_large_values():
    times = 1.7e9 + np.arange(600) * 0.1
    values = 101_325 + np.sin(times) * 0.01
    back_times, back_values = unpack_points(*pack_points(times, values)[0])
    assert np.abs(back_times - times).max() < 1e-5
    assert np.abs(back_values - values).max() < 1e-6


@pytest.mark.parametrize("extreme", [1e300, -1e300, 1.7e308, 1e-300, 5e-324])
def test_values_outside_the_range_of_small_floats_survive(extreme):
    values = np.array([0.0, extreme, extreme / 2])
    _, back = unpack_points(*pack_points(np.arange(3.0), values)[0])
    assert back == pytest.approx(values, rel=1e-6)


def test_gaps_and_nothing_at_all_can_be_packed():
    ((header, body),) = pack_points(np.arange(2.0), np.array([np.nan, np.nan]))
    assert header["n"] == 2
    assert np.isnan(np.frombuffer(body, "<f4")[2:]).all()
    assert pack_points(np.empty(0), np.empty(0)) == [
        ({"mode": "points", "n": 0, "t0": 0.0, "v0": 0.0, "scale": 1.0}, b""),
    ]


def test_a_band_without_holes_needs_no_offsets():
    dense = bins(np.arange(100) * 0.1 + 0.05, np.arange(100.0), 0.1)
    header, body = pack_band(dense, 0.1)
    assert header["dense"] is True
    assert len(body) == 12 * 100
    holes = bins(np.array([0.05, 0.55]), np.array([1.0, 2.0]), 0.1)
    header, body = pack_band(holes, 0.1)
    assert header["dense"] is False
    assert np.frombuffer(body[:8], "<u4").tolist() == [0, 5]


def test_even_times_travel_as_a_step_and_uneven_ones_as_they_are():
    times = 1.7e9 + np.arange(600) * 0.1
    ((header, body),) = pack_points(times, np.sin(times), slack=3e-5)
    assert header["step"] == pytest.approx(0.1)
    assert len(body) == 4 * 600
    assert np.abs(header["t0"] + header["step"] * np.arange(600) - times).max() < 3e-5
    times[300] += 1e-4
    ((header, body),) = pack_points(times, np.sin(times), slack=3e-5)
    assert "step" not in header
    assert len(body) == 8 * 600
    assert pack_points(times[:1], np.ones(1), slack=3e-5)[0][0]["step"] == 0.0


def test_samples_of_a_band_travel_as_points_that_know_their_first_bin():
    times = 1.7e9 + 0.013 + np.arange(50) * 0.001
    (one, body), (other, _) = pack_samples(times, np.sin(times), np.ones(50), width=0.02, slack=1e-6)
    assert (one["mode"], one["bin"], one["k0"]) == ("samples", 0.02, first_bin(times[0], 0.02))
    assert one["t0"] == times[0]
    assert len(body) == 4 * 50
    assert one["v0"] + one["scale"] * np.frombuffer(body, "<f4") == pytest.approx(np.sin(times), abs=1e-6)
    assert other["v0"] == 1.0
    times[3] += 1e-4
    ((uneven, body),) = pack_samples(times, np.sin(times), width=0.02, slack=1e-6)
    assert "step" not in uneven
    offsets = np.frombuffer(body[: 4 * 50], "<f4").astype(float)
    assert times[0] + offsets == pytest.approx(times, abs=1e-7)
