"""A table as people use it: rows by key that change in place, sorting, filter, pause, copy, and a flood."""

from __future__ import annotations

import re

import pytest
from playwright.sync_api import expect

import nbrealtime as rt

from .cells import SERVER
from .notebook import quickest

TABLES = """\
import nbrealtime as rt
pumps = rt.subscribe("lab:pumps")
by_key = pumps.table(key="pump", height=200)
by_key
"""

NEWEST = 'newest = pumps.table(columns=["pump", "flow", "at.line"], time_zone="UTC", rows=5000)\nnewest'

SAY = """\
for n, name in enumerate(["north", "south", "east", "west", "pump 10", "pump 9"]):
    rt.publish("lab:pumps", {"pump": name, "flow": 20 + n * 3.25, "on": n % 2 == 0, "rpm": 1400 + n,
                             "at": {"line": n, "hall": "B"}, "note": "<b>checked</b>" if n else None})
pumps.wait(6, timeout=10)
"""

# 25,000 messages, some 5,000 a second, of 5,000 pumps.
FLOOD = """\
import threading, time

def flood():
    for n in range(25_000):
        rt.publish("lab:pumps", {"pump": f"p{n % 5000:04}", "flow": n / 7, "on": True, "rpm": n})
        if n % 250 == 0:
            time.sleep(0.05)
    rt.publish("lab:pumps", {"pump": "the last", "flow": 0.5, "rpm": 1})

threading.Thread(target=flood, daemon=True).start()
"""

CLOSE = "by_key.close(); newest.close()"

_LONG_TASKS = """() => {
    window.longest = 0;
    new PerformanceObserver((list) => {
        for (const entry of list.getEntries()) window.longest = Math.max(window.longest, entry.duration);
    }).observe({ type: "longtask" });
}"""


@pytest.fixture
def notebook(open_notebook):
    opened = open_notebook(SERVER, TABLES, NEWEST, SAY, FLOOD, CLOSE)
    opened.run(0, 1, 2)
    expect(opened.find(".nbrt-table").first).to_have_attribute("data-state", "waiting")
    yield opened
    assert opened.errors() == []
    assert opened.complaints == []


def rows(table):
    """The rows in the document, from the top."""
    return table.evaluate(
        """(root) => [...root.querySelectorAll(".nbrt-row")]
            .sort((a, b) => a.ariaRowIndex - b.ariaRowIndex)
            .map((row) => [...row.children].map((cell) => cell.textContent))"""
    )


def test_a_table_is_read_sorted_filtered_paused_and_copied(notebook):
    keyed, newest = notebook.find(".nbrt-table").first, notebook.find(".nbrt-table").last
    expect(keyed).to_contain_text('rt.publish("lab:pumps", {"pump": "a", "value": 21.5})')
    notebook.run(3)
    expect(keyed.locator(".nbrt-row")).to_have_count(6)
    assert [row[0] for row in rows(keyed)] == ["north", "south", "east", "west", "pump 10", "pump 9"]
    assert [row[2] for row in rows(keyed)][:3] == ["20.00", "23.25", "26.50"]
    assert keyed.locator("b").count() == 0
    assert rows(newest)[0][1:] == ["pump 9", "36.25", "5"]
    expect(newest.get_by_role("columnheader").first).to_have_text("Time (UTC)")
    expect(keyed.get_by_role("grid")).to_have_attribute("aria-rowcount", "7")
    expect(keyed.get_by_role("columnheader")).to_have_count(7)

    # By pointer: up, down, and back.
    head = keyed.get_by_role("columnheader", name="pump")
    head.click()
    expect(head).to_have_attribute("aria-sort", "ascending")
    assert [row[0] for row in rows(keyed)] == ["east", "north", "pump 9", "pump 10", "south", "west"]
    # By keyboard: into the grid, up to the head, along to the flow, and sorted twice.
    keyboard = notebook.page.keyboard
    keyed.get_by_label("Filter rows").focus()
    for _ in range(3):
        keyboard.press("Tab")
    expect(keyed.get_by_role("grid")).to_be_focused()
    keyboard.press("Home")
    for _ in range(2):
        keyboard.press("ArrowRight")
    keyboard.press("Enter")
    keyboard.press("Enter")
    expect(keyed.get_by_role("columnheader", name="flow")).to_have_attribute("aria-sort", "descending")
    assert [row[2] for row in rows(keyed)] == ["36.25", "33.00", "29.75", "26.50", "23.25", "20.00"]
    keyboard.press("ArrowDown")
    cell = keyed.get_by_role("grid").get_attribute("aria-activedescendant")
    assert notebook.page.locator(f"#{cell}").text_content() == "36.25"
    keyboard.press("Control+c")
    expect(keyed.get_by_text("Copied", exact=True)).to_be_visible()
    copied = notebook.page.evaluate("navigator.clipboard.readText()").split("\t")
    assert (copied[0], copied[2]) == ("pump 9", "36.25")
    assert re.match(r"\d{4}-\d\d-\d\dT", copied[1])

    # What comes changes a cell in its place; the cursor stays on its row.
    with rt.connect() as connection:
        connection.publish("lab:pumps", {"pump": "north", "flow": 99, "on": False})
        expect(keyed).to_contain_text("99.00")
    assert rows(keyed)[0][0] == "north"
    assert keyed.get_by_role("grid").get_attribute("aria-activedescendant") == cell
    keyed.get_by_label("Filter rows").fill("PUMP")
    expect(keyed.locator(".nbrt-row")).to_have_count(2)
    expect(keyed).to_contain_text("2 of 6 rows")
    keyed.get_by_label("Filter rows").fill("nowhere")
    expect(keyed).to_contain_text("No row has “nowhere” in it")
    keyed.get_by_label("Filter rows").press("Escape")
    expect(keyed.locator(".nbrt-row")).to_have_count(6)

    keyed.get_by_text("Pause", exact=True).click()
    with rt.connect() as connection:
        connection.publish("lab:pumps", {"pump": "north", "flow": 1})
        expect(keyed).to_contain_text("Paused, 1 new")
    assert "99.00" in [row[2] for row in rows(keyed)]
    keyed.get_by_text("Resume", exact=True).click()
    expect(keyed).not_to_contain_text("99.00")
    notebook.run(1)
    expect(notebook.find(".nbrt-table")).to_have_count(2)


