"""The SVG is well-formed, stands alone, runs nothing, and adapts to dark pages."""

from __future__ import annotations

import xml.etree.ElementTree as ET

import numpy as np

from nbrealtime.widgets.picture import Look, lay_scene, to_svg
from nbrealtime.widgets.picture.theme import DARK, LIGHT

from .conftest import NOW

SVG = "{http://www.w3.org/2000/svg}"


def test_it_is_well_formed_and_says_what_it_shows(frame):
    root = ET.fromstring(to_svg(lay_scene(*frame(), Look(title="Lab"), NOW)))
    assert root.tag == f"{SVG}svg"
    assert root.get("viewBox") == "0 0 800 280"
    title = root.find(f"{SVG}title")
    assert title is not None
    assert title.text is not None
    assert title.text.startswith("Lab: lab:temp −0.53")


def test_what_comes_from_outside_is_text_and_nothing_else(frame):
    evil = '"><script>alert(1)</script>\x00\x1b&'
    look = Look(title=evil, units="<b>", color=('"/><script/>',))
    svg = to_svg(lay_scene(*frame(lines={evil: [1.0, 2.0]}, reason=evil, topics=[evil]), look, NOW))
    root = ET.fromstring(svg)
    assert {element.tag for element in root.iter()} <= {
        f"{SVG}{name}" for name in ("svg", "title", "style", "rect", "path", "text", "circle")
    }


def test_it_refers_to_nothing_outside(frame):
    svg = to_svg(lay_scene(*frame(), Look(), NOW)).replace("http://www.w3.org/2000/svg", "")
    assert not any(word in svg for word in ("http", "url(", "href", "@import", "<script", "<foreignObject"))


def test_a_dark_page_makes_it_dark(frame):
    scene = lay_scene(*frame(), Look(), NOW)
    adapts, light, dark = (to_svg(scene, theme) for theme in ("auto", "light", "dark"))
    assert "prefers-color-scheme:dark" in adapts
    assert LIGHT["series-1"] in adapts
    assert DARK["series-1"] in adapts
    assert DARK["series-1"] not in light
    assert LIGHT["series-1"] not in dark
    assert "<style" not in light + dark


def test_lines_end_at_the_axes(frame):
    scene = lay_scene(*frame(), Look(y_range=(0.0, 0.1)), NOW)
    root = ET.fromstring(to_svg(scene))
    [inner] = root.findall(f"{SVG}svg")
    assert inner.get("overflow") == "hidden"
    assert float(inner.get("x", 0)) == round(scene.area.left, 2)


def test_its_size_stays_within_bounds(frame):
    rough = np.random.default_rng(0).normal(size=(8, 800))
    scene = lay_scene(*frame(lines={str(n): row for n, row in enumerate(rough)}, every=0.075), Look(), NOW)
    assert len(to_svg(scene)) < 120_000
