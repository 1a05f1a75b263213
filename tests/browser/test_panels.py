"""The panels as people use them: by keyboard, beside a running cell, after a reload, closed, and narrow."""

from __future__ import annotations

from contextlib import ExitStack

import pytest
from playwright.sync_api import expect

from .cells import SERVER, TOPIC

PANELS = (
    "temp",
    "rt.PresenceBar(temp)",
    "box = rt.PublishBox()\nbox",
    "rt.ConnectionBadge()",
)

# Ends as soon as something was heard; a kernel that hears only between cells gives up and says so.
WAITING = """\
import time

end = time.monotonic() + 20
while temp.value is None and time.monotonic() < end:
    time.sleep(0.05)
print("heard", temp.value)
"""


@pytest.fixture
def notebook(open_notebook):
    opened = open_notebook(SERVER, TOPIC, *PANELS, WAITING, "box.close()\ntemp.close()")
    opened.run(0, 1, 2, 3, 4, 5)
    expect(opened.find(".nbrt-presence")).to_have_attribute("data-state", "live")
    expect(opened.find(".nbrt-badge")).to_have_attribute("data-state", "connected")
    yield opened
    assert opened.errors() == []
    assert opened.complaints == []


def test_a_box_is_used_without_a_mouse(notebook):
    box = notebook.find(".nbrt-publish")
    topic, entry = box.get_by_label("Topic", exact=True), box.get_by_label("Value", exact=True)
    note = box.locator(".nbrt-note")
    topic.focus()
    keyboard = notebook.page.keyboard
    keyboard.type("lab:temp")
    keyboard.press("Enter")
    expect(entry).to_be_focused()
    keyboard.type("21.5")
    expect(box).to_contain_text("Sends the number 21.5")
    keyboard.press("Enter")
    expect(note).to_contain_text("Sent to lab:temp")
    expect(notebook.find(".nbrt-card .nbrt-big")).to_have_text("21.5")

    keyboard.type('{"x": 1,')
    keyboard.press("Shift+Enter")
    keyboard.press("Enter")
    expect(box).to_contain_text("Not JSON, line 2, column 1")
    expect(note).to_contain_text("Not sent")
    expect(entry).to_be_focused()
    keyboard.type('"y": 2}')
    keyboard.press("Enter")
    expect(notebook.find(".nbrt-card .nbrt-cell:visible")).to_have_text(["x1", "y2"])
    keyboard.press("ArrowUp")
    expect(entry).to_have_value('{"x": 1,\n"y": 2}')
    # JupyterLab's Shift+Enter runs a cell; in the box it did not.
    expect(notebook.cell(6).locator(".jp-InputArea-prompt").first).to_have_text("[ ]:")


def test_a_box_publishes_while_a_cell_runs(notebook):
    box = notebook.find(".nbrt-publish")
    notebook.run(6, wait=False)
    box.get_by_label("Topic", exact=True).fill("lab:temp")
    entry = box.get_by_label("Value", exact=True)
    entry.fill("42")
    entry.press("Enter")
    expect(box.locator(".nbrt-note")).to_contain_text("Sent to lab:temp")
    notebook.wait_idle(6)
    assert "heard 42" in notebook.text(6)


def test_panels_show_the_same_after_a_reload_and_in_a_second_tab(notebook):
    notebook.save()
    notebook.reload()
    other = notebook.second_tab()
    for tab in (notebook, other):
        expect(tab.find(".nbrt-presence")).to_contain_text("1 here")
        expect(tab.find(".nbrt-badge")).to_contain_text("Connected")
        expect(tab.find(".nbrt-card")).to_have_attribute("data-state", "live")


