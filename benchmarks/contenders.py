"""The cells with which a user of each plotting library would watch a stream, and how a page tells what it has drawn.

Collaborators: `plot.py` runs and measures them. Every contender gets the same samples from the same thread in its
kernel, in the same chunks: ours as they would come from the client (the topic's ring), the others in two arrays that
are handed to the widget after each chunk, which is how their documentation streams.

The rule here: *drawn* is what the page shows, not what it was sent. Each contender has a piece of JavaScript that
calls ``drew(t)`` once per picture, ``t`` being the time (ms since the epoch) of the newest sample in it; where that is
known of some pictures only, ``drew(n)`` for each, n = 1, 2, …, and ``drew(t)`` beside it for those.
"""

from __future__ import annotations

from dataclasses import dataclass

__all__ = ["CONTENDERS", "SOURCE", "Contender", "Workload"]


@dataclass(frozen=True)
class Workload:
    """What is streamed: samples a second and series, in so many chunks a second, over a window (s)."""

    rate: float
    series: int
    window: float
    chunks: float = 20.0

    @property
    def points(self) -> int:
        """Samples of one series in the window."""
        return int(self.rate * self.window)

    def __str__(self) -> str:
        window = {60.0: "60 s", 3600.0: "1 h"}.get(self.window, f"{self.points // 1000} k points")
        return f"{self.rate:>9,.0f}/s x {self.series}, {window}"


SOURCE = """\
import os, threading, time
import numpy as np

RATE, SERIES, WINDOW, CHUNKS = {rate}, {series}, {window}, {chunks}
POINTS = int(RATE * WINDOW)
NAMES = ["s%d" % n for n in range(SERIES)]

def wave(t):
    noise = np.random.standard_normal(len(t)) * 0.05
    return {{name: np.sin(t * (6.28 + n)) + noise for n, name in enumerate(NAMES)}}

def stream(take):
    "Calls take(times, columns) with what one chunk brings, until another stream begins; what was missed is in the next."
    due = last = time.time()
    while taking is take:
        due = max(due + 1 / CHUNKS, time.time() - 1)
        time.sleep(max(0.0, due - time.time()))
        now = time.time()
        n = int((now - last) * RATE)
        if n == 0:
            continue
        t = last + np.arange(1, n + 1) / RATE
        last = t[-1]
        take(t, wave(t))

def start(take):
    global taking
    taking = take
    threading.Thread(target=stream, args=(take,), daemon=True).start()

class Arrays:
    "The window as arrays: what the other libraries are given."
    def __init__(self):
        self.t = time.time() - np.arange(POINTS, 0, -1) / RATE
        self.y = {{name: np.zeros(POINTS) for name in NAMES}}
    def take(self, t, columns):
        t = t[-POINTS:]
        self.t = np.concatenate((self.t[len(t):], t))
        for name in NAMES:
            self.y[name] = np.concatenate((self.y[name][len(t):], columns[name][-len(t):]))

print("PID", os.getpid())
"""

_OURS = """\
import nbrealtime as rt
server = rt.serve()
topic = rt.subscribe("bench:stream")
rt.connect().wait_connected(10)
# A topic that never heard a message would look for what is wrong with every picture.
rt.publish("bench:stream", {"t": time.time() - 2 * WINDOW, **dict.fromkeys(NAMES, 0.0)})
topic.wait(timeout=10)
def take(t, columns):
    topic.feed.ring.append(t, columns)
    topic.feed.touch()
kept = min(POINTS, 36_000_000)
for done in range(0, kept, 200_000):  # the window is full from the start, like the others'
    n = min(200_000, kept - done)
    past = time.time() - (kept - done - np.arange(n)) / RATE
    topic.feed.ring.append(past, wave(past))
"""

_PLOTLY = """\
import plotly.graph_objects as go
arrays = Arrays()
figure = go.FigureWidget([go.{trace}(x=arrays.t, y=arrays.y[name], name=name, mode="lines") for name in NAMES])
figure.update_layout(height=280, margin=dict(l=40, r=10, t=10, b=30))
def take(t, columns):
    arrays.take(t, columns)
    with figure.batch_update():
        for trace, name in zip(figure.data, NAMES):
            trace.x, trace.y = arrays.t, arrays.y[name]
"""

