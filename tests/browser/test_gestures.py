"""What hands do with a plot: drag, wheel, keys, touch, hide, point, pause, save, and Python's word to follow again."""

from __future__ import annotations

import re

import ipykernel
import pytest
from playwright.sync_api import expect

from .cells import SERVER
from .notebook import SCREENSHOTS

PLOT = """\
import nbrealtime as rt, math, threading, time
room = rt.subscribe("lab:room")
plot = room.plot(window=10, title="Room", cursor_sync="room")
plot"""

# A minute of history at once, then 20 samples a second.
FEED = """\
now = time.time()
past = [now - 60 + i / 20 for i in range(1200)]
rt.publish("lab:room", {
    "t": past,
    "temp": [20 + 5 * math.sin(t) for t in past],
    "humidity": [50 + 10 * math.cos(t / 2) for t in past],
})

def feed():
    while True:
        t = time.time()
        rt.publish("lab:room", {"t": t, "temp": 20 + 5 * math.sin(t), "humidity": 50 + 10 * math.cos(t / 2)})
        time.sleep(0.05)

threading.Thread(target=feed, name="feed", daemon=True).start()
"""

OTHER = 'other = room.plot(window=20, cursor_sync="room", height=200)\nother'
RESET = "plot.reset_view()"
SLEEP = "time.sleep(8)"
VIEW = "data-view"


@pytest.fixture
def notebook(open_notebook):
    opened = open_notebook(SERVER, PLOT, FEED, RESET, OTHER, SLEEP)
    opened.run(0, 1, 2)
    opened.wait_state("live")
    yield opened
    assert opened.errors() == []
    assert opened.complaints == []


class Hand:
    """A mouse over the plotting area of one plot, whose places are fractions: x from the left, y from the top."""

    def __init__(self, notebook, plot=None):
        self.page = notebook.page
        self.plot = plot if plot is not None else notebook.plot
        self.field = self.plot.locator(".nbrt-plot-field")
        self.field.scroll_into_view_if_needed()

    def at(self, x, y):
        box = self.field.bounding_box()
        return box["x"] + x * box["width"], box["y"] + y * box["height"]

    def move(self, x, y):
        self.page.mouse.move(*self.at(x, y), steps=4)

    def drag(self, start, end):
        self.move(*start)
        self.page.mouse.down()
        self.move(*end)
        self.page.mouse.up()

    def span(self):
        """From when to when it shows, seconds, and from which value to which."""
        return [float(part) for part in self.plot.get_attribute("data-shown").split(",")]

    def until(self, condition):
        """Wait until what is shown meets a condition in JavaScript of `begin`, `end`, `low` and `high`; return it."""
        self.page.wait_for_function(
            f"(plot) => {{ const [begin, end, low, high] = plot.dataset.shown.split(',').map(Number);"
            f" return {condition}; }}",
            arg=self.plot.element_handle(),
        )
        return self.span()

    def expect_view(self, view):
        expect(self.plot).to_have_attribute(VIEW, view)

    def still(self):
        """Wait for what a span that stands still shows, and assert that new data do not move it."""
        before = self.span()
        newest = float(self.plot.get_attribute("data-t"))
        self.page.wait_for_function(
            "([plot, t]) => Number(plot.dataset.t) > t + 500", arg=[self.plot.element_handle(), newest]
        )
        assert self.span()[:2] == before[:2]
        return before


