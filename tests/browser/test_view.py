"""A plot's view alone: to what its value axis is fitted, and how much it draws."""

from __future__ import annotations

import numpy as np
import pytest

from nbrealtime.client import Message
from nbrealtime.live.feed import Feed
from nbrealtime.widgets.plots.part import PlotPart
from nbrealtime.widgets.plots.source import Source

from .bare import BarePlot

T = 1_790_000_000.0


@pytest.fixture
def feed():
    return Feed("lab:saw")


@pytest.fixture
def show(context, feed):
    """Shows the feed in a plot of so many seconds, as to a page of so many pixels."""
    shown = []

    def show_one(window, pixels=800, now=T, of=None):
        part = PlotPart([Source(one.name, one) for one in of or [feed]], window=window)
        shown.append(BarePlot(context.new_page(), part, window=window, pixels=pixels, now=now))
        return shown[-1]

    yield show_one
    assert [plot.complaints for plot in shown] == [[] for _ in shown]


def until(plot, condition):
    """Wait until what is shown meets a condition in JavaScript of `begin`, `end`, `low` and `high`; return it."""
    plot.page.wait_for_function(
        f"(root) => {{ const [begin, end, low, high] = root.dataset.shown.split(',').map(Number);"
        f" return {condition}; }}",
        arg=plot.root.element_handle(),
        timeout=5000,
    )
    return plot.shown()


def put(feed, times, values):
    """One message with these samples, which came when the newest was measured."""
    data = {"t": times.tolist(), "value": values.tolist()}
    feed.received([Message(feed.name, data, float(times[-1]))])


def test_after_a_zoom_the_value_axis_fits_the_detail_and_not_the_bin_that_reaches_out_of_it(show, feed):
    # A ripple, and one peak above it. The stream has a bin a second, so all from 30 to 31 is as high as the peak.
    times = T + np.arange(1, 12_001) / 200
    values = np.where(np.arange(12_000) % 2, 0.8, -0.8)
    values[np.searchsorted(times, T + 30.95)] = 1.0
    put(feed, times, values)
    # It came long ago: the edge has run out by its second, and stands.
    plot = show(60, pixels=64, now=T + 3600)
    until(plot, f"end === {T + 61}")

    # The bin's middle is in view, the peak is not. The ripple uses 64 % of an axis that was made for the peak: an axis
    # that is not fitted anew gives back nothing of it, however long one looks.
    plot.drag(T + 20, T + 30.72)
    plot.wait_asked()
    begin, end, low, high = plot.shown()
    assert begin == pytest.approx(T + 20, abs=0.2)
    assert T + 30.5 < end < T + 30.95
    assert (low, high) == (-1, 1.5)
    assert (0.8 - -0.8) / (high - low) > 0.55
    plot.answer()
    until(plot, "low === -1 && high === 1")

    # A pan looks at other times as closely: what it finds may grow the axis, and no answer to it shrinks that again.
    plot.field.press("ArrowRight")
    until(plot, "high === 1.5")
    plot.field.press("PageUp")
    plot.answer()
    plot.wait_drawn()
    assert plot.shown()[2:] == [-1, 1.5]


# Of every path that is stroked from now on, how many corners it has: the most of them, and how many paths there are.
CORNERS = """() => {
  const {beginPath, lineTo, stroke} = CanvasRenderingContext2D.prototype;
  let corners = 0;
  window.longest = 0;
  Object.assign(CanvasRenderingContext2D.prototype, {
    beginPath() { corners = 0; beginPath.call(this); },
    lineTo(x, y) { corners++; lineTo.call(this, x, y); },
    stroke() { longest = Math.max(longest, corners); stroke.call(this); },
  });
}"""


def test_a_short_window_of_a_fast_topic_costs_what_shows_and_not_what_is_kept(show, feed):
    # Ten milliseconds at 20,000 samples a second: 200 of them show, and a second's worth is kept.
    rate, window = 20_000, 0.01
    put(feed, T + np.arange(1, 201) / rate, np.sin(np.arange(200) / 20))
    plot = show(window)
    until(plot, f"end >= {T + window}")
    width = plot.field.bounding_box()["width"]
    frames = []
    for n in range(1, 101):
        times = T + n * window + np.arange(1, 201) / rate
        put(feed, times, np.sin(np.arange(200) / 20))
        frames.append(plot.part.frame(times[-1], plot.viewing))
    plot.page.evaluate(CORNERS)
    plot.hear(frames)
    until(plot, f"end >= {T + 101 * window}")
    corners = plot.page.evaluate("longest")
    assert 100 <= corners < width, f"a line has {corners} corners on {width:.0f} pixels"
    # It is kept: there at once for who zooms out, before the kernel said anything.
    for _ in range(4):
        plot.field.press("-")
    until(plot, f"end - begin > {5 * window}")
    assert plot.page.evaluate("longest") > 5 * corners


