"""What a source decides: how finely a topic is sent, what of it is news, and what the past is answered with."""

from __future__ import annotations

import math

import numpy as np
import pytest

from nbrealtime.live.samples.ring import Ring
from nbrealtime.widgets.plots.decimate import bin_width
from nbrealtime.widgets.plots.source import Entry, Source

from .feeds import NOW, Feed

PIXELS = 800


@pytest.fixture
def feed() -> Feed:
    return Feed()


@pytest.fixture
def source(feed) -> Source:
    return Source("lab:temp", feed)


def send(source: Source, *, window: float = 60.0) -> Entry:
    """The only series of a source, as a plot takes it for its next frame."""
    source.see()
    source.discover({}, several=False, room=1)
    touched = source.advance(NOW)
    changed = source.look(window, bin_width(window, PIXELS))
    (entry,) = source.entries(0, window, None if changed or touched == -math.inf else touched)
    return entry


def grain(source: Source, *, window: float = 60.0) -> tuple[str, float]:
    send(source, window=window)
    assert source.grain is not None
    return source.grain


def mode(source: Source, *, window: float = 60.0) -> str:
    return grain(source, window=window)[0]


def past(source: Source, begin: float, end: float) -> tuple[float, Entry]:
    source.see()
    known, (entry,) = source.past(0, begin, end, PIXELS)
    return known, entry


# How finely.


def test_a_slow_topic_is_sent_as_points_and_a_fast_one_as_bins(source, feed):
    feed.put(NOW + np.arange(10), value=np.arange(10))
    assert grain(source) == ("points", 0.1)
    feed.ring.clear()
    feed.put(NOW + np.arange(50_000) / 1000, value=np.ones(50_000))
    assert grain(source) == ("band", 0.1)


def test_a_fast_topic_is_known_as_one_with_its_second_sample(source, feed):
    feed.put([NOW], value=[1])
    assert mode(source) == "points"
    feed.put(NOW + np.arange(1, 2000) / 10_000, value=np.ones(1999))
    assert mode(source) == "band"


def test_how_finely_is_decided_anew_when_time_begins_again(source, feed):
    feed.put(NOW + np.arange(5000) / 1000, value=np.ones(5000))
    assert mode(source) == "band"
    feed.ring.clear()
    feed.put(NOW - 100 + np.arange(10), value=np.ones(10))
    assert mode(source) == "points"


def test_how_finely_is_decided_anew_when_the_pace_changes(source, feed):
    feed.put(NOW + np.arange(300) / 1000, value=np.ones(300))
    assert mode(source) == "band"
    feed.put(NOW + 1 + np.arange(300), value=np.ones(300))
    assert mode(source) == "points"


def test_how_finely_is_decided_anew_with_every_sample_of_a_simulation_that_is_slower_than_life(source, feed):
    feed.put(NOW + np.array([0.0, 1e-6]), value=[1, 1])
    assert mode(source, window=0.02) == "band"
    feed.put(NOW + np.arange(1, 9) / 1000, value=np.ones(8))
    header, _ = send(source, window=0.02)
    assert header["mode"] == "points"
    assert header["interval"] == pytest.approx(1e-3, rel=1e-3)


def test_a_change_of_how_finely_replaces_all_that_the_browser_has(source, feed):
    feed.put(NOW + np.arange(100) / 10, value=np.zeros(100))
    assert send(source)[0]["reset"]
    feed.put([NOW + 10], value=[0])
    assert not send(source)[0]["reset"]
    feed.put(NOW + 10 + np.arange(1, 20_000) / 1000, value=np.zeros(19_999))
    header, _ = send(source)
    assert (header["mode"], header["reset"]) == ("band", True)


def test_a_short_window_for_which_samples_are_missing_is_shown_in_the_bins_that_there_are(source, feed):
    feed.ring = Ring(samples=1000)
    feed.stream(0.5, 1000)
    send(source, window=10)
    feed.put(NOW + 0.5 + np.arange(500) / 1000 + 0.0005, value=np.ones(500))
    assert send(source, window=10)[0]["bin"] == 0.02
    feed.put(NOW + 1 + np.arange(9000) / 1000 + 0.0005, value=np.ones(9000))
    header, _ = send(source, window=10)
    assert (header["reset"], header["bin"], header["n"]) == (True, 0.1, 100)
    # And stays so, for every view alike.
    feed.put([NOW + 10.0005], value=[1])
    ((header, _),) = source.entries(0, 10)
    assert header["bin"] == 0.1
    header, _ = send(source, window=10)
    assert (header["reset"], header["bin"], header["n"]) == (False, 0.1, 1)


