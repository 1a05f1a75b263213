"""What a plot, a badge and a presence bar say when there is nothing to show, or nobody to ask."""

from __future__ import annotations

import re

from playwright.sync_api import expect

from .cells import FEED, SERVER, TOPIC

BLUE = 0x1431EC  # the first series, in light

_COLUMNS = """(canvases, [red, green, blue]) => {
  const canvas = canvases.reduce((a, b) => (b.width * b.height > a.width * a.height ? b : a));
  const {width, height} = canvas;
  const pixels = canvas.getContext("2d").getImageData(0, 0, width, height).data;
  const columns = [];
  for (let x = 0; x < width; x++) {
    let inked = false;
    for (let y = 0; y < height && !inked; y++) {
      const at = 4 * (y * width + x);
      inked = pixels[at + 3] > 100 && Math.abs(pixels[at] - red) < 70 && Math.abs(pixels[at + 1] - green) < 70
        && Math.abs(pixels[at + 2] - blue) < 70;
    }
    columns.push(inked);
  }
  return columns;
}"""


def _widest_gap(plot) -> float:
    """Return the widest place inside the line where there is no line, as a share of the line's width."""
    columns = plot.locator("canvas").evaluate_all(_COLUMNS, [BLUE >> 16, BLUE >> 8 & 255, BLUE & 255])
    line = "".join("x" if inked else "." for inked in columns).strip(".")
    return max((len(hole) for hole in re.findall(r"\.+", line)), default=0) / len(line)


def test_a_server_that_returns_leaves_a_gap_and_nothing_broken(open_notebook):
    notebook = open_notebook(
        SERVER,
        TOPIC,
        FEED,
        'temp.plot(window="30s")',
        "rt.ConnectionBadge()",
        "rt.PresenceBar(temp)",
        # What is published meanwhile comes later with its own times, and would fill the gap.
        "feeding.clear()\n%rtserver stop",
        "%rtserver",
        "rt.PublishBox()",
    )
    notebook.run(0, 1, 2, 3, 4, 5, 8)
    box = notebook.find(".nbrt-publish")
    badge = notebook.find(".nbrt-badge")
    presence = notebook.find(".nbrt-presence")
    notebook.wait_state("live")
    expect(badge).to_have_attribute("data-state", "connected")
    expect(presence).to_contain_text("1 here")
    notebook.wait_beyond("data-t", notebook.number("data-t0") + 2000)

    notebook.run(6)
    expect(badge).to_have_attribute("data-state", "reconnecting")
    # Notes are sentences: they begin with a capital, wherever they came from.
    expect(badge.locator(".nbrt-note")).to_have_text(re.compile(r"^Attempt \d"))
    expect(box.locator(".nbrt-note")).to_have_text(re.compile(r"^Reconnecting"))
    notebook.wait_state("stale")
    expect(notebook.plot).to_contain_text("reconnecting")
    expect(presence).to_contain_text("— here")
    notebook.screenshot("server-gone-light")
    newest = notebook.number("data-t")

    notebook.run(7, 2)
    expect(badge).to_have_attribute("data-state", "connected", timeout=40_000)
    expect(presence).to_contain_text("1 here")
    notebook.wait_state("live")
    notebook.wait_beyond("data-t", newest + 3000, timeout=20)
    assert _widest_gap(notebook.plot) > 0.05, "the line goes on where nothing was heard"
    notebook.screenshot("server-back-light")
    assert notebook.errors() == []
    assert notebook.complaints == []


def test_an_empty_plot_says_what_to_type_and_lets_it_be_copied(open_notebook):
    notebook = open_notebook(SERVER, TOPIC, 'temp.plot(window="30s")', 'rt.publish("lab:temp", 21.5)')
    notebook.run(0, 1, 2)
    notebook.wait_state("empty")
    expect(notebook.plot).to_contain_text("Waiting for lab:temp")
    line = 'rt.publish("lab:temp", 21.5)'
    expect(notebook.plot).to_contain_text(line)
    assert notebook.plot.get_attribute("data-t0") in (None, "")
    notebook.plot.get_by_role("button", name=re.compile("copy", re.IGNORECASE)).click()
    notebook.page.wait_for_function(
        "async (line) => (await navigator.clipboard.readText()) === line", arg=line, timeout=5000
    )
    notebook.screenshot("plot-empty-light")

    notebook.run(3)
    notebook.wait_state("live")
    expect(notebook.plot).not_to_contain_text("Waiting for")
    assert notebook.errors() == []
    assert notebook.complaints == []


