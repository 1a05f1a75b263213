"""`LivePlot` as its user meets it: what it draws, what it refuses, what it leaves when it closes."""

from __future__ import annotations

import numpy as np
import pytest
import traitlets

from nbrealtime.client import Message
from nbrealtime.errors import FrontEndMissing
from nbrealtime.live.field import FieldView
from nbrealtime.live.patternfeed import PatternFeed
from nbrealtime.live.topicview import TopicView
from nbrealtime.widgets import LivePlot, LiveTable, MessageLog, PresenceBar, StatTile, bundle
from nbrealtime.widgets.audience import Viewing
from nbrealtime.widgets.hub import Hub
from nbrealtime.widgets.plots.plot import plot
from nbrealtime.widgets.pump import pump

pytestmark = pytest.mark.usefixtures("comms")


@pytest.fixture
def live(topic):
    made = LivePlot(topic)
    yield made
    made._dispose()


def test_it_refers_to_the_hub_that_carries_its_frames(live):
    assert isinstance(live.hub, Hub)
    assert live.get_state("hub")["hub"] == f"IPY_MODEL_{live.hub.model_id}"
    assert live.part == live._stream.key


def test_no_sample_and_no_state_ever_travels_in_a_trait(live, topic, synced):
    topic.hear(1, 2, 3)
    live.close()
    keys = set().union(*(state.keys() for state in synced(live)["sent"]), synced(live)["now"])
    ours = {key for key in keys if not key.startswith("_")} - {"layout", "tooltip", "tabbable"}
    assert ours == {
        *("hub", "part", "window", "title", "units", "y_range", "height"),
        *("scale", "thresholds", "time_zone", "color", "cursor_sync"),
    }


def test_its_state_and_text_follow_the_topic(live, topic):
    assert repr(live) == "LivePlot of lab:temp: empty"
    topic.feed.subscribed(1)
    topic.hear(21.5)
    live.close()
    assert live.state == "closed"
    assert repr(live) == "LivePlot of lab:temp: closed"


@pytest.mark.parametrize(("window", "seconds"), [(60, 60.0), ("5min", 300.0), ("500ms", 0.5)])
def test_a_window_is_a_duration(live, window, seconds):
    live.window = window
    assert live.window == seconds


@pytest.mark.parametrize("window", ["soon", 0, -1, None, "1 light-year"])
def test_what_is_no_window_is_refused_with_what_is(live, window):
    with pytest.raises(traitlets.TraitError, match="window"):
        live.window = window
    assert live.window == 60.0


def test_a_range_needs_an_order(live):
    live.y_range = (0, 10)
    with pytest.raises(traitlets.TraitError, match="low < high"):
        live.y_range = (10, 0)
    live.y_range = None


def test_a_field_of_a_topic_is_drawn_alone(topic):
    made = plot(FieldView(topic, "x"), title="Only x")
    assert made._stream._sources[0].fields == ("x",)
    assert made.title == "Only x"
    made._dispose()


def test_several_topics_and_labels_share_a_plot(connection):
    made = LivePlot([connection.topic("a"), connection.topic("b")], labels=["Left", "Right"])
    assert made._stream._labels == {"a": "Left", "b": "Right"}
    assert "a, b" in repr(made)
    made._dispose()


def test_as_many_labels_as_lines(topic):
    with pytest.raises(ValueError, match="2 labels for 1 lines"):
        LivePlot(topic, labels=["one", "two"])


@pytest.mark.parametrize("subject", [3, [], None])
def test_what_is_no_topic_is_refused(subject):
    with pytest.raises(TypeError, match="topic"):
        LivePlot(subject)


def test_closing_lets_go_of_the_topic_and_keeps_the_picture(live, topic):
    topic.hear(1)
    link = topic.connection.link
    assert topic.feed._watchers
    assert link.listeners
    live.close()
    live.close()
    assert topic.feed._watchers == ()
    assert link.listeners == []
    assert live.comm is not None, "the browser still shows it"


def test_it_is_a_context_manager(topic):
    with LivePlot(topic) as made:
        pass
    assert made.state == "closed"
    made._dispose()


def test_running_its_cell_again_removes_it_altogether(live):
    live._dispose()
    assert live.comm is None


