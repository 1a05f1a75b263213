"""A notebook that was frozen, saved and reopened without its kernel shows the plot; a plot out of sight stays alive."""

from __future__ import annotations

import json

from playwright.sync_api import expect

from .cells import FEED, SERVER, TOPIC

PLOT = 'plot = temp.plot(window="20s", title="Before the kernel went", units="°C")\nplot'

SPACER = "from IPython.display import HTML\nHTML('<div style=\"height: 4000px\">far</div>')"


def _pixels(notebook, locator) -> tuple[int, int]:
    box = locator.bounding_box()
    assert box is not None
    return round(box["width"]), round(box["height"])


def test_a_frozen_plot_is_there_without_its_kernel(open_notebook, lab):
    notebook = open_notebook(SERVER, TOPIC, FEED, PLOT, "temp.wait(n=60, timeout=20)\nplot.freeze()", "plot")
    notebook.run(0, 1, 2, 3)
    notebook.wait_state("live")
    notebook.page.wait_for_timeout(2000)
    live = _pixels(notebook, notebook.plot)
    notebook.screenshot("saved-live-light")
    notebook.run(4)
    picture = notebook.cell(3).locator(".jp-RenderedSVG img")
    expect(picture).to_be_visible()
    assert _pixels(notebook, picture) == live, "nothing moves when a plot is frozen"
    assert notebook.plot.count() == 0
    notebook.screenshot("saved-frozen-light")
    notebook.theme("dark")
    notebook.screenshot("saved-frozen-dark")
    notebook.theme("light")

    # Shown again it lives, and leaves the frozen picture where it is.
    notebook.run(5)
    notebook.wait_state("live")
    expect(picture).to_be_visible()
    notebook.run(4)
    expect(notebook.cell(5).locator(".jp-RenderedSVG img")).to_be_visible()
    notebook.save()
    notebook.close()
    lab.delete_kernels()

    outputs = json.loads(lab.read(notebook.path))["cells"][3]["outputs"]
    assert set(outputs[0]["data"]) == {"image/svg+xml", "image/png", "text/plain"}
    again = notebook.second_tab()
    picture = again.cell(3).locator("img")
    expect(picture).to_be_visible()
    assert picture.evaluate("(image) => image.complete && image.naturalWidth") == live[0]
    assert "Error displaying widget" not in again.find(".jp-OutputArea").nth(3).inner_text()
    again.screenshot("saved-reopened-light")
    assert notebook.complaints == again.complaints == []


def test_a_plot_that_nobody_has_scrolled_to_is_not_taken_for_a_run_without_anybody(open_notebook):
    notebook = open_notebook(SERVER, TOPIC, FEED, SPACER, PLOT, "1", "plot.close()")
    notebook.run(0, 1, 2, 3, 4)
    notebook.page.wait_for_timeout(2500)
    notebook.run(5)
    notebook.cell(4).scroll_into_view_if_needed()
    notebook.wait_state("live")
    notebook.run(6)
    expect(notebook.cell(4).locator(".jp-RenderedSVG img")).to_be_visible()
    assert notebook.errors() == []
    assert notebook.complaints == []
