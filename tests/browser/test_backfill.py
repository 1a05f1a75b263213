"""The past: there at once in a page that is reloaded or opened twice, in full, and fine when it is looked at."""

from __future__ import annotations

import pytest
from playwright.sync_api import expect

from .cells import SERVER
from .notebook import Notebook, quickest

# Nine minutes at 200 samples a second, as fast as they can be told: a saw's teeth, a second each.
HISTORY = """\
import nbrealtime as rt, time
saw = rt.subscribe("lab:saw")
began = time.time() - 590
for n in range(0, 110_000, 10_000):
    times = [began + (n + i) / 200 for i in range(10_000)]
    rt.publish("lab:saw", {"t": times, "value": [t % 1 for t in times]})
_ = saw.wait(n=11, timeout=20)
"""

PLOT = 'plot = saw.plot(window="10min")\nplot'


def zoom(notebook, middle: float, seconds: float) -> None:
    """Drag until the plot shows about so many seconds around a fraction of what it shows at first."""
    field = notebook.plot.locator(".nbrt-plot-field")
    field.scroll_into_view_if_needed()
    box = field.bounding_box()
    y = box["y"] + box["height"] / 2
    while (shown := span(notebook))[1] - shown[0] > seconds:
        before = notebook.plot.get_attribute("data-shown")
        half = max(0.025, 0.4 * seconds / (shown[1] - shown[0]))
        notebook.page.mouse.move(box["x"] + box["width"] * (middle - half), y)
        notebook.page.mouse.down()
        notebook.page.mouse.move(box["x"] + box["width"] * (middle + half), y, steps=4)
        notebook.page.mouse.up()
        notebook.page.wait_for_function(
            "([plot, before]) => plot.dataset.shown !== before", arg=[notebook.plot.element_handle(), before]
        )
        middle = 0.5


def span(notebook) -> list[float]:
    return [float(part) for part in notebook.plot.get_attribute("data-shown").split(",")]


@pytest.fixture
def stranger(lab, browser):
    """Opens a notebook as somebody else does: another browser, without anything of the first one's."""
    context = browser.new_context(viewport={"width": 1400, "height": 1000}, timezone_id="UTC")
    context.set_default_timeout(15_000)
    yield lambda path: Notebook(lab, context, path)
    context.close()


def test_ten_minutes_are_there_at_once_and_a_tooth_of_them_is_fine_when_zoomed_in(open_notebook, stranger):
    notebook = open_notebook(SERVER, HISTORY, PLOT)
    notebook.run_all()
    notebook.filled_within(10)
    oldest, newest = notebook.number("data-t0"), notebook.number("data-t")
    assert newest - oldest == pytest.approx(550_000, abs=1500)
    notebook.save()

    def reload() -> float:
        notebook.page.reload()
        return notebook.filled_within(30)

    took = quickest(reload)
    assert (notebook.number("data-t0"), notebook.number("data-t")) == (oldest, newest)
    assert took < 1.0, f"the window was empty for {took:.2f} s after the plot was rendered"

    users: list[Notebook] = []

    def open_as_another() -> float:
        users.append(stranger(notebook.path))
        return users[-1].filled_within(10)

    took = quickest(open_as_another)
    second = users[-1]
    assert (second.number("data-t0"), second.number("data-t")) == (oldest, newest)
    assert took < 1.0, f"a second user's window was empty for {took:.2f} s"

    # A second has a bin and a pixel in ten minutes: from 0 to 1, wherever one looks. Half a tooth is half as high,
    # and the axis fits it: 8 % to spare on both sides, and a round bound.
    zoom(second, 0.4, 0.5)
    expect(second.plot).to_have_attribute("data-view", "zoomed")
    begin, end, *_ = span(second)
    assert newest / 1000 - end > 300
    reach = min((end % 1) - (begin % 1), 1) if end % 1 > begin % 1 else 1
    second.page.wait_for_function(
        """([plot, reach]) => { const [, , low, high] = plot.dataset.shown.split(",").map(Number);
             return reach === 1 ? high - low >= 0.9 : high - low < reach + 0.25; }""",
        arg=[second.plot.element_handle(), reach],
    )
    shown = second.picture()
    assert shown.colours, "the zoomed picture is blank"
    assert notebook.plot.get_attribute("data-view") == "following", "one user's zoom moved the other's plot"
    assert notebook.complaints == second.complaints == []