@pytest.mark.parametrize("kind", [LivePlot, StatTile, LiveTable, MessageLog, PresenceBar])
def test_what_went_with_its_cell_is_shown_as_a_line(topic, kind, capsys):
    made = kind(topic)
    made._dispose()
    made._ipython_display_()
    assert "lab:temp" in capsys.readouterr().out


def test_an_option_that_is_refused_leaves_nothing_behind(topic):
    before = len(pump()._parts)
    with pytest.raises(traitlets.TraitError, match="low < high"):
        LivePlot(topic, y_range=(2, 1))
    assert len(pump()._parts) == before


def test_a_field_that_is_named_twice_is_drawn_once(topic):
    made = LivePlot(topic, fields=["x", "x"])
    assert [series["field"] for series in made._stream.frame(0.0, Viewing(800))[0]["series"]] == ["x"]
    made._dispose()


def test_a_missing_bundle_says_what_to_run(monkeypatch, tmp_path, topic):
    monkeypatch.undo()
    monkeypatch.setattr(bundle, "STATIC", tmp_path)
    bundle._read.cache_clear()
    with pytest.raises(FrontEndMissing, match=r"plot\.js is not built.*pip install -e"):
        bundle.script("plot")
    bundle._read.cache_clear()


def test_a_bundle_can_never_be_taken_for_a_path(monkeypatch, tmp_path):
    monkeypatch.undo()
    monkeypatch.setattr(bundle, "STATIC", tmp_path)
    (tmp_path / "one.js").write_text("a.b")
    bundle._read.cache_clear()
    assert bundle.script("one") == "a.b\n"
    bundle._read.cache_clear()


def test_a_pattern_and_one_of_its_topics_can_be_plotted(connection):
    lab = connection.topic("lab:*")
    lab.feed = PatternFeed("lab:*")
    lab.feed.received([Message("lab:a", {"x": 1}, 1e9), Message("lab:b", {"x": 2, "y": 3}, 1e9)])
    one = TopicView(lab, lab.feed.strand("lab:b"))
    for subject, lines in [
        (lab, ["lab:a x", "lab:b x", "lab:b y"]),
        (FieldView(lab, "x"), ["lab:a x", "lab:b x"]),
        (one, ["x", "y"]),
        (one["y"], ["y"]),
    ]:
        with LivePlot(subject) as made:
            header, _ = made._stream.snapshot(1e9, Viewing(width=800))
            assert [series["label"] for series in header["series"]] == lines
        made._dispose()


def test_a_topic_of_a_pattern_that_appears_later_is_a_line_of_its_own(connection):
    lab = connection.topic("lab:*")
    lab.feed = PatternFeed("lab:*")
    lab.feed.received([Message("lab:a", {"x": 1}, 1e9)])
    with LivePlot(lab) as made:
        made._stream.frame(1e9, Viewing(width=800))
        lab.feed.received([Message("lab:b", {"x": 2}, 1e9 + 1)])
        header, _ = made._stream.frame(1e9 + 1, Viewing(width=800))
        assert [series["label"] for series in header["series"]] == ["lab:a x", "lab:b x"]
    made._dispose()


def test_a_device_s_sign_for_no_value_keeps_no_plot_and_no_tile_from_being_shown(live, topic):
    topic.hear(-1.797e308, 1.797e308, 20.0)
    assert live.to_svg()
    assert live.to_png()
    with StatTile(topic) as tile:
        assert tile.to_svg()
        _, [body] = tile._stream.snapshot(0.0, Viewing(800))
        assert np.isfinite(np.frombuffer(body, "<f4")).all()
    tile._dispose()


@pytest.mark.parametrize("far", [1e308, -1e308, 1e18, 1.79e12])
def test_a_time_that_cannot_be_one_moves_no_window(live, topic, far):
    times = (1e9 + np.arange(3000) / 100).tolist()
    for at in range(0, 3000, 500):
        topic.hear({"t": times[at : at + 500], "x": [1.0] * 500}, timestamp=times[at + 499])
        topic.hear({"t": far, "x": 7.0}, {"t": [far, far], "x": [8.0, 9.0]}, timestamp=times[at + 499])
        header, _ = live._stream.frame(times[at + 499], Viewing(800))
        assert header["extent"] == (1e9, times[at + 499])
        assert header["newest"] == times[at + 499]
        assert "outside of the years" in header["reason"]
