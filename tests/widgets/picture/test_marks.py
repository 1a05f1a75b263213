"""Thresholds, annotations and alerts in a picture: where they are, what they are called, what they do to the range."""

from __future__ import annotations

from itertools import pairwise

from nbrealtime.widgets.picture import Look, lay_scene
from nbrealtime.widgets.picture.marks import reach
from nbrealtime.widgets.picture.ops import Fill, Stroke, Text

from .conftest import NOW

HOT = {"value": 2.0, "label": "too hot", "level": "bad"}
COMFORT = {"from": -0.5, "to": 0.5, "label": "comfort", "level": "good"}


def text(scene, words):
    return next(op for op in scene.ops if isinstance(op, Text) and op.text == words)


def test_the_range_takes_in_what_is_near():
    assert reach(0, 10, [{"value": 15}], log=False) == (0, 15)
    assert reach(0, 10, [{"value": 50}], log=False) == (0, 10)
    assert reach(0, 10, [{"value": 50, "include": True}], log=False) == (0, 50)
    assert reach(0, 10, [{"value": 15, "include": False}], log=False) == (0, 10)
    assert reach(1, 10, [{"value": 0}, {"from": 0.5, "to": 90}], log=True) == (0.5, 90)


def test_a_line_is_drawn_under_the_data_and_named_over_it(frame):
    scene = lay_scene(*frame(), Look(thresholds=[HOT]), NOW)
    rule = next(op for op in scene.ops if isinstance(op, Stroke) and op.dash == (8.0, 4.0))
    line = next(op for op in scene.ops if isinstance(op, Stroke) and op.color == "series-1" and op.clip)
    assert rule.color == "bad"
    assert scene.ops.index(rule) < scene.ops.index(line) < scene.ops.index(text(scene, "too hot"))
    assert scene.area.top < text(scene, "too hot").y < rule.paths[0][0][1]


def test_a_band_is_filled(frame):
    scene = lay_scene(*frame(), Look(thresholds=[COMFORT]), NOW)
    band = next(op for op in scene.ops if isinstance(op, Fill) and op.alpha == 0.1)
    assert (band.color, band.clip) == ("good", True)


def test_what_is_out_of_the_picture_is_named_at_its_edge(frame):
    scene = lay_scene(*frame(), Look(thresholds=[{**HOT, "value": 90.0}], units="V"), NOW)
    found = text(scene, "too hot 90 V ↑")
    assert found.y < scene.area.top + 16


def test_labels_stay_apart(frame):
    near = [{"value": 1 + index / 1000, "label": f"line {index}"} for index in range(5)]
    scene = lay_scene(*frame(), Look(thresholds=near), NOW)
    rows = sorted(text(scene, one["label"]).y for one in near)
    assert all(lower - upper >= 16 for upper, lower in pairwise(rows))


def test_an_alerts_line_comes_with_the_frame(frame):
    header, buffers = frame()
    header["lines"] = [{"value": 1.0, "label": "limit", "level": "warn"}]
    assert text(lay_scene(header, buffers, Look(), NOW), "limit")


def test_annotations_are_flags_in_rows(frame):
    header, buffers = frame()
    header["annotations"] = [
        {"t": NOW - 30, "text": "door opened\nby Ada"},
        {"t": NOW - 29, "text": "and closed"},
    ]
    scene = lay_scene(header, buffers, Look(), NOW)
    first, second = text(scene, "door opened…"), text(scene, "and closed")
    assert second.y - first.y == 18
    poles = [op for op in scene.ops if isinstance(op, Stroke) and op.dash == (2.0, 3.0)]
    assert len(poles) == 2


def test_what_just_happened_is_held_inside(frame):
    header, buffers = frame()
    header["marks"] = [{"t": NOW, "text": "above 25 for 10 s", "level": "bad"}]
    scene = lay_scene(header, buffers, Look(), NOW)
    assert text(scene, "above 25 for 10 s").x < scene.area.right - 60
    header["marks"][0]["t"] = NOW - 100
    assert not any(
        isinstance(op, Text) and op.text.startswith("above")
        for op in lay_scene(header, buffers, Look(), NOW).ops
    )


def test_what_has_no_room_is_a_mark(frame):
    header, buffers = frame()
    header["annotations"] = [{"t": NOW - 30 + index / 10, "text": f"note {index}"} for index in range(9)]
    scene = lay_scene(header, buffers, Look(), NOW)
    tips = [op for op in scene.ops if isinstance(op, Fill) and op.color == "muted" and len(op.shapes[0]) == 3]
    assert len(tips) == 6
