"""What a plot sends: the window once, then only what changed, repaired when samples come late."""

from __future__ import annotations

from types import SimpleNamespace

import numpy as np
import pytest

from nbrealtime.live.samples.columns import Columns
from nbrealtime.live.samples.level import Level
from nbrealtime.live.samples.ring import Ring
from nbrealtime.widgets.audience import Viewing
from nbrealtime.widgets.plots.part import PlotPart, Source

NOW = 1_790_000_000.0
WIDE = Viewing(width=800)


class Feed:
    """A topic's feed as a plot reads it, written by hand."""

    def __init__(self, name: str = "lab:temp") -> None:
        self.ring = Ring()
        self.said = SimpleNamespace(
            name=name, state="live", count=0, timestamp=NOW, reason="", numeric=None, error=None
        )

    @property
    def name(self):
        return self.said.name

    @property
    def strands(self):
        return (self,)

    def status(self):
        return self.said

    def watch(self, callback):
        return lambda: None

    def put(self, times, **columns) -> None:
        times = np.asarray(times, dtype=float)
        self.ring.append(times, {name: np.asarray(column, dtype=float) for name, column in columns.items()})
        self.said.count += 1


@pytest.fixture
def feed() -> Feed:
    return Feed()


@pytest.fixture
def part(feed) -> PlotPart:
    return PlotPart([Source("lab:temp", feed)], window=60.0)


def samples(frame) -> dict[int, int]:
    """How many samples or bins each series of a frame carries."""
    return {entry["series"]: entry["n"] for entry in frame[0]["data"]}


def test_the_first_frame_is_whole_and_says_what_is_waited_for(part):
    header, buffers = part.frame(NOW, WIDE)
    assert header["whole"]
    assert header["topics"] == ["lab:temp"]
    assert header["newest"] is None
    assert buffers == []


def test_a_frame_carries_only_what_came_since(part, feed):
    feed.put(NOW + np.arange(10), value=np.arange(10))
    assert samples(part.frame(NOW + 10, WIDE)) == {0: 10}
    feed.put([NOW + 10], value=[5])
    header, buffers = part.frame(NOW + 11, WIDE)
    assert not header["whole"]
    assert header["data"][0]["n"] == 1
    assert header["data"][0]["t0"] == NOW + 10
    assert all(type(buffer) is bytes for buffer in buffers)
    assert samples(part.frame(NOW + 12, WIDE)) == {}


def test_a_fast_topic_travels_as_the_bins_that_changed(part, feed):
    feed.put(NOW + np.arange(50_000) / 1000, value=np.sin(np.arange(50_000)))
    header, buffers = part.frame(NOW + 50, WIDE)
    assert header["data"][0]["mode"] == "band"
    assert header["data"][0]["n"] == 500
    assert sum(map(len, buffers)) < 500 * 13
    feed.put(NOW + 50 + np.arange(50) / 1000, value=np.ones(50))
    header, buffers = part.frame(NOW + 50.05, WIDE)
    assert header["data"][0]["n"] == 1
    assert sum(map(len, buffers)) <= 16


def test_a_bin_that_is_sent_again_holds_all_of_its_samples(part, feed):
    feed.put(NOW + np.arange(50_000) / 1000, value=np.zeros(50_000))
    feed.put([NOW + 50.001], value=[7])
    part.frame(NOW + 51, WIDE)
    feed.put([NOW + 50.002], value=[1])
    header, (body,) = part.frame(NOW + 51, WIDE)
    entry = header["data"][0]
    low, high, _mean = entry["v0"] + np.frombuffer(body, "<f4")
    assert (low, high) == (1, 7)


def test_a_late_sample_repairs_what_was_sent(part, feed):
    feed.put(NOW + np.arange(10) / 2, value=np.zeros(10))
    part.frame(NOW + 5, WIDE)
    feed.put([NOW + 3.75], value=[9])
    entry = part.frame(NOW + 5, WIDE)[0]["data"][0]
    assert entry["t0"] == NOW + 3.75
    assert entry["n"] == 3


