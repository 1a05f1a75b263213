"""A spectrogram makes columns of samples: right in frequency and strength, and never across a gap."""

from __future__ import annotations

import numpy as np
import pytest

from nbrealtime.live import views
from nbrealtime.live.field import FieldView
from nbrealtime.live.samples.ring import Ring
from nbrealtime.widgets.audience import Viewing
from nbrealtime.widgets.heatmaps.spectra import WINDOWS, Spectra, density
from nbrealtime.widgets.heatmaps.spectrogram import Spectrogram

from .frames import read

pytestmark = pytest.mark.usefixtures("comms")

FS = 1000.0


def sine(count, hz=125.0, fs=FS, start=0):
    return 2.0 * np.sin(2 * np.pi * hz * (start + np.arange(count)) / fs)


def feed(topic, values, start=1000.0, fs=FS, field="value"):
    topic.feed.ring.append(start + np.arange(len(values)) / fs, {field: np.asarray(values, dtype=np.float64)})


def whole(spectrogram):
    return read(spectrogram._stream.snapshot(0.0, Viewing(800)))


def test_a_sine_is_strongest_at_its_frequency(topic):
    spectrogram = Spectrogram(topic)
    feed(topic, sine(1000))
    header, columns = whole(spectrogram)
    assert header["rows"] == 129
    assert header["axis"]["positions"] == pytest.approx([0, 500], rel=1e-3)
    for column in columns.values():
        assert np.argmax(column) == round(125 / (FS / 256))
    # One every 128 samples, at the middle of its 256.
    assert next(iter(columns)) == pytest.approx(1000.1275)
    assert len(columns) == (1000 - 256) // 128 + 1
    assert header["came"] == len(columns)


@pytest.mark.parametrize("taper", WINDOWS)
def test_the_density_holds_the_power_of_the_samples(taper):
    # Parseval: white noise of variance 4 has a density whose integral over the frequencies is 4.
    noise = np.random.default_rng(1).normal(0, 2, (400, 256))
    shape = np.asarray(WINDOWS[taper](257)[:-1])
    power = density(noise, FS, shape, db=False).astype(float) ** 2
    assert power.mean(axis=0).sum() * FS / 256 == pytest.approx(4, rel=0.05)
    decibels = density(noise, FS, shape, db=True)
    assert 10 ** (decibels.astype(float) / 10) == pytest.approx(power, rel=1e-3)


def test_samples_that_come_in_pieces_give_the_same_spectra(topic, connection):
    other = connection.topic("lab:other")
    values = np.random.default_rng(2).normal(size=3000)
    at_once, in_pieces = Spectrogram(topic, fs=FS), Spectrogram(other, fs=FS)
    feed(topic, values)
    for start in range(0, 3000, 37):
        feed(other, values[start : start + 37], start=1000 + start / FS)
        in_pieces._stream.frame(0.0, Viewing(800))
    expected, found = whole(at_once)[1], whole(in_pieces)[1]
    assert list(found) == pytest.approx(list(expected))
    assert np.array(list(found.values())) == pytest.approx(np.array(list(expected.values())), abs=1e-3)


def test_one_that_is_made_late_begins_with_the_window_that_came_before(topic):
    feed(topic, sine(90_000))
    header, columns = whole(Spectrogram(topic, fs=FS, window=60))
    # The newest 60 s of the 90: a segment of 256 samples every 128.
    assert header["came"] == (60_000 - 256) // 128 + 1
    assert min(columns) == pytest.approx(1030.1, abs=0.2)
    assert max(columns) == pytest.approx(1089.9, abs=0.2)
    feed(topic, sine(10 * 128, start=90_000), start=1090.0)
    assert whole(Spectrogram(topic, fs=FS, window=60))[0]["came"] == header["came"]


def test_a_gap_ends_a_segment(topic):
    spectrogram = Spectrogram(topic, fs=FS)
    feed(topic, sine(300))
    feed(topic, sine(300), start=1001.0)
    values = sine(600)
    values[300] = np.nan
    feed(topic, values, start=1002.0)
    times = list(whole(spectrogram)[1])
    half = 0.1275
    assert times == pytest.approx([1000 + half, 1001 + half, 1002 + half, 1002.301 + half])


