"""Alerts as people meet them: on the plot, in the log, and as notifications of the browser."""

from __future__ import annotations

import re

import pytest
from playwright.sync_api import expect

import nbrealtime as rt

from .cells import SERVER

WATCH = """\
import nbrealtime as rt
temp = rt.subscribe("lab:temp")
temp.publish(20)
hot = temp.alert(above=30, level="critical", name="Too hot", notify=True)
temp.alert(below=-5)
temp.plot(window="30s")"""

LOG = "log = rt.AlertLog()\nlog"

TELL = '@hot.on_fire\ndef told(event):\n    print("told:", event.message)'

# While this computes the alert fires, clears and fires, and all of it is shown.
BUSY = """\
import time
until = time.monotonic() + 4
temp.publish(31)
while time.monotonic() < until:
    sum(range(1000))
"""

CRITICAL = 0xB3261E

# Counts what is notified, instead of showing it where no screen is.
STUB = """
window.notified = [];
window.asked = 0;
class Notification {
  static permission = "default";
  static async requestPermission() { window.asked++; return (Notification.permission = "granted"); }
  constructor(title, options) { window.notified.push(`${title}: ${options.body}`); }
  close() {}
}
window.Notification = Notification;
"""


@pytest.fixture
def notebook(open_notebook, context):
    context.add_init_script(STUB)
    opened = open_notebook(SERVER, WATCH, LOG, TELL, BUSY, "log.close()")
    opened.run(0, 1, 2, 3)
    expect(opened.find(".nbrt-alerts")).to_have_attribute("data-state", "live")
    yield opened
    assert opened.errors() == []
    assert opened.complaints == []


def test_an_alert_fires_in_a_busy_cell_and_is_seen_on_the_plot_and_in_the_log(notebook):
    log = notebook.find(".nbrt-alerts")
    rows, events = log.locator(".nbrt-alert"), log.locator(".nbrt-event")
    expect(rows).to_have_count(2)
    expect(log).to_contain_text("All OK")
    expect(log.get_by_text("Nothing has fired")).to_be_visible()
    notebook.wait_state("live")
    before = notebook.picture().near(CRITICAL)
    notebook.run(4, wait=False)
    expect(rows.first).to_have_attribute("data-state", "firing")
    assert not notebook.page.evaluate(
        "() => window.jupyterapp.shell.currentWidget.content.widgets[4].model.executionState === 'idle'"
    ), "the cell computes"
    expect(rows.first).to_contain_text("Too hot")
    expect(rows.first).to_contain_text(re.compile(r"Firing.*critical", re.DOTALL))
    expect(log).to_contain_text("1 firing")
    expect(events.first).to_contain_text("Too hot: lab:temp is 31, above 30")
    expect(log.get_by_text("Nothing has fired")).to_be_hidden()
    expect(notebook.cell(3)).to_contain_text("told: Too hot: lab:temp is 31, above 30")
    # Its line and its mark: both are in the colour of what is critical.
    notebook.page.wait_for_timeout(300)
    assert notebook.picture().near(CRITICAL) > before + 50
    notebook.wait_idle(4)
    with rt.connect() as connection:
        connection.publish("lab:temp", 25)
        expect(log).to_contain_text("All OK")
        expect(events).to_have_count(2)
        expect(events.first).to_contain_text("Cleared")
    # A reload shows the same.
    notebook.save()
    notebook.reload()
    expect(events).to_have_count(2)
    expect(rows.first).to_contain_text("fired once")
    # Run again, a cell's alerts take the places of those that it had made; what happened stays.
    notebook.run(1)
    expect(rows.filter(has_text=re.compile("has not fired", re.IGNORECASE))).to_have_count(2)
    expect(rows).to_have_count(2)
    expect(events).to_have_count(2)
    notebook.run(5)
    expect(log).to_have_attribute("data-state", "closed")


def test_notifications_are_asked_for_by_a_click_and_reach_a_hidden_page(notebook, context):
    page, log = notebook.page, notebook.find(".nbrt-alerts")
    button = log.get_by_role("button", name="Notify me")
    with rt.connect() as connection:
        connection.publish("lab:temp", 31)
        expect(log).to_have_attribute("data-firing", "1")
        assert page.evaluate("[window.asked, window.notified.length]") == [0, 0]
        button.focus()
        page.keyboard.press("Enter")
        pressed = log.get_by_role("button", name="Notifying")
        expect(pressed).to_have_attribute("aria-pressed", "true")
        assert page.evaluate("[window.asked, window.notified.length]") == [1, 0], (
            "what had happened is no news"
        )
        connection.publish("lab:temp", 20)
        expect(log).to_have_attribute("data-firing", "0")
        # Nobody looks: the pump is silent, but for this.
        page.evaluate(
            """() => {
              Object.defineProperty(document, "hidden", {value: true, configurable: true});
              document.dispatchEvent(new Event("visibilitychange"));
            }"""
        )
        page.wait_for_timeout(1000)
        connection.publish("lab:temp", 33)
        page.wait_for_function("window.notified.length > 0")
        assert page.evaluate("window.notified") == ["Critical alert: Too hot: lab:temp is 33, above 30"]
    page.evaluate("() => { delete document.hidden; document.dispatchEvent(new Event('visibilitychange')); }")
    pressed.click()
    expect(button).to_have_attribute("aria-pressed", "false")


def test_where_the_browser_blocks_notifications_the_log_says_so(open_notebook, context):
    context.add_init_script(STUB + "Notification.permission = 'denied';")
    opened = open_notebook(SERVER, WATCH, LOG)
    opened.run(0, 1, 2)
    log = opened.find(".nbrt-alerts")
    expect(log).to_contain_text("The browser blocks notifications of this page")
    expect(log.get_by_role("button", name="Notify me")).to_have_attribute("aria-disabled", "true")


def test_a_narrow_log_without_alerts_shows_the_whole_of_what_to_type(open_notebook):
    notebook = open_notebook(SERVER, "import nbrealtime as rt\nrt.AlertLog()")
    notebook.resize(400)
    notebook.run_all()
    empty = notebook.find(".nbrt-alerts .nbrt-empty")
    # Its words are there before the kernel has said that there are no alerts; they show from then on.
    expect(empty).to_be_visible()
    expect(empty).to_contain_text("No alerts yet")
    outer = empty.bounding_box()
    for part in (empty.get_by_text("No alerts yet"), empty.get_by_role("button")):
        inner = part.bounding_box()
        assert outer["y"] <= inner["y"]
        assert inner["y"] + inner["height"] <= outer["y"] + outer["height"]