def test_a_snapshot_has_everything_and_changes_nothing_for_the_others(part, feed):
    feed.put(NOW + np.arange(10), value=np.arange(10))
    part.frame(NOW + 10, WIDE)
    feed.put([NOW + 10], value=[5])
    assert samples(part.snapshot(NOW + 11, WIDE)) == {0: 11}
    assert samples(part.frame(NOW + 11, WIDE)) == {0: 1}


def test_only_the_window_is_sent(part, feed):
    feed.put(NOW + np.arange(1000), value=np.arange(1000))
    assert 60 <= samples(part.frame(NOW + 1000, WIDE))[0] < 70


def test_a_field_that_appears_later_starts_everything_anew(part, feed):
    feed.put([NOW], value=[1])
    part.frame(NOW, WIDE)
    feed.put([NOW + 1], value=[1], other=[2])
    header, _ = part.frame(NOW + 1, WIDE)
    assert header["whole"]
    assert [series["label"] for series in header["series"]] == ["lab:temp", "other"]


def test_fields_and_labels_can_be_chosen(feed):
    part = PlotPart([Source("lab:temp", feed, ["b"])], window=60, labels={"b": "Boiler"})
    feed.put([NOW], a=[1], b=[2])
    header, _ = part.frame(NOW, WIDE)
    assert [series["label"] for series in header["series"]] == ["Boiler"]


def test_several_topics_share_a_plot_and_only_the_one_with_news_is_sent(feed):
    other = Feed("lab:other")
    part = PlotPart([Source("lab:temp", feed), Source("lab:other", other)], window=60)
    feed.put([NOW], value=[1])
    other.put([NOW], value=[2], x=[3])
    header, _ = part.frame(NOW, WIDE)
    assert [series["label"] for series in header["series"]] == ["lab:temp", "lab:other", "lab:other x"]
    other.put([NOW + 1], value=[2], x=[3])
    assert samples(part.frame(NOW + 1, WIDE)) == {1: 1, 2: 1}


def test_another_width_or_window_is_sent_whole(part, feed):
    feed.put(NOW + np.arange(50_000) / 1000, value=np.ones(50_000))
    assert part.frame(NOW + 50, WIDE)[0]["data"][0]["bin"] == 0.1
    header, _ = part.frame(NOW + 50, Viewing(width=300))
    assert header["whole"]
    assert header["data"][0]["bin"] == 0.2
    part.resize(10.0)
    header, _ = part.frame(NOW + 50, Viewing(width=300))
    assert header["window"] == 10
    assert header["data"][0]["bin"] == 0.05


def test_clearing_the_topic_clears_the_plot(part, feed):
    feed.put([NOW], value=[1])
    part.frame(NOW, WIDE)
    feed.ring.clear()
    header, _ = part.frame(NOW + 1, WIDE)
    assert header["whole"]
    assert header["newest"] is None


def test_text_is_named_with_what_to_do(part, feed):
    feed.said.numeric, feed.said.reason = False, "carries text"
    assert part.frame(NOW, WIDE)[0]["text"] == "lab:temp carries text; use .log()"


@pytest.mark.parametrize(
    ("state", "error", "reason"),
    [
        ("offline", None, "reconnecting, attempt 3"),
        ("refused", "not allowed", "lab:temp: not allowed"),
        ("live", None, ""),
    ],
)
def test_it_says_why_nothing_comes(feed, state, error, reason):
    part = PlotPart([Source("lab:temp", feed, why=lambda: "reconnecting, attempt 3")], window=60)
    feed.said.state, feed.said.error = state, error
    assert part.frame(NOW, WIDE)[0]["reason"] == reason


def test_the_age_counts_from_when_a_sample_came_not_from_its_own_time(part, feed):
    feed.put([NOW - 10_000], value=[1])
    part.frame(NOW, WIDE)
    feed.put([NOW - 9_999], value=[1])
    assert part.frame(NOW + 1, WIDE)[0]["age"] == 0
    assert part.frame(NOW + 4, WIDE)[0]["age"] == 3