def test_the_rate_is_found_and_another_one_begins_anew(topic):
    spectrogram = Spectrogram(topic, nperseg=64)
    feed(topic, sine(200, fs=500), fs=500)
    header, _columns = whole(spectrogram)
    assert header["axis"]["positions"][1] == pytest.approx(250, rel=1e-3)
    feed(topic, sine(400, fs=2000), start=1001, fs=2000)
    after, columns = whole(spectrogram)
    assert after["axis"]["positions"][1] == pytest.approx(1000, rel=1e-3)
    assert after["layout"] > header["layout"]
    assert min(columns) >= 1001


def test_only_the_frequencies_that_were_asked_for_are_sent(topic):
    spectrogram = Spectrogram(topic, frequencies=(100, 200), fs=FS)
    feed(topic, sine(512))
    header, columns = whole(spectrogram)
    assert header["axis"] == {"positions": [101.5625, 199.21875], "unit": "Hz"}
    assert np.argmax(next(iter(columns.values()))) == round((125 - 101.5625) / (FS / 256))
    beyond = Spectrogram(topic, frequencies=(600, 700), fs=FS)
    assert "beyond half the sampling rate of 1000 Hz" in whole(beyond)[0]["note"]


def test_what_waited_is_taken_a_frame_at_a_time(topic):
    spectra = Spectra(topic.feed.ring, "value", 10.0, fs=1e6)
    feed(topic, np.zeros(500_000), fs=1e6)
    frames, before = 1, 0
    while spectra.collect():
        frames += 1
        assert spectra.came - before <= 200_000 // 128 + 2
        before = spectra.came
    assert frames == 3
    assert spectra.came == (500_000 - 256) // 128 + 1
    assert len(spectra._values) < 256


def test_it_begins_with_the_windows_samples(topic):
    feed(topic, sine(30_000))
    columns = whole(Spectrogram(topic, window=10, fs=FS))[1]
    assert max(columns) - min(columns) == pytest.approx(10, abs=0.5)


def test_it_reads_a_field_and_goes_by_the_topic(topic):
    spectrogram = views.make("spectrogram", FieldView(topic, "x"), units="V")
    feed(topic, sine(512), field="x")
    assert len(whole(spectrogram)[1]) == 3
    assert (spectrogram.units, spectrogram.kind) == ("dB re 1 V²/Hz", "spectrogram")
    spectrogram.close()
    feed(topic, sine(512), start=1005, field="x")
    header, columns = whole(spectrogram)
    assert (header["state"], len(columns)) == ("closed", 3)
    assert repr(spectrogram) == "Spectrogram of lab:temp: closed"


def test_it_takes_sane_options_only(topic, connection):
    for bad in (
        {"nperseg": 4},
        {"nperseg": 100_000},
        {"nperseg": 99.5},
        {"fs": float("inf")},
        {"frequencies": (0, float("inf"))},
        {"overlap": 1},
        {"overlap": -0.1},
        {"fs": 0},
        {"taper": "kaiser"},
        {"frequencies": (5, 1)},
        {"frequencies": (-1, 1)},
        {"colors": "jet"},
    ):
        with pytest.raises(ValueError, match=r"nperseg|overlap|fs is|taper|frequencies|colors"):
            Spectrogram(topic, **bad)
    with pytest.raises(ValueError, match="by_topic"):
        Spectrogram(connection.topic("lab:*"))


def test_after_a_clear_an_earlier_clock_begins_anew():
    ring = Ring()
    spectra = Spectra(ring, "value", 60.0, nperseg=64)
    for begin in (1.79e9, 1.78e9):
        ring.append(begin + np.arange(1000) / 100, {"value": np.sin(np.arange(1000.0))})
        spectra.collect()
        assert spectra.grid.newest == pytest.approx(begin + 9.6, abs=0.1)
        ring.clear()
