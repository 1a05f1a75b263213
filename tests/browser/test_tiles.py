"""Tiles, gauges and dashboards as people see them: empty, live beside a running cell, stale, closed, narrow."""

from __future__ import annotations

import re

import pytest
from playwright.sync_api import expect

from .cells import FEED, SERVER, TOPIC

LIMITS = """\
limits = [{"from": 0, "to": 20, "label": "cool", "level": "info"}, (20, 23),
          {"value": 23, "label": "warm", "level": "warn"}, {"value": 30, "label": "too hot", "level": "bad"}]
"""

SHOW = """\
import ipywidgets
plot = temp.plot(thresholds=limits)
tile = temp.tile(title="Lab temperature", units="°C", thresholds=limits)
gauge = temp.gauge(range=(0, 40), units="°C", thresholds=limits)
slider = ipywidgets.FloatSlider(description="Setpoint")
silent = rt.StatTile("lab:silent", units="°C")
dash = rt.Dashboard([plot, tile, [gauge, slider], silent], columns=3, title="The lab",
                    spans={plot: 2}, titles={plot: "Temperature"})
dash
"""

BUSY = "end = time.monotonic() + 5\nwhile time.monotonic() < end:\n    sum(range(1000))"
HOT = 'feeding.clear()\ntime.sleep(0.2)\nrt.publish("lab:temp", 31.25)'
BEYOND = 'rt.publish("lab:temp", 55)'
PAUSE = "temp.pause()\nrt.publish('lab:temp', 1)"
CLOSE = "temp.resume()\ntile.close()\ngauge.close()"
LEAVE = "dash.close()\nprint('open:', plot.state != 'closed', tile)\ntile"

# When texts below the root change, in ms: a text that is written again unchanged would count, too.
WRITES = """(root) => new Promise((done) => {
  const number = root.querySelector(".nbrt-number"), path = root.querySelector(".nbrt-spark-line");
  const seen = {number: 0, path: 0, label: 0};
  const watch = (node, kind, options) => {
    const observer = new MutationObserver(() => { seen[kind]++; });
    observer.observe(node, options);
    return observer;
  };
  const all = [watch(number, "number", {childList: true, characterData: true, subtree: true}),
    watch(path, "path", {attributes: true}), watch(root, "label", {attributeFilter: ["aria-label"]})];
  setTimeout(() => { all.forEach((one) => one.disconnect()); done(seen); }, 3000);
})"""

COLUMNS = "(cells) => new Set(cells.map((cell) => Math.round(cell.getBoundingClientRect().left))).size"


PLACES = """(dashboard) => [...dashboard.querySelectorAll(".nbrt-dashboard-title, .nbrt-dashboard-cell")].map((one) =>
  [one.getBoundingClientRect().left, one.getBoundingClientRect().top - dashboard.getBoundingClientRect().top].map(Math.round))"""


@pytest.fixture
def notebook(open_notebook):
    opened = open_notebook(SERVER, TOPIC, LIMITS, SHOW, FEED, BUSY, HOT, BEYOND, PAUSE, CLOSE, LEAVE)
    opened.run(0, 1, 2, 3)
    yield opened
    assert opened.errors() == []
    assert opened.complaints == []


def test_a_number_and_a_bar_follow_and_say_what_they_mean(notebook):
    tile, gauge = notebook.find(".nbrt-tile").first, notebook.find(".nbrt-gauge")
    for one in (tile, gauge):
        expect(one).to_have_attribute("data-state", "empty")
        expect(one).to_contain_text('rt.publish("lab:temp", 21.5)')
        expect(one.locator(".nbrt-number")).to_have_text("—")
    expect(tile.locator(".nbrt-title")).to_have_text("Lab temperature")
    expect(gauge.locator(".nbrt-ticks > span")).to_have_text(["0", "10", "20", "30", "40"])
    expect(gauge.locator(".nbrt-zones > span")).to_have_count(4)
    notebook.screenshot("tiles-empty")
    before = tile.bounding_box()

    notebook.run(4)
    for one in (tile, gauge):
        expect(one).to_have_attribute("data-state", "live")
        expect(one.locator(".nbrt-number")).to_have_text(re.compile(r"^\d\d\.\d+$"))
        expect(one.locator(".nbrt-unit")).to_have_text("°C")
        expect(one.locator(".nbrt-level")).to_have_text(re.compile("cool|OK|warm"))
        expect(one.locator(".nbrt-level .nbrt-symbol")).to_have_attribute(
            "data-level", re.compile("info|good|warn")
        )
    # While a cell computes in pure Python: texts at most four times a second, the sparkline more often.
    notebook.run(5, wait=False)
    writes = tile.evaluate(WRITES)
    assert 4 <= writes["number"] <= 14, writes
    assert 10 <= writes["path"] <= 36, writes
    assert writes["label"] <= 2, writes
    expect(tile).to_have_attribute("aria-label", re.compile(r"^Lab temperature: \d\d\.\d+ °C, .*live$"))
    notebook.wait_idle(5)
    # A small tile has no room for all of it.
    expect(tile.locator(".nbrt-reach")).to_have_attribute("title", re.compile(r"^\d.* – .* °C in 60 s$"))
    after = tile.bounding_box()
    assert (after["width"], after["height"]) == (before["width"], before["height"])
    notebook.screenshot("tiles-live")

    notebook.run(6)
    expect(tile.locator(".nbrt-number")).to_have_text("31.25")
    expect(tile).to_have_attribute("data-level", "bad")
    expect(gauge.locator(".nbrt-level")).to_have_text("too hot")
    notebook.run(7)
    expect(gauge.locator(".nbrt-foot")).to_contain_text("Above the scale")
    expect(gauge.locator(".nbrt-track")).to_have_attribute("aria-valuenow", "40")
    expect(gauge).to_have_attribute("data-state", "stale", timeout=10_000)
    expect(tile.locator(".nbrt-foot")).to_contain_text(re.compile(r"No data for \d+ s"))
    notebook.run(8)
    expect(tile.locator(".nbrt-foot")).to_contain_text("Paused, 1 new")
    expect(tile.locator(".nbrt-number")).to_have_text(re.compile(r"^55"))
    notebook.run(9)
    for one in (tile, gauge):
        expect(one).to_have_attribute("data-state", "closed")
        expect(one.locator(".nbrt-foot")).to_contain_text(re.compile(r"Closed \d\d:\d\d"))
    notebook.run(10)
    # The dashboard is gone, what it showed is not; what is closed is a picture that needs no kernel.
    expect(notebook.find(".nbrt-dashboard")).to_have_count(0)
    assert "open: True StatTile of lab:temp: 1 °C, cool (info), closed" in notebook.text(10)
    expect(notebook.cell(10).locator(".jp-RenderedSVG, .jp-RenderedImage")).to_have_count(1)
    assert "Closed" in notebook.outputs(10)


