"""Where the system asks for less motion, what lives moves in four steps a second, and nothing glides."""

from __future__ import annotations

import pytest
from playwright.sync_api import expect

from .cells import FEED, SERVER, TOPIC

SHOW = (
    'plot, gauge = temp.plot(window="10s"), temp.gauge(range=(0, 40))\nrt.Dashboard([plot, gauge], columns=2)'
)

HEAT = 'rt.subscribe("lab:*").heatmap(window=10)'

SECONDS = 3

# When something is painted on a heatmap's canvas, by the pictures of the screen. It has no attribute that says so.
PAINTED = """(canvas, seconds) => new Promise((resolve) => {
  const own = CanvasRenderingContext2D.prototype.drawImage;
  const seen = new Set();
  CanvasRenderingContext2D.prototype.drawImage = function (...all) {
    if (this.canvas === canvas) seen.add(document.timeline.currentTime);
    return own.apply(this, all);
  };
  setTimeout(() => { CanvasRenderingContext2D.prototype.drawImage = own; resolve(seen.size); }, 1000 * seconds);
})"""

GLIDES = "(node) => parseFloat(getComputedStyle(node).transitionDuration) > 0"


@pytest.fixture
def notebook(open_notebook):
    opened = open_notebook(SERVER, TOPIC, FEED, SHOW, HEAT)
    opened.run(0, 1, 2, 3, 4)
    opened.wait_state("live")
    expect(opened.find(".nbrt-heatmap")).to_have_attribute("data-state", "live")
    yield opened
    assert opened.errors() == []
    assert opened.complaints == []


def steps(notebook) -> dict[str, float]:
    """How often a second the plot, the gauge's needle and the heatmap are another picture."""
    needle = notebook.find(".nbrt-gauge .nbrt-needle")
    with notebook.record("data-shown") as drawn, notebook.record("style", needle) as moved:
        painted = notebook.find(".nbrt-heatmap canvas").first.evaluate(PAINTED, SECONDS)
    return {
        "plot": (len(drawn.values) - 1) / SECONDS,
        "gauge": (len(moved.values) - 1) / SECONDS,
        "heatmap": painted / SECONDS,
    }


def gliding(notebook) -> list[bool]:
    parts = (".nbrt-gauge .nbrt-fill", ".nbrt-gauge .nbrt-needle", ".nbrt-plot-button >> nth=0")
    return [notebook.find(part).evaluate(GLIDES) for part in parts]


def test_less_motion_is_a_few_steps_a_second_and_no_gliding_and_it_can_be_asked_for_at_any_time(notebook):
    free = steps(notebook)
    assert min(free.values()) > 6, free
    assert gliding(notebook) == [True, True, True]

    notebook.page.emulate_media(reduced_motion="reduce")
    calm = steps(notebook)
    assert max(calm.values()) < 5, calm
    assert min(calm.values()) > 1, "less motion is not none"
    assert gliding(notebook) == [False, False, False]

    notebook.page.emulate_media(reduced_motion="no-preference")
    assert min(steps(notebook).values()) > 6
