"""The PNG's pixels: its size, its ground, and the line where it belongs."""

from __future__ import annotations

import io

import numpy as np
from PIL import Image, ImageColor

from nbrealtime.widgets.picture import Look, lay_scene, to_png
from nbrealtime.widgets.picture.theme import DARK, LIGHT

from .conftest import NOW


def pixels(scene, theme="light"):
    image = Image.open(io.BytesIO(to_png(scene, theme)))
    assert image.format == "PNG"
    return np.asarray(image.convert("RGB")).astype(int)


def near(found, color, distance=24):
    return np.abs(found - np.array(ImageColor.getrgb(color))).max(axis=-1) <= distance


def test_it_has_two_pixels_for_one(frame):
    scene = lay_scene(*frame(), Look(width=640, height=200), NOW)
    assert pixels(scene).shape == (400, 1280, 3)


def test_its_ground_is_the_pages(frame):
    scene = lay_scene(*frame(), Look(), NOW)
    assert tuple(pixels(scene)[0, 0]) == (255, 255, 255)
    assert tuple(pixels(scene, "dark")[0, 0]) == ImageColor.getrgb(DARK["ground"])


def test_a_level_line_is_one_level(frame):
    look = Look(y_range=(0.0, 20.0))
    scene = lay_scene(*frame(lines={"a": np.full(61, 10.0)}), look, NOW)
    area = scene.area
    drawn = near(pixels(scene), LIGHT["series-1"])
    inside = drawn[:, round(area.left * 2) + 2 : round(area.right * 2) - 2]
    rows = np.flatnonzero(inside.all(axis=1))
    assert len(rows) in (2, 3)
    assert abs(rows.mean() / 2 - (area.top + area.bottom) / 2) < 1


def test_nothing_is_drawn_beyond_the_axes(frame):
    scene = lay_scene(*frame(lines={"a": [0.0, 1000.0, 0.0]}, every=20.0), Look(y_range=(0, 1)), NOW)
    drawn = near(pixels(scene), LIGHT["series-1"])
    above = drawn[44 : round(scene.area.top * 2) - 2]
    assert not above.any()


def test_every_series_has_its_colour(frame):
    three = {str(n): np.full(61, float(n)) for n in range(3)}
    scene = lay_scene(*frame(lines=three), Look(), NOW)
    found = pixels(scene, "dark")
    for n in range(1, 4):
        assert near(found, DARK[f"series-{n}"]).sum() > 500


def test_a_colour_that_only_css_knows_falls_back_to_ours(frame):
    scene = lay_scene(*frame(), Look(color=("oklch(70% 0.1 200)",)), NOW)
    assert near(pixels(scene), LIGHT["series-1"]).sum() > 500