def test_thousands_of_rows_at_speed_leave_the_page_alive(notebook):
    keyed, newest = notebook.find(".nbrt-table").first, notebook.find(".nbrt-table").last
    notebook.page.evaluate(_LONG_TASKS)
    notebook.run(4)
    expect(newest.get_by_role("grid")).to_have_attribute("aria-rowcount", re.compile(r"\d{3,}"))
    newest.locator(".nbrt-list").evaluate("(list) => { list.scrollTop = 3000; }")
    expect(newest.locator(".nbrt-newest")).to_be_visible()
    top = newest.locator(".nbrt-list").evaluate("(list) => list.scrollTop")
    expect(newest).to_contain_text("5\u2009000 rows", timeout=30_000)
    # What somebody reads stays in its place: the list grew above it.
    assert newest.locator(".nbrt-list").evaluate("(list) => list.scrollTop") > top
    newest.locator(".nbrt-newest").click()
    expect(newest).to_contain_text("the last", timeout=30_000)
    expect(keyed).to_contain_text("1\u2009000 rows")
    assert newest.locator(".nbrt-row").count() < 40

    floods = 0

    def longest() -> float:
        """The page's longest task (s) while a flood came: the first, or one more."""
        nonlocal floods
        floods += 1
        if floods > 1:
            notebook.page.evaluate("() => { window.longest = 0; }")
            notebook.run(4)
        expect(keyed).to_contain_text(f"{25_001 * floods:,} messages".replace(",", "\u2009"), timeout=30_000)
        return notebook.page.evaluate("window.longest") / 1000

    assert quickest(longest, 0.2) < 0.2
    notebook.save()
    notebook.reload()
    expect(newest).to_contain_text("5\u2009000 rows", timeout=30_000)
    expect(newest).to_contain_text("the last")


def test_what_is_counted_below_is_not_cut_where_it_is_narrow(notebook):
    keyed = notebook.find(".nbrt-table").first
    notebook.run(3)
    with rt.connect() as connection:
        connection.publish("lab:pumps", {"flow": 1})
        keyed.get_by_role("searchbox").fill("o")
        notebook.resize(340)
        counts = keyed.locator(".nbrt-counts")
        expect(counts).to_have_text("2 of 6 rows · 7 messages · 1 without pump")
    assert counts.bounding_box()["height"] == 40
    cut = counts.evaluate("(e) => [e.scrollWidth - e.clientWidth, e.scrollHeight - e.clientHeight]")
    assert cut == [0, 0]
    foot, why = keyed.locator(".nbrt-foot").bounding_box(), keyed.locator(".nbrt-why").bounding_box()
    assert why["y"] + why["height"] <= foot["y"] + foot["height"]


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_it_fits_narrow_and_wide_in_every_state(notebook, theme):
    notebook.theme(theme)
    keyed = notebook.find(".nbrt-table").first
    heights = {keyed.bounding_box()["height"]}
    notebook.screenshot(f"table-{theme}-waiting")
    notebook.run(3)
    expect(keyed.locator(".nbrt-row")).to_have_count(6)
    keyed.get_by_role("columnheader", name="flow").click()
    keyed.locator(".nbrt-row").nth(2).click()
    heights.add(keyed.bounding_box()["height"])
    for width in (1400, 430):
        notebook.resize(width)
        notebook.screenshot(f"table-{theme}-{width}")
        inside, needed = keyed.evaluate("(e) => [e.clientWidth, e.scrollWidth]")
        assert needed <= inside, f"the table is wider than its place at {width} px"
    notebook.resize(1400)
    expect(keyed).to_have_attribute("data-state", "stale", timeout=15_000)
    notebook.screenshot(f"table-{theme}-stale")
    notebook.run(5)
    expect(keyed).to_have_attribute("data-state", "closed")
    expect(keyed).to_contain_text(re.compile(r"Closed \d\d:\d\d"))
    expect(keyed.locator(".nbrt-row")).to_have_count(6)
    heights.add(keyed.bounding_box()["height"])
    assert len(heights) == 1, "it changed its height between states"
