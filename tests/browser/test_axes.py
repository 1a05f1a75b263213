"""What stands on a plot beside its data: a log scale, thresholds, annotations, another time zone."""

from __future__ import annotations

import datetime as dt
import re
import zoneinfo

import pytest
from playwright.sync_api import expect

from .cells import SERVER

BAD, GOOD = 0xB3261E, 0x0B7F50  # a threshold's colours in light
CRIMSON = 0xDC143C

# A minute of history comes at once, with its times; a thread goes on from there.
_DATA = """\
import math, threading, time
import nbrealtime as rt

temp, rate = rt.subscribe("lab:temp"), rt.subscribe("lab:rate")
now = time.time()
t = [now - 60 + i / 10 for i in range(600)]
rt.publish("lab:temp", {"t": t, "value": [22 + 2 * math.sin(x / 5) for x in t]})
flow = [10 ** (3 * math.sin(x / 9)) for x in t]
flow[100:180] = [0] * 80
rt.publish("lab:rate", {"t": t, "value": flow})

def feed():
    while True:
        x = time.time()
        rt.publish("lab:temp", 22 + 2 * math.sin(x / 5))
        rt.publish("lab:rate", 10 ** (3 * math.sin(x / 9)))
        time.sleep(0.1)

threading.Thread(target=feed, daemon=True).start()
"""

_PLOTS = """\
limits = {"too hot": {"value": 23.5, "level": "bad"}, "comfort": (21, 22.5), "boiling": 100}
heat = temp.plot(units="°C", thresholds=limits, time_zone="Europe/Berlin")
heat.annotate(now - 30, "door opened\\nand left open by somebody who went out for a long while")
heat.annotate(now - 29.9, "window")
flow = rate.plot(units="B/s", scale="log", color="crimson", thresholds={"limit": 500})
display(heat, flow)
"""

# The share of a canvas' columns, between the first and the last with this colour, that are without it.
_GAPS = """(canvases, [red, green, blue]) => {
  const canvas = canvases.reduce((a, b) => (b.width * b.height > a.width * a.height ? b : a));
  const {width, height} = canvas;
  const pixels = canvas.getContext("2d").getImageData(0, 0, width, height).data;
  let line = "";
  for (let x = 0; x < width; x++) {
    let inked = false;
    for (let y = 0; y < height && !inked; y++) {
      const at = 4 * (y * width + x);
      inked = pixels[at + 3] > 100 && Math.abs(pixels[at] - red) < 70 && Math.abs(pixels[at + 1] - green) < 70
        && Math.abs(pixels[at + 2] - blue) < 70;
    }
    line += inked ? "x" : ".";
  }
  const inside = line.replace(/^\\.+|\\.+$/g, "");
  return (inside.match(/\\./g) ?? []).length / inside.length;
}"""


@pytest.mark.timeout(150)
def test_what_stands_beside_the_data_is_seen_read_and_taken_away(open_notebook):
    notebook = open_notebook(
        SERVER,
        _DATA,
        _PLOTS,
        'note = heat.annotate(None, "written later")',
        'note.remove()\nheat.time_zone = "Asia/Tokyo"',
        'heat.time_zone = "Europe/Berlln"',
        "heat.scale, heat.thresholds = 'log', []",
        "heat.clear_annotations()\nheat.close()",
    )
    page = notebook.page
    notebook.run(0, 1, 2)
    heat, flow = notebook.plot.nth(0), notebook.plot.nth(1)
    for plot in (heat, flow):
        notebook.wait_state("live", plot)

    # Thresholds in their colours; the one that is far away does not press the data flat.
    seen = notebook.picture(heat)
    assert seen.near(BAD, 40) > 100, "no line at the threshold"
    assert seen.near(GOOD, 40) > 50, "no edge of the band"
    expect(heat.locator(".nbrt-plot-caption")).to_have_text("°C")

    # The log scale says so, and that it leaves something out; what it leaves out is a gap.
    expect(flow.locator(".nbrt-plot-caption")).to_have_text("B/s, log")
    expect(flow.locator(".nbrt-plot-remark")).to_be_visible()
    expect(flow.locator(".nbrt-plot-remark")).to_have_text("values ≤ 0 are gaps")
    expect(heat.locator(".nbrt-plot-remark")).to_be_hidden()
    colour = [CRIMSON >> 16, CRIMSON >> 8 & 255, CRIMSON & 255]
    assert 0.05 < flow.locator("canvas").evaluate_all(_GAPS, colour) < 0.3

    # Annotations are read in the plot's zone, and whole where the pointer is.
    notes = heat.locator(".nbrt-plot-heard li")
    expect(notes).to_have_count(2)
    there = dt.datetime.now(zoneinfo.ZoneInfo("Europe/Berlin")) - dt.timedelta(seconds=35)
    assert re.match(rf"{there:%Y-%m-%d} \d\d:\d\d:\d\d: window", notes.first.inner_text())
    told = dt.datetime.fromisoformat(notes.first.inner_text()[:19]).replace(tzinfo=there.tzinfo)
    assert abs((told - there).total_seconds()) < 60
    # The flag of the older one is in the first row, just under the top of the plotting area.
    heat.scroll_into_view_if_needed()
    stage = heat.locator(".nbrt-plot-stage").bounding_box()
    assert stage is not None
    tip = heat.locator(".nbrt-plot-tip")
    for part in range(30, 60):
        page.mouse.move(stage["x"] + stage["width"] * part / 100, stage["y"] + 28)
        if tip.is_visible():
            break
    expect(tip).to_contain_text("left open by somebody who went out for a long while")
    page.mouse.move(5, 5)
    expect(tip).to_be_hidden()

    for theme in ("light", "dark"):
        notebook.theme(theme)
        for width in (1400, 430):
            notebook.resize(width)
            notebook.screenshot(f"axes-{theme}-{width}")
    notebook.theme("light")
    notebook.resize(1400)

    # What is written, removed and set later is there without the cell running again.
    notebook.run(3)
    expect(notes).to_have_count(3)
    notebook.run(4)
    expect(notes).to_have_count(2)
    tokyo = dt.datetime.now(zoneinfo.ZoneInfo("Asia/Tokyo")) - dt.timedelta(minutes=1)
    assert notes.first.inner_text().startswith(f"{tokyo:%Y-%m-%d %H:}")
    notebook.run(6)
    expect(heat.locator(".nbrt-plot-caption")).to_have_text("°C, log")
    assert notebook.errors() == []
    notebook.run(5)
    assert "did you mean 'Europe/Berlin'" in notebook.outputs(5)
    assert notebook.complaints == []
