"""Heatmaps as people see them: arrays and spectra over time, read by pointer and by keys, held, closed."""

from __future__ import annotations

import re

import pytest
from playwright.sync_api import expect

from .cells import SERVER
from .notebook import Notebook, quickest

SHOW = """\
import nbrealtime as rt
scan, tone = rt.subscribe("lab:scan"), rt.subscribe("lab:tone")
heat = scan.heatmap(window=20, units="°C", y=(0, 315), y_units="mm", height=220)
heat
"""

SPECTRUM = 'spectrum = tone.spectrogram(window=20, units="V", height=220)\nspectrum'

ROOMS = 'rooms = rt.subscribe("rooms:*").heatmap(window=20, units="%", colors="dusk", height=180)\nrooms'

FEED = """\
import math, threading, time

import numpy as np

feeding = threading.Event()
feeding.set()
place, noise = np.linspace(-1, 1, 64), np.random.default_rng(7)

def feed():
    # The past at once, with times of its own; then ten times a second.
    begin = time.time() - 16
    for n in range(100_000):
        at = begin + n * 0.1
        if at > time.time():
            if not feeding.is_set():
                return
            time.sleep(at - time.time())
        if not 80 <= n < 100:
            peak = 0.7 * math.sin(n / 13)
            rows = 22 + 14 * np.exp(-((place - peak) / 0.15) ** 2) + noise.normal(0, 0.4, 64)
            rt.publish("lab:scan", {"frame": rows.round(2).tolist()}, time=at)
        t = at + np.arange(100) / 1000
        v = np.sin(2 * np.pi * (150 * t + 15 * np.sin(t))) + 0.05 * noise.normal(size=100)
        rt.publish("lab:tone", {"t": t.tolist(), "value": v.tolist()})
        for k, room in enumerate(["attic", "hall", "cellar"]):
            rt.publish(f"rooms:{room}", round(55 + 25 * math.sin(n / 20 + k), 1), time=at)

threading.Thread(target=feed, daemon=True).start()
"""

STOP = "feeding.clear()"
BUSY = "end = time.time() + 5\nwhile time.time() < end:\n    pass"
CLOSE = "heat.close(); spectrum.close(); rooms.close()"


@pytest.fixture
def notebook(open_notebook):
    opened = open_notebook(SERVER, SHOW, SPECTRUM, ROOMS, FEED, STOP, CLOSE, BUSY)
    opened.run(0, 1, 2, 3)
    expect(opened.find(".nbrt-heatmap")).to_have_count(3)
    expect(opened.find(".nbrt-heatmap").first).to_have_attribute("data-state", "waiting")
    yield opened
    assert opened.errors() == []
    assert opened.complaints == []


def colours(heatmap):
    """How many colours the picture has."""
    return heatmap.locator("canvas").evaluate(
        """(canvas) => {
            const { width, height } = canvas;
            const all = canvas.getContext("2d").getImageData(0, 0, width, height).data;
            return new Set(new Uint32Array(all.buffer)).size;
        }"""
    )


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_pictures_grow_are_read_and_held(notebook, theme):
    notebook.theme(theme)
    heat, spectrum, rooms = (notebook.find(".nbrt-heatmap").nth(n) for n in range(3))
    expect(heat).to_contain_text('rt.publish("lab:scan", [1, 4, 9, 16])')
    notebook.screenshot(f"heatmap-{theme}-waiting")
    notebook.run(4)
    for one in (heat, spectrum, rooms):
        expect(one).to_have_attribute("data-state", "live")
        expect(one).to_have_attribute("data-t0", re.compile(r"\d+"))
    expect(heat).to_contain_text("64 rows")
    expect(spectrum).to_contain_text("129 rows")
    expect(rooms).to_contain_text("3 rows")
    assert colours(heat) > 60
    height = heat.bounding_box()["height"]
    for width in (1400, 430):
        notebook.resize(width)
        notebook.screenshot(f"heatmap-{theme}-{width}")
        inside, needed = heat.evaluate("(e) => [e.clientWidth, e.scrollWidth]")
        assert needed <= inside, f"the heatmap is wider than its place at {width} px"
    notebook.resize(1400)

    # Under the pointer: when, where, what.
    canvas = spectrum.locator("canvas")
    box = canvas.bounding_box()
    canvas.hover(position={"x": box["width"] * 0.6, "y": box["height"] * 0.7})
    reading = spectrum.locator(".nbrt-readout")
    expect(reading).to_have_text(re.compile(r"\d\d:\d\d:\d\d · [\d.]+ Hz · −?[\d.]+ dB"))
    notebook.screenshot(f"heatmap-{theme}-read")
    notebook.page.mouse.move(0, 0)
    expect(reading).to_have_text("")
    # By keys, and told aloud.
    heat.locator("canvas").focus()
    keyboard = notebook.page.keyboard
    keyboard.press("ArrowUp")
    keyboard.press("Shift+ArrowLeft")
    expect(heat.locator(".nbrt-voice")).to_have_text(re.compile(r"· [\d.]+ mm · [\d.]+ °C"))
    keyboard.press("Escape")
    expect(heat.locator(".nbrt-readout")).to_have_text("")

    # Held while it goes on, and then where it is by now.
    heat.get_by_text("Pause", exact=True).click()
    held = heat.get_attribute("data-t")
    expect(heat).to_contain_text(re.compile(r"Paused, \d+ new"))
    assert heat.get_attribute("data-t") == held
    heat.get_by_text("Resume", exact=True).click()
    expect(heat).not_to_have_attribute("data-t", held)

    notebook.run(5)
    notebook.run(6)
    expect(heat).to_have_attribute("data-state", "closed")
    expect(heat).to_contain_text(re.compile(r"Closed \d\d:\d\d"))
    notebook.screenshot(f"heatmap-{theme}-closed")
    assert heat.bounding_box()["height"] == height, "it changed its height between states"
    assert colours(heat) > 60


