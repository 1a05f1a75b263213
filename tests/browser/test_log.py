"""A message log as people use it: read, filtered, paused, expanded by keyboard, reloaded, flooded, closed."""

from __future__ import annotations

import re

import pytest
from playwright.sync_api import expect

import nbrealtime as rt

from .cells import SERVER

LOG = 'import nbrealtime as rt\nnotes = rt.subscribe("lab:notes")\nlog = notes.log()\nlog'

SAY = """\
rt.publish("lab:notes", "pump started")
rt.publish("lab:notes", {"level": "warning", "message": "valve 3 is slow", "valves": [1, 2, {"open": True}]})
rt.publish("lab:notes", "<img src=x onerror=\\"window.hacked=1\\"><b>bold</b>")
rt.publish("lab:notes", ["long", "x" * 5000])
rt.publish("lab:notes", 21.5)
notes.wait(5, timeout=10)
"""

FLOOD = """\
for n in range(3000):
    rt.publish("lab:notes", {"n": n})
rt.publish("lab:notes", "end of the flood")
"""

MORE = 'rt.publish("lab:notes", "after the pause")\nrt.publish("lab:notes", "and another")'
CLOSE = "log.close()"


@pytest.fixture
def notebook(open_notebook):
    opened = open_notebook(SERVER, LOG, SAY, FLOOD, MORE, CLOSE)
    opened.run(0, 1)
    expect(opened.find(".nbrt-log")).to_have_attribute("data-state", "waiting")
    yield opened
    assert opened.errors() == []
    assert opened.complaints == []


def rows(notebook):
    return notebook.find(".nbrt-log .nbrt-row")


def test_payloads_are_shown_newest_first_and_markup_stays_text(notebook):
    log = notebook.find(".nbrt-log")
    expect(log).to_contain_text("Waiting for lab:notes")
    expect(log).to_contain_text('rt.publish("lab:notes", "hello")')
    notebook.run(2)
    expect(rows(notebook)).to_have_count(5)
    expect(rows(notebook).first.locator(".nbrt-payload")).to_have_text("21.5")
    expect(rows(notebook).last.locator(".nbrt-payload")).to_have_text("pump started")
    expect(rows(notebook).last.locator(".nbrt-time")).to_have_text(re.compile(r"^\d\d:\d\d:\d\d\.\d{3}$"))
    expect(log.locator(".nbrt-date")).to_have_text(re.compile(r"^\d{4}-\d\d-\d\d UTC$"))
    expect(log).to_contain_text('<img src=x onerror="window.hacked=1"><b>bold</b>')
    rows(notebook).nth(2).locator(".nbrt-rowline").click()
    assert log.locator("img, b").count() == 0
    assert notebook.page.evaluate("window.hacked") is None
    expect(log).to_contain_text("5 messages")
    expect(log).to_have_attribute("data-state", "live")
    # Nobody writes for a while: it says so, and for how long.
    expect(log).to_have_attribute("data-state", "stale", timeout=15_000)
    expect(rows(notebook)).to_have_count(5)
    expect(log).to_contain_text(re.compile(r"No data for \d+ s"))


def test_a_row_is_expanded_by_keyboard(notebook):
    notebook.run(2)
    expect(rows(notebook)).to_have_count(5)
    log, keyboard = notebook.find(".nbrt-log"), notebook.page.keyboard
    log.get_by_label("Filter messages").focus()
    keyboard.press("Tab")
    expect(log.get_by_text("Pause", exact=True)).to_be_focused()
    keyboard.press("Tab")
    expect(rows(notebook).first.locator(".nbrt-rowline")).to_be_focused()
    for _ in range(3):
        keyboard.press("ArrowDown")
    line = rows(notebook).nth(3).locator(".nbrt-rowline")
    expect(line).to_be_focused()
    keyboard.press("Enter")
    expect(line).to_have_attribute("aria-expanded", "true")
    expect(rows(notebook).nth(3).locator("pre")).to_have_text(
        '{\n  "level": "warning",\n  "message": "valve 3 is slow",\n  "valves": [\n    1,\n    2,\n'
        '    {\n      "open": true\n    }\n  ]\n}',
        use_inner_text=True,
    )
    # What comes meanwhile takes neither the focus nor the place of what is read.
    opened = log.locator(".nbrt-rowline[aria-expanded=true]")
    before = opened.bounding_box()
    with rt.connect() as connection:
        connection.publish("lab:notes", "from outside")
        expect(log).to_contain_text("6 messages")
    expect(opened).to_be_focused()
    assert opened.bounding_box() == before
    expect(log.get_by_text(re.compile(r"\d newer"))).to_be_visible()
    expect(log.locator(".nbrt-rowline")).to_have_count(6)
    # The payload is copied as it came.
    log.get_by_role("button", name="Copy payload").click()
    assert notebook.page.evaluate("navigator.clipboard.readText()").startswith('{"level":"warning",')
    opened.focus()
    line = rows(notebook).nth(4).locator(".nbrt-rowline")
    keyboard.press("ArrowLeft")
    expect(line).to_have_attribute("aria-expanded", "false")
    expect(line).to_be_focused()
    keyboard.press("ArrowUp")
    keyboard.press("ArrowUp")
    keyboard.press("Space")
    expect(rows(notebook).nth(2)).to_contain_text("All of 5 kB")
    assert "x" * 5000 in rows(notebook).nth(2).locator("pre").inner_text()
    keyboard.press("Escape")
    expect(log.locator(".nbrt-list")).to_be_focused()
    expect(log.locator(".nbrt-newest")).to_be_hidden()