def test_a_drag_zooms_and_nothing_new_resets_it_until_it_follows_again(notebook):
    hand = Hand(notebook)
    hand.expect_view("following")
    follow = hand.plot.get_by_role("button", name="Follow")
    expect(follow).to_be_hidden()
    begin, end, *_ = hand.span()
    assert end - begin == pytest.approx(10, abs=0.01)
    # Along the time: half of the window.
    hand.drag((0.25, 0.5), (0.75, 0.55))
    hand.expect_view("zoomed")
    expect(follow).to_be_visible()
    hand.until("end - begin < 5.3 && end - begin > 4.7")
    begin, end, low, high = hand.still()
    # Along the values: the upper half, and the time stays.
    hand.drag((0.5, 0.0), (0.52, 0.5))
    after = hand.until(f"high - low < {0.55 * (high - low)}")
    assert after[:2] == [begin, end]
    assert after[3] - after[2] > 0.45 * (high - low)
    # Both with Shift.
    notebook.page.keyboard.down("Shift")
    hand.drag((0.2, 0.2), (0.4, 0.8))
    notebook.page.keyboard.up("Shift")
    hand.until("end - begin < 1.1 && end - begin > 0.9")
    # A drag that is taken back zooms nowhere.
    before = hand.still()
    hand.move(0.3, 0.5)
    notebook.page.mouse.down()
    hand.move(0.6, 0.5)
    expect(hand.plot.locator(".nbrt-plot-select")).to_be_visible()
    notebook.page.keyboard.press("Escape")
    notebook.page.mouse.up()
    assert hand.span() == before
    follow.click()
    hand.expect_view("following")
    hand.until(f"end > {end} && end - begin > 9.99")
    hand.drag((0.25, 0.5), (0.75, 0.5))
    hand.expect_view("zoomed")
    notebook.page.mouse.dblclick(*hand.at(0.5, 0.5))
    hand.expect_view("following")
    # Python's word.
    hand.drag((0.25, 0.5), (0.75, 0.5))
    hand.expect_view("zoomed")
    notebook.run(3)
    hand.expect_view("following")


def test_keys_and_wheel_go_to_the_past_that_the_kernel_keeps(notebook):
    hand, keyboard = Hand(notebook), notebook.page.keyboard
    page = notebook.page
    hand.field.focus()
    keyboard.press("PageUp")
    hand.expect_view("zoomed")
    for _ in range(3):
        keyboard.press("PageUp")
    hand.until("plot.dataset.t / 1000 - end > 25")
    begin, end, *_ = hand.still()
    assert end - begin == pytest.approx(10, abs=0.01)
    # The view held ten seconds: what is seen now came from the kernel.
    page.wait_for_function(
        "([plot, begin]) => Number(plot.dataset.t0) / 1000 < begin + 0.2",
        arg=[hand.plot.element_handle(), begin],
    )
    expect(hand.plot.locator(".nbrt-plot-busy")).to_be_hidden()
    keyboard.press("+")
    hand.until("Math.abs(end - begin - 10 / 1.5) < 0.01")
    keyboard.press("-")
    keyboard.press("ArrowRight")
    hand.until(f"Math.abs(begin - {begin} - 1) < 0.01")
    assert notebook.cell(1).evaluate("e => e.classList.contains('jp-mod-active')"), "the arrows left the plot"
    low, high = hand.span()[2:]
    keyboard.press("ArrowUp")
    hand.until(f"Math.abs(low - {low + 0.1 * (high - low)}) < 0.01")
    keyboard.press("Escape")
    hand.expect_view("following")
    # The wheel: in where the pointer is, and sideways.
    hand.move(0.5, 0.5)
    page.mouse.wheel(0, -200)
    hand.expect_view("zoomed")
    begin, *_ = hand.until("end - begin < 9")
    page.mouse.wheel(-300, 0)
    hand.until(f"begin < {begin} - 0.5")
    keyboard.press("Home")
    hand.expect_view("following")
    keyboard.press("Space")
    notebook.wait_state("paused")
    expect(hand.plot).to_contain_text(re.compile(r"Paused, \d+ new"))
    keyboard.press("Space")
    notebook.wait_state("live")


def test_a_name_in_the_legend_hides_its_series_in_this_view(notebook):
    hand = Hand(notebook)
    temp = hand.plot.locator(".nbrt-legend-item", has_text="temp")
    humidity = hand.plot.locator(".nbrt-legend-item", has_text="humidity")
    blue, brown = 0x1431EC, 0xCB8216
    assert notebook.picture().near(brown) > 50
    humidity.click()
    expect(humidity).to_have_attribute("aria-pressed", "false")
    notebook.page.mouse.move(5, 5)
    hand.until("high < 40")
    assert notebook.picture().near(brown) == 0
    assert notebook.picture().near(blue) > 50
    notebook.save()
    other = notebook.second_tab()
    expect(other.plot.locator(".nbrt-legend-item", has_text="humidity")).to_have_attribute(
        "aria-pressed", "true"
    )
    other.close()
    notebook.page.bring_to_front()
    humidity.focus()
    notebook.page.keyboard.press("Enter")
    expect(humidity).to_have_attribute("aria-pressed", "true")
    temp.click(modifiers=["Shift"])
    expect(humidity).to_have_attribute("aria-pressed", "false")
    expect(temp).to_have_attribute("aria-pressed", "true")
    temp.click(modifiers=["Shift"])
    expect(humidity).to_have_attribute("aria-pressed", "true")