# What an hour at 10,000 samples a second has left in the kernel, and the samples that go on coming.
HOUR = """\
import nbrealtime as rt, math, threading, time
import numpy as np
fast = rt.subscribe("lab:fast")
now = time.time()
for begin in range(0, 36_000_000, 1_000_000):
    t = now - 3600 + (begin + np.arange(1_000_000)) / 10_000
    fast.feed.ring.append(t, {"value": np.sin(t / 300)})

def feed():
    last = now
    while True:
        time.sleep(0.02)
        t = np.arange(last + 1e-4, time.time(), 1e-4)
        last = t[-1]
        rt.publish("lab:fast", {"t": t, "value": np.sin(t / 300)})

threading.Thread(target=feed, name="feed", daemon=True).start()
"""


def test_an_hour_at_ten_thousand_samples_a_second_moves_like_any_plot(open_notebook):
    notebook = open_notebook(SERVER, HOUR, 'fast.plot(window="1h")')
    notebook.run_all()
    notebook.wait_state("live")
    newest = notebook.number("data-t")
    assert newest - notebook.number("data-t0") == pytest.approx(3_600_000, abs=10_000)
    with notebook.record("data-t") as drawn:
        notebook.wait_beyond("data-t", newest + 3000)
    assert len(drawn.values) >= 20, f"{len(drawn.values)} pictures in three seconds"
    # A period of half an hour, and a bit more: the whole of the sine, and nothing beyond.
    *_, low, high = span(notebook)
    assert -1.6 < low <= -1 < 1 <= high < 1.6
    assert notebook.complaints == []
    assert notebook.errors() == []


# Two topics that have been heard for a while, without anybody looking.
HEARD = """\
import nbrealtime as rt
notes, pumps = rt.subscribe("lab:notes"), rt.subscribe("lab:pumps")
for n in range(600):
    rt.publish("lab:notes", f"note {n}")
    rt.publish("lab:pumps", {"pump": n % 7, "flow": n})
_ = notes.wait(n=600, timeout=20), pumps.wait(n=600, timeout=20)
"""


# How long it takes from the first of both panels in the page until both have their newest row.
LISTED = """async () => {
  const end = performance.now() + 30_000;
  const soon = async (found) => {
    while (!found()) {
      if (performance.now() > end) throw new Error("it never came");
      await new Promise((resolve) => setTimeout(resolve, 10));
    }
  };
  const has = (panel, text) => document.querySelector(`${panel} .nbrt-row`)?.textContent.includes(text);
  await soon(() => document.querySelector(".nbrt-log, .nbrt-table"));
  const began = performance.now();
  await soon(() => has(".nbrt-log", "note 599") && document.querySelectorAll(".nbrt-table .nbrt-row").length === 7);
  return (performance.now() - began) / 1000;
}"""


def test_a_log_and_a_table_that_are_made_late_have_what_came_before(open_notebook, stranger):
    notebook = open_notebook(
        SERVER, HEARD, "notes.log()", 'pumps.table(key="pump", columns=["pump", "flow"])'
    )
    notebook.run_all()

    def full(opened):
        took = opened.page.evaluate(LISTED)
        log, table = opened.find(".nbrt-log"), opened.find(".nbrt-table")
        expect(log).to_contain_text("600 messages")
        expect(log).to_contain_text("newest 500 kept")
        expect(table).to_contain_text("600 messages")
        for n in range(593, 600):
            expect(table.get_by_text(str(n), exact=True)).to_be_visible()
        return took

    full(notebook)
    notebook.save()

    def reload() -> float:
        notebook.page.reload()
        return full(notebook)

    took = quickest(reload)
    assert took < 1.0, f"log and table were empty for {took:.2f} s after the first of them was rendered"
    users: list[Notebook] = []

    def open_as_another() -> float:
        users.append(stranger(notebook.path))
        return full(users[-1])

    took = quickest(open_as_another)
    second = users[-1]
    assert took < 1.0, f"a second user's log and table were empty for {took:.2f} s"
    assert notebook.complaints == second.complaints == []
    assert notebook.errors() == []
