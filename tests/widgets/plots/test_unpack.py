"""Frames read in Python say what was packed: points, bands with and without holes, and gaps."""

from __future__ import annotations

import numpy as np
import pytest

from nbrealtime.widgets.plots.decimate import bins, pack_band, pack_points
from nbrealtime.widgets.plots.unpack import Line, unpack

START = 1_790_000_000.0


def frame(*packed: tuple[dict, bytes]) -> tuple[dict, list[bytes]]:
    entries, bodies = [], []
    for index, (entry, body) in enumerate(packed):
        entries.append({**entry, "series": index, "interval": 0.5, "last": 1.0})
        bodies.append(body)
    series = [{"label": f"line {index}"} for index in range(len(packed) + 1)]
    return {"series": series, "data": entries}, [b"".join(bodies)]


def test_points_come_back():
    times, values = START + np.arange(10) / 2, np.sin(np.arange(10.0)) + 101_325
    [line, silent] = unpack(*frame(*pack_points(times, values)))
    assert (line.label, line.mode, line.interval) == ("line 0", "points", 0.5)
    assert np.allclose(line.time, times, atol=1e-3)
    assert np.allclose(line.value, values, atol=1e-4)
    assert line.low is line.value is line.high
    assert len(silent.time) == 0


@pytest.mark.parametrize("hole", [False, True])
def test_bands_come_back_behind_other_series(hole):
    times = START + np.arange(100) / 10
    if hole:
        times = np.delete(times, slice(30, 60))
    band = bins(times, times - START, 1.0)
    _, line, _ = unpack(*frame(*pack_points(times, times), pack_band(band, 1.0)))
    assert line.mode == "band"
    assert np.allclose(line.time, (band.index + 0.5) * 1.0)
    for ours, theirs in ((line.low, band.low), (line.high, band.high), (line.value, band.mean)):
        assert np.allclose(ours, theirs, atol=1e-5)


def test_a_frame_without_samples_has_empty_lines():
    lines = unpack({"series": [{"label": "a"}], "data": []}, [])
    assert [(line.label, len(line.time), line.last) for line in lines] == [("a", 0, None)]


def test_a_line_breaks_at_gaps_and_at_long_silences():
    times = np.array([0.0, 1, 2, 3, 4, 20, 21, 40])
    values = np.array([1.0, 1, np.nan, 1, 1, 1, 1, 1])
    line = Line("a", interval=1.0, time=times, value=values, low=values, high=values)
    assert [(run.start, run.stop) for run in line.runs()] == [(0, 2), (3, 5), (5, 7), (7, 8)]


def test_a_line_of_gaps_alone_has_no_run():
    gaps = np.full(3, np.nan)
    assert list(Line("a", time=np.arange(3.0), value=gaps, low=gaps, high=gaps).runs()) == []