def test_bins_are_wider_as_soon_as_samples_are_missing_in_however_short_a_window(source, feed):
    feed.ring = Ring(samples=4000)
    widths = []
    for step in range(6):
        feed.put(NOW + (1000 * step + np.arange(1000)) * 5e-6, value=np.ones(1000))
        widths.append(send(source, window=0.1)[0]["bin"])
    assert widths == [0.0002] * 4 + [0.001] * 2


# What is news.


def test_only_the_window_is_sent(source, feed):
    feed.put(NOW + np.arange(1000), value=np.arange(1000))
    assert 60 <= send(source)[0]["n"] < 70


def test_a_fast_topic_travels_as_the_bins_that_changed(source, feed):
    feed.put(NOW + np.arange(50_000) / 1000, value=np.sin(np.arange(50_000)))
    header, body = send(source)
    assert (header["mode"], header["n"]) == ("band", 500)
    assert len(body) < 500 * 13
    feed.put(NOW + 50 + np.arange(50) / 1000, value=np.ones(50))
    header, body = send(source)
    assert header["n"] == 1
    assert len(body) <= 16


def test_a_bin_that_is_sent_again_holds_all_of_its_samples(source, feed):
    feed.put(NOW + np.arange(50_000) / 1000, value=np.zeros(50_000))
    feed.put([NOW + 50.001], value=[7])
    send(source)
    feed.put([NOW + 50.002], value=[1])
    header, body = send(source)
    low, high, _mean = header["v0"] + np.frombuffer(body, "<f4")
    assert (low, high) == (1, 7)


def test_few_new_samples_of_narrow_bins_travel_as_they_are_from_the_first_of_their_bin_on(source, feed):
    feed.stream(5, 10_000)
    assert send(source, window=1)[0]["mode"] == "band"
    feed.put(NOW + 5 + np.arange(50) / 10_000, value=np.ones(50))
    header, body = send(source, window=1)
    assert (header["mode"], header["bin"], header["reset"]) == ("samples", 0.002, False)
    assert (header["n"], header["t0"], header["last"]) == (50, NOW + 5, 1)
    assert len(body) == 200
    feed.put([NOW + 5.005], value=[7])
    header, body = send(source, window=1)
    assert header["t0"] == pytest.approx(NOW + 5.004)
    assert (header["v0"] + np.frombuffer(body, "<f4")).tolist() == [1] * 10 + [7]


def test_a_whole_band_says_when_its_first_sample_was_and_its_news_do_not(source, feed):
    feed.put(NOW + 0.0137 + np.arange(50_000) / 1000, value=np.zeros(50_000))
    header, _ = send(source)
    assert (header["mode"], header["first"]) == ("band", pytest.approx(NOW + 0.0137, abs=1e-6))
    feed.put([NOW + 50.02], value=[7])
    assert send(source)[0]["first"] is None


def test_the_last_value_is_the_newest_number_and_no_gap(source, feed):
    feed.stream(5, 10_000)
    send(source, window=1)
    feed.put(NOW + 5 + np.arange(3) / 10_000, value=[7, np.nan, np.nan])
    header, _ = send(source, window=1)
    assert (header["mode"], header["last"]) == ("samples", 7)


@pytest.mark.parametrize(("fields", "mode"), [(1, "samples"), (2, "samples"), (4, "band")])
def test_so_many_new_samples_of_all_fields_together_travel_as_they_are(source, feed, fields, mode):
    def put(since: float, n: int) -> None:
        feed.put(since + np.arange(n) / 10_000, **{f"f{at}": np.ones(n) for at in range(fields)})

    put(NOW, 50_000)
    source.see()
    source.discover({}, several=False, room=fields)
    source.advance(NOW)
    source.look(1.0, bin_width(1.0, PIXELS))
    source.entries(0, 1.0)
    put(NOW + 5, 300)
    source.see()
    touched = source.advance(NOW)
    assert not source.look(1.0, bin_width(1.0, PIXELS))
    entries = source.entries(3, 1.0, touched)
    assert [header["series"] for header, _ in entries] == [3 + at for at in range(fields)]
    assert {header["mode"] for header, _ in entries} == {mode}


