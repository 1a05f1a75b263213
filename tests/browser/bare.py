"""A plot in a page without a notebook: the front end as it is built, the kernel's part as it is, the test between.

What depends on which frame comes first, or on what has not come yet, cannot be aimed at through a kernel. Here
nothing moves between the two but what the test hands over, so a picture is the same in every run.

Collaborators: `PlotPart` writes the frames and answers the questions, ``static/plot.js`` draws them. The rule here:
*the page hears a frame when the test says so*; only the view's hello is answered by itself, once.
"""

from __future__ import annotations

from base64 import b64encode
from collections.abc import Sequence
from typing import Any

from playwright.sync_api import Page, Route

from nbrealtime import LivePlot
from nbrealtime.widgets.audience import Viewing
from nbrealtime.widgets.parts import Frame
from nbrealtime.widgets.plots.part import PlotPart

from .lab import REPOSITORY

__all__ = ["BarePlot"]

_ORIGIN = "http://plot.test/"
_STATIC = REPOSITORY / "nbrealtime" / "static"

_PAGE = '<!doctype html><link rel="stylesheet" href="plot.css"><main style="width: 800px"></main>'

# The models of a plot and of the hub; what the hub's comm brings is `hear`, and what a view asks of the past `asked`.
_BEGIN = """async ([traits, snapshot]) => {
  const model = (values) => {
    const listeners = new Map();
    return {
      get: (name) => values[name],
      on: (event, callback) => listeners.set(event, callback),
      off: (event) => listeners.delete(event),
      tell: (...what) => listeners.get("msg:custom")(...what),
    };
  };
  const [hub, plot] = [model({}), model(traits)];
  plot.widget_manager = {get_model: async () => hub};
  let seq = 0;
  window.asked = [];
  window.hear = (frames, view = null) => {
    for (const [header, texts] of frames) {
      const buffers = texts.map((text) => new DataView(Uint8Array.from(atob(text), (c) => c.charCodeAt(0)).buffer));
      const part = {...header, key: traits.part, kind: "plot", view, buffers: buffers.length};
      hub.tell({type: "frames", seq: ++seq, sent: Date.now(), parts: [part]}, buffers);
    }
  };
  let greeted = false;
  hub.send = (content) => {
    if (content.type === "range") window.asked.push(content);
    if (content.type !== "hello" || greeted) return;
    greeted = true;
    queueMicrotask(() => hear([snapshot], content.view));
  };
  const front = await import("/plot.js");
  front.default.render({model: plot, el: document.querySelector("main")});
}"""


class BarePlot:
    """A page that shows a part's snapshot, in 800 CSS pixels.

    Args:
        part: what LivePlot owns in the kernel, over a feed of the test's.
        window: the same seconds that the part was made with.
        pixels: how wide the part takes the page to be: by that it chooses the bins of the stream.
        now: when the page comes, epoch seconds.
    """

    def __init__(self, page: Page, part: PlotPart, *, window: float, pixels: int, now: float) -> None:
        self.page, self.part, self.viewing = page, part, Viewing(width=pixels)
        self.root = page.locator(".nbrt-plot")
        self.field = page.locator(".nbrt-plot-field")
        self.complaints: list[str] = []
        page.on("pageerror", lambda error: self.complaints.append(str(error)))
        page.on("console", lambda said: said.type == "error" and self.complaints.append(said.text))
        page.route(f"{_ORIGIN}**", _serve)
        page.goto(_ORIGIN)
        traits = {name: trait.default_value for name, trait in LivePlot.class_traits(sync=True).items()}
        del traits["layout"], traits["_dom_classes"]
        traits |= {"hub": "IPY_MODEL_hub", "part": part.key, "window": window, "time_zone": "UTC"}
        snapshot = part.snapshot(now, self.viewing)
        assert snapshot is not None
        page.evaluate(_BEGIN, [traits, _told(snapshot)])

    def hear(self, frames: Sequence[Frame], view: str | None = None) -> None:
        """Hand frames over, all within one of the browser's pictures."""
        self.page.evaluate(
            "([frames, view]) => hear(frames, view)", [[_told(frame) for frame in frames], view]
        )

    def wait_asked(self) -> None:
        """Wait until the view has asked for a past."""
        self.page.wait_for_function("asked.length > 0")

    def answer(self) -> None:
        """Wait for the view's question, and answer it as the kernel does."""
        self.wait_asked()
        question = self.page.evaluate("asked.shift()")
        answer = self.part.told(question)
        assert answer is not None
        self.hear([answer], question["view"])

    def wait_drawn(self) -> None:
        """Wait until what was handed over is in the picture: two pictures later."""
        self.page.evaluate(
            "async () => { for (let n = 0; n < 2; n++) await new Promise(requestAnimationFrame); }"
        )

    def shown(self) -> list[float]:
        """From when to when it shows, seconds, and from which value to which."""
        text = self.root.get_attribute("data-shown")
        assert text
        return [float(number) for number in text.split(",")]

    def drag(self, begin: float, end: float) -> None:
        """Zoom to a span of times with the mouse."""
        left, right, *_ = self.shown()
        box = self.field.bounding_box()
        assert box is not None
        y = box["y"] + box["height"] / 2
        from_, to = (box["x"] + box["width"] * (time - left) / (right - left) for time in (begin, end))
        self.page.mouse.move(from_, y)
        self.page.mouse.down()
        self.page.mouse.move(to, y, steps=4)
        self.page.mouse.up()


def _serve(route: Route) -> None:
    name = route.request.url.removeprefix(_ORIGIN)
    if name in ("plot.js", "plot.css"):
        route.fulfill(path=_STATIC / name)
    elif name == "":
        route.fulfill(body=_PAGE, content_type="text/html")
    else:
        route.fulfill(status=404)


def _told(frame: Frame) -> list[Any]:
    header, buffers = frame
    return [header, [b64encode(buffer).decode() for buffer in buffers]]
