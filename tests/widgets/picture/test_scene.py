"""What stands where in the picture of a plot, and what it says of its state."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
import pytest

from nbrealtime.widgets.picture import Look, lay_scene
from nbrealtime.widgets.picture.ops import Dot, Fill, Stroke, Text

from .conftest import NOW

UTC = Look(time_zone="UTC")


def texts(scene):
    return [op.text for op in scene.ops if isinstance(op, Text)]


def lines(scene):
    return [op for op in scene.ops if isinstance(op, Stroke) and op.clip]


def test_a_line_goes_from_edge_to_edge_of_the_axes(frame):
    scene = lay_scene(*frame(), UTC, NOW)
    [line] = lines(scene)
    [path] = line.paths
    assert path[0][0] == pytest.approx(scene.area.left, abs=0.01)
    assert path[-1][0] == pytest.approx(scene.area.right, abs=0.01)
    assert line.color == "series-1"
    assert all(scene.area.top <= y <= scene.area.bottom for _, y in path)


def test_greater_values_are_higher(frame):
    scene = lay_scene(*frame(lines={"a": [0, 10]}, every=30.0), UTC, NOW)
    [[(_, low), (_, high)]] = lines(scene)[0].paths
    assert low > high
    assert low == pytest.approx(scene.area.bottom)


def test_fixed_bounds_are_kept(frame):
    look = Look(y_range=(0.0, 20.0), time_zone="UTC")
    scene = lay_scene(*frame(lines={"a": [10, 10]}), look, NOW)
    assert lines(scene)[0].paths[0][0][1] == pytest.approx((scene.area.top + scene.area.bottom) / 2)


def test_gaps_break_the_line(frame):
    values = np.ones(61)
    values[20:30] = np.nan
    assert len(lines(lay_scene(*frame(lines={"a": values}), UTC, NOW))[0].paths) == 2


def discs(scene):
    """Where the markers of a scene are: left, right, top and bottom of each."""
    shapes = [shape for op in scene.ops if isinstance(op, Fill) and not op.clip for shape in op.shapes]
    return [(min(x), max(x), min(y), max(y)) for x, y in (zip(*shape, strict=True) for shape in shapes)]


def test_a_sample_alone_is_a_point_that_is_seen(frame):
    values = np.full(61, np.nan)
    values[[10, 40, 41]] = 1, 2, 3
    scene = lay_scene(*frame(lines={"a": values}), UTC, NOW)
    [[path]] = [line.paths for line in lines(scene)]
    assert len(path) == 2
    [(left, right, top, bottom)] = discs(scene)
    assert (right - left, bottom - top) == (pytest.approx(6), pytest.approx(6))
    assert (left + right) / 2 == pytest.approx(scene.area.left + scene.area.width / 6)


def test_a_point_at_the_edge_is_whole(frame):
    [(left, right, *_)] = discs(scene := lay_scene(*frame(lines={"a": [1.0]}), UTC, NOW))
    assert left < scene.area.right < right


def test_values_of_the_same_moment_are_a_bar_with_a_point_at_each_end(frame):
    scene = lay_scene(*frame(lines={"a": [1.0, 2.0]}, every=0.001, band=0.1), UTC, NOW)
    [upper, lower, bar] = sorted(discs(scene), key=lambda found: found[3] - found[2])
    assert {round(bar[2]), round(bar[3])} == {round(upper[2] + 3), round(lower[3] - 3)}


def test_points_that_are_many_do_not_grow_together(frame):
    values = np.ones(601)
    values[1::2] = np.nan
    found = sorted(discs(lay_scene(*frame(lines={"a": values}, every=0.1), Look(width=1200), NOW)))
    assert len(found) == 301
    assert all(after[0] > before[1] for before, after in pairwise(found))


def test_a_column_alone_among_many_series_is_seen(frame):
    many = {f"line {index}": [float(index)] for index in range(12)}
    assert len(discs(lay_scene(*frame(lines=many), UTC, NOW))) == 3


def test_a_band_is_filled_under_its_line(frame):
    scene = lay_scene(*frame(lines={"a": np.arange(600.0)}, every=0.1, band=1.0), UTC, NOW)
    [fill] = [op for op in scene.ops if isinstance(op, Fill)]
    assert (fill.alpha, fill.color, fill.clip) == (0.25, "series-1", True)


def test_above_eight_series_one_hue_shows_where_they_all_are(frame):
    many = {f"line {index}": np.full(61, float(index)) for index in range(12)}
    scene = lay_scene(*frame(lines=many), UTC, NOW)
    [fill] = [op for op in scene.ops if isinstance(op, Fill)]
    [shape] = fill.shapes
    heights = [y for _, y in shape]
    assert max(heights) - min(heights) > 0.7 * scene.area.height
    assert "12 series, 8 named" in texts(scene)


def test_names_and_last_values_stand_in_the_legend(frame):
    scene = lay_scene(*frame(lines={"x": [1.5, 2.5], "y": [3, 4]}), Look(units="V"), NOW)
    found = texts(scene)
    assert [text for text in ("x", "2.5 V", "y", "4 V") if text not in found] == []


def test_what_does_not_fit_two_rows_is_counted(frame):
    eight = {f"a rather long name {index}": [1.0, 2.0] for index in range(8)}
    found = texts(lay_scene(*frame(lines=eight), Look(width=600), NOW))
    named = sum(text.startswith("a rather") for text in found)
    assert named < 8
    assert f"+{8 - named}" in found


def test_below_480_pixels_values_go_under_names(frame):
    scene = lay_scene(*frame(), Look(width=320), NOW)
    name = next(op for op in scene.ops if isinstance(op, Text) and op.text == "lab:temp")
    value = next(op for op in scene.ops if isinstance(op, Text) and op.text.startswith("−0.5"))
    assert value.y > name.y
    assert value.x == name.x


@pytest.mark.parametrize(
    ("more", "words", "shape"),
    [
        ({}, "As of 14:13:20", "square"),
        ({"closed": NOW * 1000}, "Closed 14:13", "square"),
        ({"reason": "reconnecting, attempt 3"}, "As of 14:13:20, reconnecting, attempt 3", "ring"),
    ],
)
def test_a_still_picture_says_that_it_is_one(frame, more, words, shape):
    scene = lay_scene(*frame(**more), UTC, NOW)
    assert words in texts(scene)
    assert [op.shape for op in scene.ops if isinstance(op, Dot)] == [shape]
    assert words in scene.words


def test_an_empty_plot_says_what_it_waits_for(frame):
    scene = lay_scene(*frame(lines={}), UTC, NOW)
    assert "Waiting for lab:temp" in texts(scene)
    assert "—" in texts(scene)
    assert lines(scene) == []


def test_a_plot_that_was_refused_waits_for_nothing(frame):
    assert "The server refused lab:temp" in texts(lay_scene(*frame(lines={}, refused=True), UTC, NOW))


def test_what_cannot_be_drawn_is_said(frame):
    note = "lab:temp carries text; use .log()"
    assert note in texts(lay_scene(*frame(lines={}, text=note), UTC, NOW))


def test_a_users_colours_come_first(frame):
    three = {name: [1.0, 2.0] for name in "abc"}
    scene = lay_scene(*frame(lines=three), Look(color=("teal", "#c02060")), NOW)
    assert [line.color for line in lines(scene)] == ["teal", "#c02060", "series-3"]


def test_colours_enough_for_all_come_round_with_dashes(frame):
    nine = {name: [1.0, 2.0] for name in "abcdefghi"}
    found = lines(lay_scene(*frame(lines=nine), Look(color=("teal", "navy", "gold")), NOW))
    assert [line.color for line in found] == ["teal", "navy", "gold"] * 3
    assert len({line.dash for line in found}) == 3


def test_on_a_log_scale_zero_is_a_gap(frame):
    scene = lay_scene(*frame(lines={"a": [1, 10, 0, 100, 1000]}), Look(scale="log"), NOW)
    assert len(lines(scene)[0].paths) == 2
    assert "1000" in texts(scene) or "1k" in texts(scene) or "10³" in texts(scene)
