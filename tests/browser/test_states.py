"""What every view but the plot says when it is refused, when its server is gone, and when nothing comes: wide and narrow."""

from __future__ import annotations

import re

import pytest
from playwright.sync_api import expect

VIEWS = (".nbrt-table", ".nbrt-log", ".nbrt-heatmap", ".nbrt-gauge", ".nbrt-tile")

SERVE = """\
import ipywidgets
from IPython.display import display
import nbrealtime as rt
server = rt.serve()
guest = rt.connect(server.url, token=server.token("eve", topics=["lab:*"]))
assert guest.wait_connected(10)
limits = [(20, 23), {"value": 23, "label": "warm", "level": "warn"}]

def show(topic, field=None):
    rows = topic.heatmap(field=field, window=20, units="°C", height=180)
    views = [topic.table(height=160), topic.log(height=160), rows,
             topic.gauge(range=(0, 40), units="°C", thresholds=limits, field="value" if field else None),
             topic.tile(units="°C", thresholds=limits, field="value" if field else None)]
    display(ipywidgets.VBox(views))
    display(ipywidgets.VBox(views, layout={"width": "320px"}))
"""

REFUSED = 'show(guest.topic("plant:boiler"))'
SHOWN = 'room = guest.topic("lab:room")\nshow(room, "rows")'
FEED = """\
import math, time
began = time.time() - 19
for n in range(190):
    at = began + n / 10
    value = 21 + 2.5 * math.sin(n / 20)
    room.publish({"value": round(value, 2), "rows": [round(value + k / 4, 2) for k in range(24)]}, time=at)
_ = room.wait(n=190, timeout=10)
"""
GONE = "server.close()"

# Each bundle brings styles that hold in the whole page: what one widget does to another shows where all are.
APART = """(root) => {
  const parts = [...root.children].map((one) => one.getBoundingClientRect()).filter((box) => box.height > 1);
  const lines = [...root.querySelectorAll(".nbrt-foot > *, .nbrt-head > *")].map((one) => [one, one.parentElement])
    .map((pair) => pair.map((one) => one.getBoundingClientRect())).filter(([box]) => box.height > 1);
  return parts.every((box, n) => n === 0 || box.top >= parts[n - 1].bottom - 1)
    && lines.every(([inner, outer]) => inner.top >= outer.top - 1 && inner.bottom <= outer.bottom + 1);
}"""

DARK_MUTED = 0xA3A3AD
# The heatmaps' ticks are of the theme that the page has, also where nothing comes that would have them drawn again.
INKED = """(colour) => [...document.querySelectorAll(".nbrt-heatmap canvas")].every((canvas) => {
  const { width, height } = canvas;
  const all = new Uint32Array(canvas.getContext("2d").getImageData(0, 0, width, height).data.buffer);
  const wanted = 0xff000000 | (colour & 255) << 16 | colour & 0xff00 | colour >> 16;
  return all.includes(wanted >>> 0);
})"""


def check(notebook, state, words, name):
    for view in VIEWS:
        for one in notebook.find(view).all():
            expect(one).to_have_attribute("data-state", re.compile(state), timeout=20_000)
            expect(one).to_contain_text(re.compile(words))
            inside, needed = one.evaluate("(e) => [e.clientWidth, e.scrollWidth]")
            assert needed <= inside, f"{view} is wider than its place"
            assert one.evaluate(APART), f"the parts of {view} lie on each other"
    notebook.theme("dark")
    notebook.page.wait_for_function(INKED, arg=DARK_MUTED)
    notebook.screenshot(f"states-{name}-dark")
    notebook.theme("light")
    notebook.screenshot(f"states-{name}-light")


@pytest.fixture
def notebook(open_notebook):
    opened = open_notebook(SERVE, REFUSED, SHOWN, FEED, GONE)
    opened.run(0)
    yield opened
    assert opened.complaints == []


def test_a_refusal_is_told_by_every_view(notebook):
    notebook.run(1)
    check(notebook, "refused|empty", "Refused", "refused")
    expect(notebook.find(".nbrt-state:not([data-tone=bad])")).to_have_count(0)
    # What nobody may publish to is not offered to be published to.
    expect(notebook.find("code:visible")).to_have_count(0)


def test_views_say_since_when_nothing_comes_and_that_the_server_is_gone(notebook):
    notebook.run(2, 3)
    for view in VIEWS:
        expect(notebook.find(view).first).to_have_attribute("data-state", "live")
    expect(notebook.find(".nbrt-tile").first.locator(".nbrt-spark-rule")).to_have_count(2)
    notebook.theme("dark")
    notebook.screenshot("states-live-dark")
    notebook.theme("light")
    notebook.screenshot("states-live-light")
    check(notebook, "stale", r"No data for \d+ s", "stale")
    notebook.run(4)
    check(notebook, "stale|offline", r"[Rr]econnecting", "offline")