def test_a_closed_plot_keeps_its_last_picture_for_whoever_comes(part, feed):
    feed.put([NOW], value=[1])
    assert part.close(NOW + 2)
    assert not part.close(NOW + 3)
    header, _ = part.snapshot(NOW + 100, WIDE)
    assert header["closed"] == (NOW + 2) * 1000
    assert samples((header, [])) == {0: 1}
    assert part.state == "closed"


def test_a_plot_closes_when_all_its_topics_did(part, feed):
    part.frame(NOW, WIDE)
    feed.said.state = "closed"
    assert part.frame(NOW + 1, WIDE)[0]["closed"] == (NOW + 1) * 1000
    assert part.state == "closed"


# Long windows, and the past.


def stream(feed, seconds: float, rate: float) -> None:
    """A sawtooth of a minute."""
    steps = round(seconds * rate)
    for begin in range(0, steps, 100_000):
        n = np.arange(begin, min(steps, begin + 100_000))
        times = NOW + (n + 0.5) / rate
        feed.ring.append(times, {"value": (times - NOW) % 60})


def ask(part, begin: float, end: float, width: int = 800, request: int = 1):
    return part.told({"type": "range", "from": begin, "to": end, "width": width, "request": request})


def test_every_frame_says_what_is_still_held(part, feed):
    assert part.frame(NOW, WIDE)[0]["extent"] is None
    feed.put(NOW + np.arange(100), value=np.arange(100))
    assert part.frame(NOW + 100, WIDE)[0]["extent"] == [NOW, NOW + 99]
    assert part.snapshot(NOW + 100, WIDE)[0]["extent"] == [NOW, NOW + 99]


def test_a_window_longer_than_the_ring_is_whole(feed):
    part = PlotPart([Source("lab:temp", feed)], window=3600)
    feed.ring = Ring(samples=20_000)
    stream(feed, 4000, 500)
    assert feed.ring.oldest > NOW + 3900
    header, (body,) = part.frame(NOW + 4000, WIDE)
    entry = header["data"][0]
    assert (entry["mode"], entry["bin"], entry["dense"]) == ("band", 5, True)
    assert entry["n"] >= 720
    low, high, _ = (entry["v0"] + np.frombuffer(body, "<f4")).reshape(3, -1)
    inside = (entry["k0"] + np.arange(entry["n"])) * 5 - NOW
    np.testing.assert_allclose(low[1:-1], (inside % 60)[1:-1], atol=0.01)
    np.testing.assert_allclose(high[1:-1], (inside % 60)[1:-1] + 5, atol=0.01)
    feed.put([NOW + 4000.1], value=[99])
    header, (body,) = part.frame(NOW + 4000.1, WIDE)
    assert samples((header, [])) == {0: 1}
    assert len(body) == 12


def test_a_short_window_for_which_samples_are_missing_is_shown_in_the_bins_that_there_are(feed):
    feed.ring = Ring(samples=1000)
    part = PlotPart([Source("lab:temp", feed)], window=10)
    stream(feed, 0.5, 1000)
    part.frame(NOW + 0.5, WIDE)
    feed.put(NOW + 0.5 + np.arange(500) / 1000 + 0.0005, value=np.ones(500))
    assert part.frame(NOW + 1, WIDE)[0]["data"][0]["bin"] == 0.02
    feed.put(NOW + 1 + np.arange(9000) / 1000 + 0.0005, value=np.ones(9000))
    entry = part.frame(NOW + 10, WIDE)[0]["data"][0]
    assert (entry["reset"], entry["bin"], entry["n"]) == (True, 0.1, 100)
    # And stays so, for every view alike.
    feed.put([NOW + 10.0005], value=[1])
    assert part.snapshot(NOW + 10, WIDE)[0]["data"][0]["bin"] == 0.1
    entry = part.frame(NOW + 10, WIDE)[0]["data"][0]
    assert (entry["reset"], entry["bin"], entry["n"]) == (False, 0.1, 1)