def test_a_late_sample_repairs_what_was_sent(source, feed):
    feed.put(NOW + np.arange(10) / 2, value=np.zeros(10))
    send(source)
    feed.put([NOW + 3.75], value=[9])
    header, _ = send(source)
    assert header["t0"] == NOW + 3.75
    assert header["n"] == 3


def test_a_regular_series_travels_without_its_times(source, feed):
    feed.put(NOW + np.arange(100) / 10, value=np.zeros(100))
    header, body = send(source)
    assert header["step"] == pytest.approx(0.1)
    assert len(body) == 400
    feed.put([NOW + 10.1, NOW + 10.15, NOW + 10.3], value=[0, 0, 0])
    header, body = send(source)
    assert "step" not in header
    assert len(body) == 24


def test_a_window_longer_than_the_ring_is_whole(source, feed):
    feed.ring = Ring(samples=20_000)
    feed.stream(4000, 500)
    assert feed.ring.oldest > NOW + 3900
    header, body = send(source, window=3600)
    assert (header["mode"], header["bin"], header["dense"]) == ("band", 5, True)
    assert header["n"] >= 720
    low, high, _ = (header["v0"] + np.frombuffer(body, "<f4")).reshape(3, -1)
    inside = (header["k0"] + np.arange(header["n"])) * 5 - NOW
    np.testing.assert_allclose(low[1:-1], (inside % 60)[1:-1], atol=0.01)
    np.testing.assert_allclose(high[1:-1], (inside % 60)[1:-1] + 5, atol=0.01)
    feed.put([NOW + 4000.1], value=[99])
    header, body = send(source, window=3600)
    assert header["n"] == 1
    assert len(body) == 12


# What is asked for of the past.


def test_a_range_of_the_past_is_answered_as_finely_as_it_is_kept(source, feed):
    feed.ring = Ring(samples=100_000)
    feed.stream(1000, 1000)
    send(source)
    # As bins that fit the pixels.
    known, (header, body) = past(source, NOW + 100, NOW + 900)
    assert known == NOW + 100
    assert (header["mode"], header["bin"], header["reset"]) == ("band", 1, True)
    assert len(body) == 12 * header["n"]
    assert 800 <= header["n"] <= 803
    # As samples, where there are no more than pixels.
    _, (header, _) = past(source, NOW + 950, NOW + 950.5)
    assert (header["mode"], header["t0"], header["n"]) == ("points", pytest.approx(NOW + 949.9995), 502)
    assert header["step"] == pytest.approx(0.001)
    # As the finest bins, where the samples are gone.
    _, (header, _) = past(source, NOW + 100, NOW + 104)
    assert (header["mode"], header["bin"]) == ("band", 0.1)
    assert header["interval"] == pytest.approx(0.001, rel=1e-3)


def test_an_answer_changes_nothing_for_the_frames(source, feed):
    feed.stream(100, 1000)
    send(source)
    past(source, NOW + 50, NOW + 50.5)
    feed.put([NOW + 100.0015], value=[1])
    header, _ = send(source)
    assert (header["mode"], header["bin"], header["reset"], header["n"]) == ("band", 0.1, False, 1)


def test_the_margin_of_a_range_does_not_make_its_middle_coarse(source, feed):
    feed.ring = Ring(samples=100_000)
    feed.stream(1000, 1000)
    send(source)
    known, (header, _) = past(source, NOW + 899.81, NOW + 900.61)
    assert known == pytest.approx(NOW + 900.01)
    assert header["mode"] == "points"


def test_a_range_in_which_nothing_is_kept_has_nothing(source, feed):
    feed.put(NOW + np.arange(100), value=np.arange(100))
    send(source)
    assert past(source, NOW - 2000, NOW - 1000)[1][0]["n"] <= 1