def test_a_payload_that_is_no_number_is_said_so_and_one_that_is_nan_is_a_gap(open_notebook):
    gaps = """\
t0 = time.time() - 20
rt.publish("lab:gaps", {"t": [t0 + n / 10 for n in range(200)],
                        "value": [None if 80 <= n < 120 else 5.0 for n in range(200)]})
gaps.wait(n=1, timeout=10)
gaps.plot(window="30s")"""
    notebook = open_notebook(
        SERVER,
        'import time\nimport nbrealtime as rt\ntext, gaps = rt.subscribe("lab:text"), rt.subscribe("lab:gaps")',
        'text.plot(window="30s")',
        'rt.publish("lab:text", "hello")',
        gaps,
    )
    notebook.run_all()
    words, line = notebook.plot.nth(0), notebook.plot.nth(1)
    expect(words).to_contain_text("lab:text carries text; use .log()")
    notebook.page.wait_for_function("() => document.querySelectorAll('.nbrt-plot')[1].dataset.t0")
    notebook.screenshot("plot-text-and-gap-light")

    assert 0.15 < _widest_gap(line) < 0.27, "4 of 20 s are missing"
    assert notebook.errors() == []
    assert notebook.complaints == []


def test_a_plot_can_be_paused_and_closed_by_its_reader(open_notebook):
    notebook = open_notebook(SERVER, TOPIC, FEED, 'plot = temp.plot(window="20s")\nplot', "temp.close()")
    notebook.run(0, 1, 2, 3)
    notebook.wait_state("live")
    notebook.plot.hover()
    notebook.plot.get_by_role("button", name=re.compile("pause", re.IGNORECASE)).click()
    notebook.wait_state("paused")
    expect(notebook.plot).to_contain_text(re.compile(r"Paused, \d+ new"))
    still = notebook.number("data-t")
    expect(notebook.plot).to_contain_text(re.compile(r"Paused, \d{2,} new"))
    assert notebook.number("data-t") == still
    notebook.screenshot("plot-paused-light")

    notebook.plot.get_by_role("button", name=re.compile("resume|live", re.IGNORECASE)).click()
    notebook.wait_state("live")
    notebook.wait_beyond("data-t", still)

    notebook.run(4)
    notebook.wait_state("closed")
    expect(notebook.plot).to_contain_text(re.compile(r"Closed \d\d:\d\d"))
    notebook.screenshot("plot-closed-light")
    assert notebook.errors() == []
    assert notebook.complaints == []


def test_a_plot_whose_kernel_is_gone_says_so(open_notebook, lab):
    notebook = open_notebook(SERVER, TOPIC, FEED, 'temp.plot(window="20s")', "rt.ConnectionBadge()")
    notebook.run_all()
    notebook.wait_state("live")
    lab.delete_kernels()
    notebook.wait_state("stale")
    expect(notebook.plot).to_contain_text("kernel is not answering")
    expect(notebook.find(".nbrt-badge")).to_contain_text("The kernel is not answering")
    assert notebook.complaints == []


def test_a_plot_whose_kernel_was_restarted_does_not_call_itself_live(open_notebook):
    notebook = open_notebook(SERVER, TOPIC, FEED, 'temp.plot(window="20s")', "rt.PublishBox()")
    notebook.run_all()
    notebook.wait_state("live")
    box = notebook.find(".nbrt-publish")
    with notebook.record("data-state", box) as ended, notebook.record("data-state") as told:
        notebook.restart()
        notebook.wait_state("stale")
        expect(box).to_have_attribute("data-state", "ended")
    expect(notebook.plot).to_contain_text("kernel has ended, run the cell again")
    known = next(at for at, state in ended.seen if state == "ended")
    assert next(at for at, state in told.seen if state == "stale") - known < 2000
    assert notebook.complaints == []