def test_a_snapshot_changes_no_mode_under_the_other_views(part, feed):
    feed.put(NOW + np.arange(100) / 10, value=np.zeros(100))
    assert part.frame(NOW + 10, WIDE)[0]["data"][0]["mode"] == "points"
    feed.put(NOW + 10 + np.arange(20_000) / 1000, value=np.zeros(20_000))
    part.snapshot(NOW + 30, WIDE)
    entry = part.frame(NOW + 30, WIDE)[0]["data"][0]
    assert (entry["mode"], entry["reset"]) == ("band", True)


def test_a_regular_series_travels_without_its_times(part, feed):
    feed.put(NOW + np.arange(100) / 10, value=np.zeros(100))
    header, (body,) = part.frame(NOW + 10, WIDE)
    assert header["data"][0]["step"] == pytest.approx(0.1)
    assert len(body) == 400
    feed.put([NOW + 10.1, NOW + 10.15, NOW + 10.3], value=[0, 0, 0])
    header, (body,) = part.frame(NOW + 11, WIDE)
    assert "step" not in header["data"][0]
    assert len(body) == 24


def test_a_range_of_the_past_is_answered_as_finely_as_it_is_kept(part, feed):
    feed.ring = Ring(samples=100_000)
    stream(feed, 1000, 1000)
    part.frame(NOW + 1000, WIDE)
    # As bins that fit the pixels.
    header, (body,) = ask(part, NOW + 100, NOW + 900, request=7)
    assert header["range"] == {"from": NOW + 100, "to": NOW + 900, "request": 7}
    entry = header["data"][0]
    assert (entry["mode"], entry["bin"], entry["reset"]) == ("band", 1, True)
    assert len(body) == 12 * entry["n"]
    assert 800 <= entry["n"] <= 803
    # As samples, where there are no more than pixels.
    entry = ask(part, NOW + 950, NOW + 950.5)[0]["data"][0]
    assert (entry["mode"], entry["t0"], entry["n"]) == ("points", pytest.approx(NOW + 949.9995), 502)
    assert entry["step"] == pytest.approx(0.001)
    # As the finest bins, where the samples are gone.
    entry = ask(part, NOW + 100, NOW + 104)[0]["data"][0]
    assert (entry["mode"], entry["bin"]) == ("band", 0.1)
    assert entry["interval"] == pytest.approx(0.001, rel=1e-3)


def test_an_answer_changes_nothing_for_the_frames(part, feed):
    stream(feed, 100, 1000)
    part.frame(NOW + 100, WIDE)
    ask(part, NOW + 50, NOW + 50.5)
    feed.put([NOW + 100.0015], value=[1])
    entry = part.frame(NOW + 100, WIDE)[0]["data"][0]
    assert (entry["mode"], entry["bin"], entry["reset"], entry["n"]) == ("band", 0.1, False, 1)


def test_the_margin_of_a_range_does_not_make_its_middle_coarse(part, feed):
    feed.ring = Ring(samples=100_000)
    stream(feed, 1000, 1000)
    part.frame(NOW + 1000, WIDE)
    header, _ = ask(part, NOW + 899.81, NOW + 900.61)
    assert header["range"]["from"] == pytest.approx(NOW + 900.01)
    assert header["data"][0]["mode"] == "points"


def test_a_range_in_which_nothing_is_kept_has_nothing(part, feed):
    feed.put(NOW + np.arange(100), value=np.arange(100))
    part.frame(NOW + 100, WIDE)
    assert ask(part, NOW - 2000, NOW - 1000)[0]["data"][0]["n"] <= 1


@pytest.mark.parametrize(
    ("begin", "end"), [(NOW, NOW), (NOW, NOW - 1), (float("nan"), NOW), (0, float("inf"))]
)
def test_what_is_no_range_is_refused(part, begin, end):
    with pytest.raises(ValueError, match="range"):
        ask(part, begin, end)


def test_several_series_answer_together_and_none_is_asked_of_a_closed_plot(feed):
    other = Feed("lab:other")
    part = PlotPart([Source("lab:temp", feed), Source("lab:other", other)], window=60)
    feed.put(NOW + np.arange(10), a=np.arange(10), b=np.arange(10))
    other.put(NOW + np.arange(3000) / 100, value=np.ones(3000))
    part.frame(NOW + 10, WIDE)
    header, _ = ask(part, NOW, NOW + 30, width=600)
    assert [entry["series"] for entry in header["data"]] == [0, 1, 2]
    assert [entry["mode"] for entry in header["data"]] == ["points", "points", "band"]
    part.close(NOW + 11)
    assert ask(part, NOW, NOW + 30) is None