def test_the_crosshair_says_time_and_values_in_all_plots_of_its_name(notebook):
    notebook.run(4)
    plots = notebook.plot
    expect(plots).to_have_count(2)
    notebook.wait_state("live", plots.nth(1))
    hand = Hand(notebook, plots.first)
    hand.move(0.5, 0.6)
    for plot in (plots.first, plots.nth(1)):
        box = plot.locator(".nbrt-cross-box")
        expect(box).to_be_visible()
        expect(box.locator(".nbrt-cross-time")).to_have_text(re.compile(r"^\d\d:\d\d:\d\d\.\d+$"))
        expect(box.locator(".nbrt-cross-row")).to_have_count(2)
        expect(box.locator(".nbrt-cross-value").first).to_have_text(re.compile(r"^\d\d(\.\d+)?$"))
    notebook.page.mouse.move(5, 5)
    for plot in (plots.first, plots.nth(1)):
        expect(plot.locator(".nbrt-cross")).to_be_hidden()
    # By keyboard, sample by sample, and read aloud.
    hand.field.focus()
    notebook.page.keyboard.press("Space")
    notebook.page.keyboard.press("Shift+ArrowLeft")
    voice = plots.first.locator(".nbrt-plot-voice")
    expect(voice).to_have_text(re.compile(r"^\d\d:\d\d:\d\d\.\d+: temp \S+, humidity \S+$"))
    said = voice.text_content()
    notebook.page.keyboard.press("Shift+ArrowLeft")
    expect(voice).not_to_have_text(said)


def test_the_menu_saves_and_copies_and_names_the_file_that_the_kernel_wrote(notebook, lab):
    hand, page = Hand(notebook), notebook.page
    hand.field.focus()
    page.keyboard.press("Tab")
    page.keyboard.press("Tab")
    button = hand.plot.get_by_role("button", name="Save or copy")
    expect(button).to_be_focused()
    page.keyboard.press("ArrowDown")
    items = hand.plot.get_by_role("menuitem")
    expect(items.first).to_be_focused()
    with page.expect_download() as download:
        page.keyboard.press("Enter")
    assert re.fullmatch(r"Room-\d{4}-\d\d-\d\d-\d{6}\.png", download.value.suggested_filename)
    assert download.value.path().read_bytes()[:4] == b"\x89PNG"
    page.keyboard.press("ArrowDown")
    with page.expect_download() as download:
        page.keyboard.press("Enter")
    lines = download.value.path().read_text().splitlines()
    assert lines[0] == "time,epoch,temp,humidity"
    assert 150 < len(lines) < 260
    page.keyboard.press("End")
    page.keyboard.press("Enter")
    expect(hand.plot.locator(".nbrt-plot-said")).to_have_text("Copied")
    assert page.evaluate("navigator.clipboard.readText()").startswith("time,epoch,temp,humidity")
    # Where the host lets no download out.
    page.evaluate('globalThis[Symbol.for("nbrealtime.v1")].downloads = false')
    page.keyboard.press("Home")
    page.keyboard.press("Enter")
    said = hand.plot.locator(".nbrt-plot-said")
    expect(said).to_have_text(re.compile(r"^Saved beside the notebook: Room-[\d-]+\.png$"))
    name = said.text_content().split(": ")[1]
    assert (lab.root / name).read_bytes()[:4] == b"\x89PNG"
    page.keyboard.press("Escape")
    expect(button).to_be_focused()
    expect(items.first).to_be_hidden()