def test_a_filter_leaves_what_has_its_words(notebook):
    notebook.run(2)
    log = notebook.find(".nbrt-log")
    entry = log.get_by_label("Filter messages")
    entry.fill("VALVE 3")
    expect(rows(notebook)).to_have_count(1)
    expect(log).to_contain_text("1 of 5 match")
    entry.fill(".*")
    expect(rows(notebook)).to_have_count(0)
    expect(log).to_contain_text("Nothing here has “.*” in it")
    entry.press("Escape")
    expect(rows(notebook)).to_have_count(5)


def test_a_pause_keeps_the_view_and_counts_what_comes(notebook):
    notebook.run(2)
    log = notebook.find(".nbrt-log")
    expect(rows(notebook)).to_have_count(5)
    log.get_by_text("Pause", exact=True).click()
    notebook.run(4)
    expect(log).to_contain_text("Paused, 2 new")
    expect(rows(notebook)).to_have_count(5)
    log.get_by_text("Resume", exact=True).click()
    expect(rows(notebook)).to_have_count(7)
    expect(rows(notebook).first).to_contain_text("and another")


def test_a_flood_leaves_few_rows_in_the_document_and_a_reload_refills_them(notebook):
    notebook.run(2, 3)
    log = notebook.find(".nbrt-log")
    expect(rows(notebook).first).to_contain_text("end of the flood")
    expect(log).to_contain_text("3\u2009006 messages")
    expect(log).to_contain_text("newest 500 kept")
    assert rows(notebook).count() < 40
    log.locator(".nbrt-list").evaluate("(list) => { list.scrollTop = 4000; }")
    expect(log.get_by_text("newer")).to_be_visible()
    log.get_by_text("newer").click()
    expect(log.locator(".nbrt-newest")).to_be_hidden()
    notebook.save()
    notebook.reload()
    expect(rows(notebook).first).to_contain_text("end of the flood")
    other = notebook.second_tab()
    expect(rows(other).first).to_contain_text("end of the flood")
    notebook.run(1)
    expect(notebook.find(".nbrt-log")).to_have_count(1)
    expect(rows(notebook).first).to_contain_text("end of the flood")
    # A new one on the same topic has what the old one had.
    expect(notebook.find(".nbrt-log")).to_contain_text("3\u2009006 messages")
    expect(notebook.find(".nbrt-log")).to_contain_text("newest 500 kept")


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_it_fits_narrow_and_wide_in_every_state(notebook, theme):
    notebook.theme(theme)
    log = notebook.find(".nbrt-log")
    heights = {log.bounding_box()["height"]}
    notebook.screenshot(f"log-{theme}-waiting")
    notebook.run(2)
    expect(rows(notebook)).to_have_count(5)
    rows(notebook).nth(3).locator(".nbrt-rowline").click()
    heights.add(log.bounding_box()["height"])
    for width in (1400, 430):
        notebook.resize(width)
        notebook.screenshot(f"log-{theme}-{width}")
        inside, needed = log.evaluate("(e) => [e.clientWidth, e.scrollWidth]")
        assert needed <= inside, f"the log is wider than its place at {width} px"
    log.get_by_text("Pause", exact=True).click()
    notebook.run(4)
    expect(log).to_contain_text("Paused, 2 new")
    notebook.screenshot(f"log-{theme}-430-paused")
    log.get_by_text("Resume", exact=True).click()
    notebook.resize(1400)
    notebook.run(5)
    expect(log).to_have_attribute("data-state", "closed")
    expect(log).to_contain_text(re.compile(r"Closed \d\d:\d\d"))
    heights.add(log.bounding_box()["height"])
    notebook.screenshot(f"log-{theme}-closed")
    assert len(heights) == 1, "it changed its height between states"