def test_it_goes_on_beside_a_busy_cell_a_reload_fills_it_and_a_rerun_replaces_it(notebook):
    notebook.run(4)
    heat = notebook.find(".nbrt-heatmap").first
    expect(heat).to_contain_text("64 rows")
    expect(heat).to_have_attribute("data-state", "live")
    # The cell that runs is scrolled to: what is looked at is brought back.
    notebook.run(7, wait=False)
    heat.scroll_into_view_if_needed()
    with notebook.record("data-t", heat) as recording:
        notebook.wait_idle(7)
    assert len(recording.values) > 5
    notebook.save()
    oldest = int(heat.get_attribute("data-t0"))
    notebook.reload()
    expect(heat).to_have_attribute("data-t0", re.compile(r"\d+"))
    assert int(heat.get_attribute("data-t")) - int(heat.get_attribute("data-t0")) > 12_000
    assert int(heat.get_attribute("data-t0")) >= oldest
    notebook.run(5)
    expect(heat).to_have_attribute("data-state", "stale", timeout=15_000)
    notebook.screenshot("heatmap-light-stale")
    notebook.run(1)
    expect(notebook.find(".nbrt-heatmap")).to_have_count(3)


# A minute of arrays and of samples, all told before anything shows them.
PAST = """\
import nbrealtime as rt, time
import numpy as np
scan, tone = rt.subscribe("lab:scan"), rt.subscribe("lab:tone")
began = time.time() - 59
for n in range(590):
    at = began + n / 10
    rt.publish("lab:scan", [n % 7, *range(63)], time=at)
    t = at + np.arange(100) / 1000
    rt.publish("lab:tone", {"t": t.tolist(), "value": np.sin(2 * np.pi * 125 * t).tolist()})
_ = scan.wait(n=590, timeout=20), tone.wait(n=590, timeout=20)
"""

BOTH = "from IPython.display import display\ndisplay(scan.heatmap(), tone.spectrogram())"


def test_the_window_that_came_before_is_there_for_a_new_view_a_reload_and_a_second_tab(open_notebook):
    kinds = [f'.nbrt-heatmap[aria-roledescription="live {kind}"]' for kind in ("heatmap", "spectrogram")]
    notebook = open_notebook(SERVER, PAST, BOTH)
    notebook.run_all()
    spans = [shown(notebook, kind) for kind in kinds]
    assert spans == pytest.approx([58.9, 58.6], abs=0.3)
    notebook.save()

    def reload() -> float:
        notebook.page.reload()
        return max(notebook.filled_within(30, kind) for kind in kinds)

    took = quickest(reload)
    assert took < 1.0, f"the pictures were empty for {took:.2f} s after they were rendered"
    assert [shown(notebook, kind) for kind in kinds] == spans

    tabs: list[Notebook] = []

    def open_tab() -> float:
        tabs.append(notebook.second_tab())
        return max(tabs[-1].filled_within(10, kind) for kind in kinds)

    took = quickest(open_tab)
    second = tabs[-1]
    assert took < 1.0, f"a second tab's pictures were empty for {took:.2f} s"
    assert [shown(second, kind) for kind in kinds] == spans
    assert notebook.complaints == second.complaints == []
    assert notebook.errors() == []


def shown(notebook, kind):
    """Seconds from the oldest column to the newest, as soon as there are any."""
    one = notebook.find(kind)
    expect(one).to_have_attribute("data-t0", re.compile(r"\d+"))
    return round((notebook.number("data-t", one) - notebook.number("data-t0", one)) / 1000, 3)