def test_a_dashboard_has_the_columns_that_fit_and_comes_back(notebook):
    notebook.run(4)
    cells = notebook.find(".nbrt-dashboard-cell")
    tile, silent = notebook.find(".nbrt-tile").first, notebook.find(".nbrt-tile").last
    expect(tile).to_have_attribute("data-state", "live", timeout=15_000)
    assert cells.evaluate_all(COLUMNS) == 3
    wide, narrow = cells.nth(0).bounding_box(), cells.nth(1).bounding_box()
    assert wide["width"] == pytest.approx(2 * narrow["width"] + 16, abs=1)
    assert wide["height"] == narrow["height"]
    notebook.theme("dark")
    notebook.screenshot("tiles-dark")
    notebook.theme("light")
    # The keyboard goes as the eye does: the sparkline has nothing to press, the slider has, then the tile that waits.
    notebook.find(".noUi-handle, [role=slider]").first.focus()
    notebook.page.keyboard.press("Tab")
    notebook.page.keyboard.press("Tab")
    expect(silent.get_by_role("button")).to_be_focused()

    notebook.page.evaluate("() => window.jupyterapp.shell.collapseLeft()")
    notebook.resize(424)
    notebook.page.wait_for_function(
        """() => new Set([...document.querySelectorAll(".nbrt-dashboard-cell")]
            .map((cell) => Math.round(cell.getBoundingClientRect().left))).size === 1"""
    )
    grid = notebook.find(".nbrt-dashboard").bounding_box()
    assert grid["width"] <= 330
    overflow = cells.evaluate_all(
        "(cells) => Math.max(...cells.map((cell) => cell.scrollWidth - cell.clientWidth))"
    )
    assert overflow <= 0
    notebook.screenshot("tiles-narrow")
    notebook.resize(1400)

    notebook.run(3)
    expect(notebook.find(".nbrt-dashboard")).to_have_count(1)
    expect(tile).to_have_attribute("data-state", "live", timeout=15_000)
    notebook.save()
    notebook.reload()
    expect(notebook.find(".nbrt-tile").first).to_have_attribute("data-state", "live")
    # With what came before the page was there.
    expect(notebook.find(".nbrt-spark-line").first).to_have_attribute(
        "d", re.compile(r"^M[\d.]+ [\d.]+(L[\d. ]+){4,}")
    )


def test_a_dashboard_whose_kernel_was_restarted_keeps_everything_in_its_place(open_notebook):
    notebook = open_notebook(SERVER, TOPIC, LIMITS, SHOW)
    notebook.run(0, 1, 2, 3)
    tile = notebook.find(".nbrt-tile").first
    expect(tile).to_have_attribute("data-state", "empty")
    before = notebook.find(".nbrt-dashboard").evaluate(PLACES)
    notebook.restart()
    expect(tile).to_contain_text("Kernel has ended, run the cell again")
    assert notebook.find(".nbrt-dashboard").evaluate(PLACES) == before
    assert notebook.complaints == []


def test_a_small_tile_that_waits_offers_its_code_without_covering_anything(open_notebook):
    tiles = 'ipywidgets.HBox([temp.tile(units="°C"), temp.gauge(range=(0, 40))])'
    notebook = open_notebook(SERVER, TOPIC, f"import ipywidgets\n{tiles}")
    notebook.run(0, 1, 2)
    for kind in ("tile", "gauge"):
        one = notebook.find(f".nbrt-{kind}")
        button = one.get_by_role("button", name='Copy rt.publish("lab:temp", 21.5)')
        expect(button).to_have_attribute("title", 'Copy rt.publish("lab:temp", 21.5)')
        assert one.bounding_box()["width"] < 200
        number, hint = one.locator(".nbrt-number").bounding_box(), one.locator(".nbrt-hint")
        assert hint.locator("code").evaluate("(code) => code.clientWidth") <= 1
        assert number["x"] + number["width"] <= button.bounding_box()["x"]
        # Where the clipboard is not to be had, too.
        notebook.page.evaluate(
            "() => { navigator.clipboard.writeText = async () => { throw new Error(); }; }"
        )
        button.click()
        expect(button).to_have_text("Selected")
        selected = notebook.page.evaluate("() => String(getSelection())")
        assert selected == 'rt.publish("lab:temp", 21.5)'