def test_a_line_that_only_passes_through_what_is_shown_is_drawn(show, feed):
    put(feed, T + np.arange(1, 61), np.arange(60) / 60)
    plot = show(60, now=T + 3600)
    until(plot, f"end === {T + 61}")
    plot.drag(T + 30, T + 32)
    until(plot, "end - begin < 2.5")
    plot.page.evaluate(CORNERS)
    plot.drag(T + 30.6, T + 30.9)
    begin, end, *_ = until(plot, "end - begin < 0.4")
    assert T + 30 < begin < end < T + 31
    assert plot.page.evaluate("longest") == 1


def test_the_copy_button_of_a_plot_that_waits_keeps_the_focus_while_the_reason_changes(show):
    plot = show(60)
    header, buffers = plot.part.frame(T, plot.viewing)
    button, why = plot.root.get_by_role("button", name="Copy rt.publish"), plot.root.locator(".nbrt-plot-why")
    plot.hear([(header, buffers)])
    button.focus()
    assert not why.is_visible()
    for seconds in (10, 11):
        reason = f"has heard nothing for {seconds} s"
        plot.hear([({**header, "reason": reason}, buffers)])
        # Once: beside the dot there is only a word. And heard once, not each second that it counts.
        plot.root.get_by_text(reason).wait_for()
        assert plot.root.locator(".nbrt-plot-status").inner_text() == "waiting"
        assert why.get_attribute("aria-live") == ("polite" if seconds == 10 else "off")
        assert button.evaluate("(button) => button === document.activeElement")
    plot.hear([({**header, "reason": "reconnecting, attempt 1"}, buffers)])
    plot.root.get_by_text("Reconnecting, attempt 1").wait_for()
    assert why.get_attribute("aria-live") == "polite"
    plot.hear([({**header, "reason": "", "text": "lab:saw carries text; use .log()"}, buffers)])
    plot.root.get_by_text("carries text").wait_for()
    assert not button.count()


def test_a_plot_that_was_refused_says_so_and_offers_nothing_to_publish(show):
    plot = show(60)
    header, buffers = plot.part.frame(T, plot.viewing)
    plot.root.get_by_role("button", name="Copy rt.publish").wait_for()
    plot.hear([({**header, "reason": "lab:saw: not allowed", "refused": True}, buffers)])
    plot.root.get_by_text("The server refused lab:saw").wait_for()
    plot.root.get_by_text("not allowed", exact=False).wait_for()
    assert plot.root.locator(".nbrt-plot-status").inner_text() == "refused"
    assert not plot.root.get_by_role("button", name="Copy rt.publish").count()


# How far two colours are apart, as WCAG reckons it; and what a button and its words have there.
CONTRAST = """(button) => {
  const light = (colour) => {
    const [r, g, b] = colour.match(/[\\d.]+/g).slice(0, 3).map((part) => part / 255)
      .map((part) => (part <= 0.04045 ? part / 12.92 : ((part + 0.055) / 1.055) ** 2.4));
    return 0.2126 * r + 0.7152 * g + 0.0722 * b;
  };
  const ground = getComputedStyle(button.parentElement).backgroundColor;
  const both = [getComputedStyle(button).color, ground].map(light).sort((a, b) => b - a);
  return (both[0] + 0.05) / (both[1] + 0.05);
}"""