def test_what_a_frame_touches_does_not_depend_on_the_window(monkeypatch):
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
    feed = Feed()
    feed.ring = Ring(samples=50_000)
    stream(feed, 4000, 500)
    costs = {}
    for window in (10, 60, 600, 3600):
        part = PlotPart([Source("lab:temp", feed)], window=window)
        part.frame(NOW + 4000, WIDE)
        begun = feed.ring.newest
        most = 0
        for n in range(100):
            times = begun + 0.02 * n + np.arange(1, 11) / 500
            feed.ring.append(times, {"value": np.zeros(10)})
            touched = 0
            part.frame(NOW + 4000, WIDE)
            most = max(most, touched)
        costs[window] = most
    # 257 times tell the interval, 64 samples the newest value; the rest is bins that wait to be handed on.
    assert max(costs.values()) < 750, costs
    assert costs[3600] < 2 * costs[60], costs


def test_a_thousand_lines_are_sent_less_often_than_a_few(feed, part):
    feed.put([NOW], a=[1.0])
    part.frame(NOW, WIDE)
    assert part.max_hz == 60
    feed.put([NOW + 1], **{f"x{number}": [1.0] for number in range(999)})
    part.frame(NOW + 1, WIDE)
    assert part.max_hz == 12


def test_a_fast_topic_is_known_as_one_with_its_second_sample(part, feed):
    feed.put([NOW], value=[1])
    assert part.frame(NOW, WIDE)[0]["data"][0]["mode"] == "points"
    feed.put(NOW + np.arange(1, 2000) / 10_000, value=np.ones(1999))
    assert part.frame(NOW + 0.2, WIDE)[0]["data"][0]["mode"] == "band"


def test_how_finely_is_decided_anew_when_time_begins_again(part, feed):
    feed.put(NOW + np.arange(5000) / 1000, value=np.ones(5000))
    assert part.frame(NOW + 5, WIDE)[0]["data"][0]["mode"] == "band"
    feed.ring.clear()
    feed.put(NOW - 100 + np.arange(10), value=np.ones(10))
    assert part.frame(NOW + 5, WIDE)[0]["data"][0]["mode"] == "points"


def test_how_finely_is_decided_anew_when_the_pace_changes(part, feed):
    feed.put(NOW + np.arange(300) / 1000, value=np.ones(300))
    assert part.frame(NOW + 1, WIDE)[0]["data"][0]["mode"] == "band"
    feed.put(NOW + 1 + np.arange(300), value=np.ones(300))
    assert part.frame(NOW + 301, WIDE)[0]["data"][0]["mode"] == "points"


def test_how_finely_is_decided_anew_with_every_sample_of_a_simulation_that_is_slower_than_life(feed):
    part = PlotPart([Source("lab:temp", feed)], window=0.02)
    feed.put(NOW + np.array([0.0, 1e-6]), value=[1, 1])
    assert part.frame(NOW, WIDE)[0]["data"][0]["mode"] == "band"
    feed.put(NOW + np.arange(1, 9) / 1000, value=np.ones(8))
    (entry,) = part.frame(NOW + 8, WIDE)[0]["data"]
    assert entry["mode"] == "points"
    assert entry["interval"] == pytest.approx(1e-3, rel=1e-3)


def test_bins_are_wider_as_soon_as_samples_are_missing_in_however_short_a_window(feed):
    feed.ring = Ring(samples=4000)
    part = PlotPart([Source("lab:temp", feed)], window=0.1)
    widths = []
    for step in range(6):
        feed.put(NOW + (1000 * step + np.arange(1000)) * 5e-6, value=np.ones(1000))
        widths.append(part.frame(NOW + step, WIDE)[0]["data"][0]["bin"])
    assert widths == [0.0002] * 4 + [0.001] * 2