def test_what_is_closed_says_so_and_stays(notebook):
    notebook.run(7)
    for name in ("card", "presence", "publish"):
        expect(notebook.find(f".nbrt-{name}")).to_have_attribute("data-state", "closed")
        expect(notebook.find(f".nbrt-{name}")).to_contain_text("Closed")
    expect(notebook.find(".nbrt-badge")).to_have_attribute("data-state", "connected")


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_a_box_whose_kernel_was_restarted_takes_nothing_and_says_what_to_do(notebook, theme):
    notebook.theme(theme)
    box = notebook.find(".nbrt-publish")
    box.get_by_label("Topic", exact=True).fill("lab:temp")
    entry, note = box.get_by_label("Value", exact=True), box.locator(".nbrt-note")
    entry.fill("21.5")
    entry.press("Enter")
    expect(note).to_contain_text("Sent to lab:temp")
    entry.fill("22")
    expect(box).to_contain_text("Sends the number 22")
    height = box.bounding_box()["height"]
    notebook.restart()
    expect(box).to_have_attribute("data-state", "ended")
    expect(note).to_have_text("The kernel of this box has ended. Run the cell again")
    # What was being written can still be copied.
    expect(entry).to_have_value("22")
    expect(entry).not_to_be_editable()
    expect(box).not_to_contain_text("Sends the number 22")
    assert box.bounding_box()["height"] == height
    entry.press("Enter")
    box.get_by_role("button", name="Publish").click(force=True)
    notebook.screenshot(f"publish-ended-{theme}")
    expect(note).to_have_text("The kernel of this box has ended. Run the cell again")
    notebook.run(0, 1, 4)
    expect(box).to_have_attribute("data-state", "connected")
    expect(note).to_have_text("")


def test_what_shows_a_kernel_that_was_restarted_says_so_as_soon_as_the_page_knows(notebook):
    views = [notebook.find(f".nbrt-{name}") for name in ("card", "presence", "badge")]
    box = notebook.find(".nbrt-publish")
    with ExitStack() as stack:
        ended = stack.enter_context(notebook.record("data-state", box))
        told = [stack.enter_context(notebook.record("data-state", view)) for view in views]
        notebook.restart()
        expect(box).to_have_attribute("data-state", "ended")
        for view in views:
            expect(view).to_have_attribute("data-state", "ended")
            expect(view).to_contain_text("he kernel has ended, run the cell again")
    known = next(at for at, state in ended.seen if state == "ended")
    for recording in told:
        # Silence alone would take five seconds to tell.
        assert next(at for at, state in recording.seen if state == "ended") - known < 2000


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_panels_fit_narrow_and_wide(notebook, theme):
    notebook.theme(theme)
    for width in (1400, 430):
        notebook.resize(width)
        notebook.screenshot(f"panels-{theme}-{width}")
        for name in ("card", "presence", "publish", "badge"):
            root = notebook.find(f".nbrt-{name}")
            inside, needed = root.evaluate("(e) => [e.clientWidth, e.scrollWidth]")
            assert needed <= inside, f"{name} is wider than its place at {width} px"


# How much of a panel is below its last line of words, and of what its note's place takes.
BELOW = """(root) => {
  const lines = [...root.querySelectorAll("*")].filter((one) => one.children.length === 0 && one.textContent.trim()
    && !one.closest(".nbrt-voice") && one.getBoundingClientRect().height > 4);
  return root.getBoundingClientRect().bottom - Math.max(...lines.map((one) => one.getBoundingClientRect().bottom));
}"""


def test_a_long_topic_is_read_whole_in_a_box_and_leaves_the_bar_its_words(open_notebook):
    topic = "laboratory:building-7:boiler-room:temperature-sensor-3"
    notebook = open_notebook(
        SERVER, f'import nbrealtime as rt\nrt.PublishBox("{topic}")', f'rt.PresenceBar("{topic}")'
    )
    notebook.resize(1000)
    notebook.run_all()
    field = notebook.find(".nbrt-publish").get_by_label("Topic", exact=True)
    who = notebook.find(".nbrt-who")
    expect(field).to_have_value(topic)
    expect(who).to_have_text("only this notebook")
    for shown in (field, who):
        assert shown.evaluate("(node) => node.scrollWidth <= node.clientWidth")
    notebook.resize(400)
    assert field.evaluate("(node) => node.scrollWidth > node.clientWidth"), "here it has no room"
    expect(field).to_have_attribute("title", topic)


@pytest.mark.parametrize("width", [1000, 430])
def test_a_panel_keeps_no_more_room_below_it_than_one_sentence_takes(notebook, width):
    notebook.resize(width)
    for name in ("card", "publish", "badge"):
        assert notebook.find(f".nbrt-{name}").evaluate(BELOW) <= 8 + 4 + 20 + 1, name