def test_a_deaf_kernel_is_waited_for_with_what_is_there_and_a_word(notebook):
    hand = Hand(notebook)
    # A browser that cannot hear the answer: as from a kernel that computes, whatever its version.
    notebook.page.evaluate(
        """() => {
          const send = WebSocket.prototype.send;
          WebSocket.prototype.send = function (data) { if (!window.deaf) return send.call(this, data); };
          window.deaf = true;
        }"""
    )
    hand.field.focus()
    for _ in range(2):
        notebook.page.keyboard.press("PageUp")
    busy = hand.plot.locator(".nbrt-plot-busy")
    expect(busy).to_be_visible()
    expect(busy).to_contain_text("Kernel busy")
    hand.still()
    # A pause needs no kernel at all.
    notebook.page.keyboard.press("Space")
    notebook.wait_state("paused")
    notebook.page.keyboard.press("Space")
    notebook.wait_state("live")
    notebook.page.keyboard.press("Escape")
    expect(busy).to_be_hidden()
    notebook.page.evaluate("() => { window.deaf = false; }")


@pytest.mark.skipif(ipykernel.version_info < (7,), reason="ipykernel 6 hears nothing while a cell runs")
def test_a_cell_that_runs_keeps_no_zoom_waiting(notebook):
    hand = Hand(notebook)
    notebook.run(5, wait=False)
    hand.field.focus()
    for _ in range(3):
        notebook.page.keyboard.press("PageUp")
    begin, *_ = hand.until("plot.dataset.t / 1000 - end > 18")
    # The view held ten seconds: what is there now came from the kernel.
    hand.until(f"plot.dataset.t0 / 1000 < {begin} + 0.2")
    expect(hand.plot.locator(".nbrt-plot-busy")).to_be_hidden()
    assert notebook.cell(5).locator(".jp-InputArea-prompt").text_content() == "[*]:", (
        "the cell had ended before"
    )
    notebook.wait_idle(5)


def test_a_finger_moves_the_picture_and_two_zoom(notebook):
    hand = Hand(notebook)
    x, y = hand.at(0.3, 0.5)
    devtools = notebook.page.context.new_cdp_session(notebook.page)

    def touch(kind, *points):
        devtools.send(
            "Input.dispatchTouchEvent",
            {"type": kind, "touchPoints": [{"x": px, "y": py, "id": i} for i, (px, py) in enumerate(points)]},
        )

    touch("touchStart", (x, y))
    for step in range(1, 6):
        touch("touchMove", (x + 40 * step, y))
    touch("touchEnd")
    hand.expect_view("zoomed")
    hand.until("Math.abs(end - begin - 10) < 0.05")
    touch("touchStart", (x, y), (x + 100, y))
    for step in range(1, 6):
        touch("touchMove", (x - 20 * step, y), (x + 100 + 20 * step, y))
    touch("touchEnd")
    hand.until("end - begin < 6")


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_it_is_looked_at_narrow_and_wide(notebook, theme):
    SCREENSHOTS.mkdir(exist_ok=True)
    notebook.theme(theme)
    notebook.run(4)
    for width in (1400, 430):
        notebook.resize(width)
        hand = Hand(notebook, notebook.plot.first)
        notebook.page.evaluate("() => { document.querySelector('.jp-WindowedPanel-outer').scrollTop = 0; }")
        hand = Hand(notebook, notebook.plot.first)
        hand.drag((0.3, 0.4), (0.8, 0.5))
        hand.expect_view("zoomed")
        hand.move(0.4, 0.4)
        expect(hand.plot.locator(".nbrt-cross-box")).to_be_visible()
        notebook.page.screenshot(path=SCREENSHOTS / f"gestures-{theme}-{width}.png")
        hand.plot.locator(".nbrt-plot-more").click()
        expect(hand.plot.get_by_role("menuitem").first).to_be_focused()
        notebook.page.screenshot(path=SCREENSHOTS / f"gestures-{theme}-{width}-menu.png")
        notebook.page.keyboard.press("Escape")
        inside, needed = hand.plot.evaluate("(e) => [e.clientWidth, e.scrollWidth]")
        assert needed <= inside
        hand.plot.get_by_role("button", name="Follow").click()
        hand.expect_view("following")