@pytest.mark.parametrize("theme", ["light", "dark"])
@pytest.mark.parametrize("width", [800, 320])
def test_what_a_plot_that_waits_offers_is_read_and_copied_wherever_it_stands(show, width, theme):
    plot = show(60, of=[Feed("lab:temperature.inside/north-wall")])
    plot.page.emulate_media(color_scheme=theme)
    plot.page.locator("main").evaluate("(main, width) => (main.style.width = `${width}px`)", width)
    header, buffers = plot.part.frame(T, plot.viewing)
    plot.hear([({**header, "reason": "has heard nothing for 12 s; lab:temp carries data"}, buffers)])
    notice, code = plot.root.locator(".nbrt-plot-notice"), plot.root.locator("code")
    button = plot.root.get_by_role("button", name="Copy rt.publish")
    plot.root.get_by_text("Has heard nothing").wait_for()
    room = code.evaluate(
        "(code) => [code.scrollWidth - code.clientWidth, code.scrollHeight - code.clientHeight]"
    )
    assert room == [0, 0], "the code is cut off"
    inside, stage = notice.bounding_box(), plot.root.locator(".nbrt-plot-stage").bounding_box()
    assert inside["width"] <= stage["width"]
    for part in (code, button):
        box = part.bounding_box()
        assert box["y"] >= inside["y"]
        assert box["y"] + box["height"] <= inside["y"] + inside["height"]
    assert (
        code.evaluate("(code) => code.textContent") == 'rt.publish("lab:temperature.inside/north-wall", 21.5)'
    )
    box = button.bounding_box()
    assert (box["width"], box["height"]) == (64, 24)
    assert button.evaluate(CONTRAST) >= 4.5


def test_a_narrow_plot_of_several_topics_has_room_for_what_it_says_while_it_waits(show):
    plot = show(60, of=[Feed(f"lab:temperature.inside/{wall}-wall") for wall in ("north", "south", "east")])
    plot.page.locator("main").evaluate("(main) => (main.style.width = '330px')")
    header, buffers = plot.part.frame(T, plot.viewing)
    reason = "lab:temperature.inside/north-wall has heard nothing for 12 s; lab:temp carries data"
    plot.hear([({**header, "reason": reason}, buffers)])
    plot.root.get_by_text("has heard nothing").wait_for()
    inside = plot.root.locator(".nbrt-plot-stage").bounding_box()
    for part in (
        plot.root.get_by_text("Waiting for"),
        plot.root.get_by_role("button", name="Copy rt.publish"),
    ):
        box = part.bounding_box()
        assert box["y"] >= inside["y"]
        assert box["y"] + box["height"] <= inside["y"] + inside["height"] - 40, "it covers the time axis"


def test_names_that_differ_at_their_end_are_told_apart_in_a_narrow_legend_and_heard_in_full(show):
    walls = [Feed(f"lab:temperature.inside/{wall}-wall") for wall in ("north", "south")]
    for wall in walls:
        put(wall, T - np.arange(3.0)[::-1], np.array([1.0, 2, 3]))
    plot = show(60, of=walls)
    names = plot.root.locator(".nbrt-legend-name")
    for width, cut in (
        (800, ["…north-wall", "…south-wall"]),
        (400, ["…north-wall", "…south-wall"]),
    ):
        plot.page.locator("main").evaluate("(main, width) => (main.style.width = `${width}px`)", width)
        plot.root.get_by_text(cut[0]).wait_for()
        assert names.all_inner_texts() == cut
        assert names.evaluate_all("(all) => all.every((one) => one.scrollWidth <= one.clientWidth)")
    for wall in walls:
        button = plot.root.get_by_role("button", name=f"{wall.name} 3", exact=True)
        assert wall.name in button.get_attribute("title")


@pytest.mark.parametrize("pixels", [1000, 640, 400])
def test_no_word_of_its_state_moves_the_legend_or_the_field(show, feed, pixels):
    t = (T + np.arange(60)).tolist()
    data = {"t": t, **dict.fromkeys(("upstream", "downstream", "ambient", "outside"), t)}
    feed.received([Message(feed.name, data, t[-1])])
    plot = show(60, now=t[-1])
    plot.page.evaluate("(pixels) => { document.querySelector('main').style.width = `${pixels}px`; }", pixels)
    header, buffers = plot.part.frame(t[-1], plot.viewing)
    status = plot.root.locator(".nbrt-plot-status")
    places = []
    lost = {"age": 42.0, "connected": False, "reason": "reconnecting, attempt 3 of many, in 12 s"}
    for told in ({"age": 0.0, "connected": True}, lost):
        plot.hear([({**header, **told}, buffers)])
        status.get_by_text("reconnecting" if told is lost else "live").wait_for()
        places.append([plot.root.locator(one).bounding_box() for one in (".nbrt-legend", ".nbrt-plot-stage")])
    assert places[0] == places[1]
