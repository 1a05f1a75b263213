"""What a plot sends of its topics: everything once, then only the news, and why nothing comes."""

from __future__ import annotations

import numpy as np
import pytest

from nbrealtime.live.samples.columns import Columns
from nbrealtime.live.samples.level import Level
from nbrealtime.live.samples.ring import Ring
from nbrealtime.widgets.audience import Viewing
from nbrealtime.widgets.plots.part import PlotPart, Source

from .feeds import NOW, Feed

WIDE = Viewing(width=800)


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


def test_a_field_that_does_not_come_is_named_with_those_that_do(feed):
    part = PlotPart([Source("lab:temp", feed, ["celcius"])], window=60.0)
    feed.put([NOW], celsius=[21.0])
    header, buffers = part.frame(NOW, WIDE)
    assert header["text"] == "lab:temp has no field celcius so far, only celsius"
    assert (header["newest"], header["extent"], header["data"], buffers) == (None, None, [], [])
    feed.put([NOW + 1], celsius=[22.0])
    assert part.frame(NOW + 1, WIDE)[0]["text"] == header["text"]
    assert part.snapshot(NOW + 1, WIDE)[0]["text"] == header["text"]
    assert part.state == "empty"


def test_a_field_that_comes_late_is_drawn_from_then_on(feed):
    part = PlotPart([Source("lab:temp", feed, ["celsius"])], window=60.0)
    feed.put([NOW], humidity=[40.0])
    assert part.frame(NOW, WIDE)[0]["text"]
    feed.put([NOW + 1, NOW + 2], celsius=[21.0, 22.0])
    frame = part.frame(NOW + 2, WIDE)
    assert frame[0]["text"] == ""
    assert frame[0]["newest"] == NOW + 2
    assert samples(frame)[0] >= 2
    assert part.state != "empty"


def test_of_several_topics_only_those_with_a_chosen_field_are_seen(feed):
    other = Feed("lab:air")
    part = PlotPart(
        [Source("lab:temp", feed, ["celsius"]), Source("lab:air", other, ["celsius"])], window=60.0
    )
    feed.put([NOW], celsius=[21.0])
    other.put([NOW + 9], humidity=[40.0])
    header, _ = part.frame(NOW, WIDE)
    assert (header["newest"], header["text"]) == (NOW, "")


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


def test_of_news_that_is_longer_than_the_window_only_the_window_travels(part, feed):
    feed.put([NOW], value=[0])
    part.frame(NOW, WIDE)
    feed.put(NOW + np.arange(1, 1000), value=np.zeros(999))
    frame = part.frame(NOW + 1000, WIDE)
    assert not frame[0]["whole"]
    assert samples(frame) == {0: 64}


def test_a_snapshot_has_everything_and_changes_nothing_for_the_others(part, feed):
    feed.put(NOW + np.arange(10), value=np.arange(10))
    part.frame(NOW + 10, WIDE)
    feed.put([NOW + 10], value=[5])
    assert samples(part.snapshot(NOW + 11, WIDE)) == {0: 11}
    assert samples(part.frame(NOW + 11, WIDE)) == {0: 1}


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


def test_of_several_topics_the_earliest_and_the_latest_are_held(feed):
    other = Feed()
    part = PlotPart([Source("lab:temp", feed), Source("lab:rh", other)], window=60)
    assert part.frame(NOW, WIDE)[0]["extent"] is None
    feed.put([NOW, NOW + 9], value=[1, 2])
    other.put([NOW + 3, NOW + 5], value=[1, 2])
    assert part.frame(NOW, WIDE)[0]["extent"] == (NOW, NOW + 9)
    other.put([NOW + 12], value=[3])
    assert part.frame(NOW, WIDE)[0]["extent"] == (NOW, NOW + 12)


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
    header, _ = part.frame(NOW, WIDE)
    assert (header["reason"], header.get("refused")) == (reason, True if state == "refused" else None)


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


def ask(part, begin: float, end: float, width: int = 800, request: int = 1):
    return part.told({"type": "range", "from": begin, "to": end, "width": width, "request": request})


def test_every_frame_says_what_is_still_held(part, feed):
    assert part.frame(NOW, WIDE)[0]["extent"] is None
    feed.put(NOW + np.arange(100), value=np.arange(100))
    assert part.frame(NOW + 100, WIDE)[0]["extent"] == (NOW, NOW + 99)
    assert part.snapshot(NOW + 100, WIDE)[0]["extent"] == (NOW, NOW + 99)


def test_a_snapshot_changes_no_mode_under_the_other_views(part, feed):
    feed.put(NOW + np.arange(100) / 10, value=np.zeros(100))
    assert part.frame(NOW + 10, WIDE)[0]["data"][0]["mode"] == "points"
    feed.put(NOW + 10 + np.arange(20_000) / 1000, value=np.zeros(20_000))
    part.snapshot(NOW + 30, WIDE)
    entry = part.frame(NOW + 30, WIDE)[0]["data"][0]
    assert (entry["mode"], entry["reset"]) == ("band", True)


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
    header, _ = ask(part, NOW, NOW + 30, width=600, request=7)
    assert header["range"] == {"from": NOW, "to": NOW + 30, "request": 7}
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
    feed.stream(4000, 500)
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