_BQPLOT = """\
import bqplot
arrays = Arrays()
x, y = bqplot.LinearScale(), bqplot.LinearScale()
lines = [bqplot.Lines(x=arrays.t, y=arrays.y[name], scales=dict(x=x, y=y)) for name in NAMES]
figure = bqplot.Figure(marks=lines, axes=[bqplot.Axis(scale=x), bqplot.Axis(scale=y, orientation="vertical")],
                       animation_duration=0, title="0")
figure.layout.height, figure.layout.width = "280px", "100%"
count = 0
def take(t, columns):
    arrays.take(t, columns)
    for line, name in zip(lines, NAMES):
        with line.hold_sync():
            line.x, line.y = arrays.t, arrays.y[name]
    # A message of its own, which comes after the marks: how old the picture is that shows it. For each it would cost.
    global count
    count += 1
    if count % 10 == 0:
        figure.title = str(int(arrays.t[-1] * 1000))
"""

# The browser sees pixels only: a corner of the figure says, in shades, which update it was.
_IPYMPL = """\
import matplotlib
matplotlib.use("module://ipympl.backend_nbagg")
import matplotlib.pyplot as plt
from matplotlib.patches import Rectangle
arrays = Arrays()
plt.ioff()
figure, axes = plt.subplots(figsize=(9, 2.8), dpi=100)
figure.canvas.header_visible = figure.canvas.toolbar_visible = figure.canvas.footer_visible = False
lines = [axes.plot(arrays.t, arrays.y[name], lw=1)[0] for name in NAMES]
axes.set_ylim(-1.3, 1.3)
corner = figure.add_artist(Rectangle((0, 0), 0.02, 0.06, transform=figure.transFigure, color="0"))
number, when = 0, []
def take(t, columns):
    global number
    arrays.take(t, columns)
    number = (number + 1) % 200
    when.append((number + 20, int(arrays.t[-1] * 1000)))
    for line, name in zip(lines, NAMES):
        line.set_data(arrays.t, arrays.y[name])
    axes.set_xlim(arrays.t[0], arrays.t[-1])
    corner.set_color(str((number + 20) / 255))
    figure.canvas.draw_idle()
"""


@dataclass(frozen=True)
class Contender:
    """A library: its cells, and the JavaScript that waits for its plot and tells of every picture."""

    name: str
    setup: str
    show: str
    begin: str
    ready: str
    """A selector: what is there once it is drawn."""
    watch: str
    """A function of (root, drew)."""
    most: int = 1_000_000
    """Points in all at which it is still tried."""
    numbered: bool = False
    """It tells the number of an update, negative; the kernel's list ``when`` has its time."""


CONTENDERS = {
    "ours": Contender(
        "nbrealtime",
        _OURS,
        "topic.plot(window=WINDOW)",
        "start(take)",
        ".nbrt-plot[data-state=live]",
        """(root, drew) => {
          new MutationObserver(() => drew(Number(root.dataset.t)))
            .observe(root, {attributes: true, attributeFilter: ["data-t"]});
        }""",
        most=10**12,
    ),
    "plotly": Contender(
        "plotly FigureWidget",
        _PLOTLY.format(trace="Scattergl"),
        "figure",
        "start(take)",
        ".js-plotly-plot .main-svg",
        """(root, drew) => {
          const plot = root.closest(".js-plotly-plot");
          plot.on("plotly_afterplot", () => { const {x} = plot.data[0]; drew(1000 * x[x.length - 1]); });
        }""",
        most=200_000,
    ),
    "bqplot": Contender(
        "bqplot",
        _BQPLOT,
        "figure",
        "start(take)",
        ".bqplot svg path.line",
        """(root, drew) => {
          const figure = root.closest(".bqplot");
          const title = [...figure.querySelectorAll("text")].find((text) => /^\\d+$/.test(text.textContent)
            && text.classList.contains("mainheading")) ?? figure.querySelector(".mainheading");
          new MutationObserver(() => drew(Number(title.textContent)))
            .observe(title, {childList: true, characterData: true, subtree: true});
          let count = 0;
          new MutationObserver(() => drew(++count)).observe(root, {attributes: true, attributeFilter: ["d"]});
        }""",
        most=200_000,
    ),
    "ipympl": Contender(
        "ipympl",
        _IPYMPL,
        "figure.canvas",
        "start(take)",
        ".jupyter-matplotlib-canvas-container canvas",
        """(root, drew) => {
          const draw = CanvasRenderingContext2D.prototype.drawImage;
          let last = -1;
          CanvasRenderingContext2D.prototype.drawImage = function (...all) {
            draw.apply(this, all);
            if (this.canvas !== root) return;
            const shade = this.getImageData(3, root.height - 4, 1, 1).data[0];
            if (shade !== last) drew(-(last = shade));
          };
        }""",
        most=1_000_000,
        numbered=True,
    ),
}
