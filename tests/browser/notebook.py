"""A notebook in a browser tab, as the tests use it: run, look, type, reload, open it twice.

Collaborators: `lab.py` serves it, Playwright's synchronous API drives it. What people do with a menu, a key or
a click is done so here where a test is about it; where it is only the way to something else, JupyterLab's own
commands do it (`--expose-app-in-browser`), because they survive a moved menu.

The rule here: *every wait is for an event or a selector, and every wait is bounded*.
"""

from __future__ import annotations

import json
import re
import time
from collections.abc import Callable
from itertools import pairwise
from pathlib import Path
from types import TracebackType
from typing import Any, Literal, NamedTuple, Self

from playwright.sync_api import BrowserContext, Locator, Page, expect

from .lab import Lab

__all__ = ["Notebook", "Picture", "Recording", "quickest"]

SCREENSHOTS = Path(__file__).parent / "screenshots"

OPEN_SECONDS = 45.0
RUN_SECONDS = 45.0

# The notebook panel of a page; the document of `/doc/…` is the only one that it has.
_PANEL = "window.jupyterapp.shell.currentWidget"

_KERNEL_READY = f"""() => {{
  const context = {_PANEL}?.sessionContext;
  const kernel = context?.session?.kernel;
  return Boolean(context?.isReady) && kernel?.connectionStatus === "connected" && kernel.status === "idle";
}}"""

_CELLS_DONE = f"""(indices) => {{
  const cells = {_PANEL}.content.widgets;
  const chosen = indices === null ? cells : indices.map((index) => cells[index]);
  return chosen.every((cell) => cell.model.type !== "code" || cell.model.sharedModel.getSource().trim() === ""
    || (cell.model.executionCount !== null && cell.model.executionState === "idle"));
}}"""

_PICTURE = """(canvases) => {
  const colours = new Map();
  let digest = 2166136261;
  for (const canvas of canvases) {
    if (!canvas.width || !canvas.height) continue;
    const pixels = canvas.getContext("2d").getImageData(0, 0, canvas.width, canvas.height).data;
    const words = new Uint32Array(pixels.buffer);
    for (let i = 0; i < words.length; i++) {
      digest = Math.imul(digest ^ words[i], 16777619) >>> 0;
      if (pixels[4 * i + 3] < 128) continue;
      const colour = (pixels[4 * i] << 16) | (pixels[4 * i + 1] << 8) | pixels[4 * i + 2];
      colours.set(colour, (colours.get(colour) ?? 0) + 1);
    }
  }
  return {digest, colours: [...colours].sort((a, b) => b[1] - a[1]).slice(0, 2000)};
}"""

# A MutationObserver sees every value that an attribute takes, which polling from another process would not.
_RECORD = """(root, attribute) => {
  const seen = [];
  const note = () => seen.push([performance.now(), root.getAttribute(attribute)]);
  note();
  const observer = new MutationObserver(note);
  observer.observe(root, {attributes: true, attributeFilter: [attribute]});
  return {stop() { observer.disconnect(); note(); return seen; }};
}"""


def quickest(look: Callable[[], float], bound: float = 1.0) -> float:
    """The shortest of up to three times (s) that `look` took; the first one below `bound` is enough.

    A machine that is busy otherwise is late now and then; what is broken is late every time.
    """
    took = [look()]
    while min(took) >= bound and len(took) < 3:
        took.append(look())
    return min(took)


class Picture(NamedTuple):
    """What a canvas shows at one moment: a digest of its pixels and how many there are of each opaque colour."""

    digest: int
    colours: dict[int, int]

    def near(self, colour: int, distance: int = 60) -> int:
        """Count the pixels whose red, green and blue all lie within `distance` of `colour`."""

        def apart(other: int) -> int:
            return max(abs((other >> shift & 255) - (colour >> shift & 255)) for shift in (0, 8, 16))

        return sum(count for other, count in self.colours.items() if apart(other) <= distance)


class Recording:
    """The values that an attribute takes while the block runs, with when (ms in the page)."""

    def __init__(self, root: Locator, attribute: str) -> None:
        self._root, self._attribute = root, attribute
        self.seen: list[tuple[float, str | None]] = []

    def __enter__(self) -> Self:
        self._handle = self._root.evaluate_handle(_RECORD, self._attribute)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.seen = [(at, value) for at, value in self._handle.evaluate("(recorder) => recorder.stop()")]
        self._handle.dispose()

    @property
    def values(self) -> list[str | None]:
        """The values in their order, without repetitions."""
        return list(dict.fromkeys(value for _, value in self.seen))

    @property
    def longest_pause(self) -> float:
        """The longest time for which the value stayed what it was, in seconds."""
        changes = [self.seen[0][0]]
        changes += [at for (_, before), (at, after) in pairwise(self.seen) if after != before]
        changes.append(self.seen[-1][0])
        return max(after - before for before, after in pairwise(changes)) / 1000


class Notebook:
    """One tab with one notebook of the `Lab`."""

    def __init__(self, lab: Lab, context: BrowserContext, path: str, host: str = "") -> None:
        """`host` is where another host than JupyterLab has its notebooks on the server."""
        self.lab, self.path = lab, path
        self._context = context
        self.page: Page = context.new_page()
        self.complaints: list[str] = []
        self.page.on("pageerror", lambda error: self.complaints.append(f"uncaught: {error}"))
        self.page.on("console", self._listen)
        place = host or f"doc/workspaces/tests-{time.monotonic_ns()}/tree"
        self.page.goto(f"{lab.url}/{place}/{path}?token={lab.token}&reset")
        self.wait_open()

    def _listen(self, message: Any) -> None:
        if message.type == "error" and re.search(r"nbrt|nbrealtime|anywidget|blob:", message.text):
            self.complaints.append(message.text)

    def wait_open(self) -> None:
        """Wait until the notebook is there and its kernel is idle."""
        bounded = {"timeout": OPEN_SECONDS * 1000}
        self.page.wait_for_selector("#jupyterlab-splash", state="detached", **bounded)
        self.page.wait_for_selector(".jp-Notebook .jp-Cell", state="attached", **bounded)
        # The execution indicator says "idle" before there is a session, and what is run then is lost.
        self.page.wait_for_function(_KERNEL_READY, **bounded)

    # Running ---------------------------------------------------------------------------------------------

    def run_all(self, *, wait: bool = True, timeout: float = RUN_SECONDS) -> None:
        """Choose Run → Run All Cells in the menu."""
        self.page.click('.lm-MenuBar-itemLabel:text-is("Run")')
        self.page.click('.lm-Menu-itemLabel:text-is("Run All Cells")')
        if wait:
            self.wait_idle(timeout=timeout)

    def run(self, *indices: int, wait: bool = True, timeout: float = RUN_SECONDS) -> None:
        """Run these cells, one after the other."""
        for index in indices:
            # The promise of the command ends with the cell: it is not returned, or a long cell would hold us.
            self.page.evaluate(
                f"""(index) => {{
                  const cell = {_PANEL}.content.widgets[index];
                  cell.model.sharedModel.execution_count = null;
                  {_PANEL}.content.deselectAll();
                  {_PANEL}.content.activeCellIndex = index;
                  window.jupyterapp.commands.execute("notebook:run-cell");
                }}""",
                index,
            )
            if wait:
                self.wait_idle(index, timeout=timeout)

    def wait_idle(self, *indices: int, timeout: float = RUN_SECONDS) -> None:
        """Wait until these cells (all, if none is named) have been run."""
        self.page.wait_for_function(_CELLS_DONE, arg=list(indices) or None, timeout=timeout * 1000)

    def restart(self) -> None:
        """Restart the kernel, with the question that JupyterLab asks answered by its button."""
        self._command("kernelmenu:restart")
        self.page.click(".jp-Dialog .jp-mod-accept, .jp-Dialog .jp-mod-warn")
        self.page.wait_for_selector(".jp-Dialog", state="detached")
        self.page.wait_for_function(_KERNEL_READY, timeout=OPEN_SECONDS * 1000)

    # The tab ---------------------------------------------------------------------------------------------

    def save(self) -> None:
        self.page.evaluate(f"async () => {{ await {_PANEL}.context.save(); }}")

    def reload(self) -> None:
        """Reload the page, as with the browser's button: JupyterLab reads the notebook from disk."""
        self.page.reload()
        self.wait_open()

    def second_tab(self) -> Notebook:
        return Notebook(self.lab, self._context, self.path)

    def close(self) -> None:
        self.page.close(run_before_unload=False)

    def hide(self) -> None:
        """Have the page believe that its tab is behind another: a headless browser has none in front of others."""
        self.page.evaluate(
            """() => {
              Object.defineProperty(document, "hidden", {configurable: true, get: () => true});
              Object.defineProperty(document, "visibilityState", {configurable: true, get: () => "hidden"});
              document.dispatchEvent(new Event("visibilitychange"));
            }"""
        )

    def show(self) -> None:
        """Bring the hidden tab back."""
        self.page.evaluate(
            """() => {
              delete document.hidden;
              delete document.visibilityState;
              document.dispatchEvent(new Event("visibilitychange"));
            }"""
        )

    def theme(self, name: Literal["light", "dark"]) -> None:
        wanted = f"JupyterLab {name.title()}"
        self._command("apputils:change-theme", {"theme": wanted})
        self.page.wait_for_selector(f'body[data-jp-theme-name="{wanted}"]', state="attached")

    def resize(self, width: int, height: int = 1000) -> None:
        self.page.set_viewport_size({"width": width, "height": height})

    def screenshot(self, name: str) -> Path:
        """Save a picture of the whole notebook; the tab grows for it as far as the notebook goes."""
        size = self.page.viewport_size
        assert size is not None
        tall = self.page.evaluate(
            """() => {
              const cells = [...document.querySelectorAll(".jp-Notebook .jp-Cell")];
              return Math.ceil(cells.reduce((sum, cell) => sum + cell.getBoundingClientRect().height, 0));
            }"""
        )
        self.resize(size["width"], min(4000, max(300, tall + 160)))
        SCREENSHOTS.mkdir(exist_ok=True)
        target = SCREENSHOTS / f"{name}.png"
        self.page.bring_to_front()  # a page behind another draws once a second
        self.page.evaluate("() => { document.querySelector('.jp-WindowedPanel-outer').scrollTop = 0; }")
        self._settle()
        self.page.screenshot(path=target, animations="allow")
        self.resize(size["width"], size["height"])
        return target

    def _settle(self) -> None:
        """Wait until a new size has reached layout, observers and canvases, and the kernel's next frame the plots."""
        self.page.evaluate(
            """async () => {
              for (let n = 0; n < 12; n++) await new Promise(requestAnimationFrame);
              const live = [...document.querySelectorAll(".nbrt-plot[data-state=live]")];
              const before = live.map((plot) => plot.dataset.t);
              for (let n = 0; n < 120 && live.some((plot, i) => plot.dataset.t === before[i]); n++)
                await new Promise(requestAnimationFrame);
            }"""
        )

    # Looking ---------------------------------------------------------------------------------------------

    def cell(self, index: int) -> Locator:
        return self.page.locator(".jp-Notebook .jp-Cell").nth(index)

    def find(self, selector: str) -> Locator:
        return self.page.locator(f".jp-Notebook {selector}")

    @property
    def plot(self) -> Locator:
        """The plots of the notebook: strict where there is one."""
        return self.find(".nbrt-plot")

    def wait_state(self, state: str, plot: Locator | None = None, *, timeout: float = 15.0) -> None:
        expect(plot if plot is not None else self.plot).to_have_attribute(
            "data-state", state, timeout=timeout * 1000
        )

    def picture(self, plot: Locator | None = None) -> Picture:
        """Read the pixels of the plot's canvases."""
        root = plot if plot is not None else self.plot
        seen = root.locator("canvas").evaluate_all(_PICTURE)
        return Picture(seen["digest"], {int(colour): int(count) for colour, count in seen["colours"]})

    def record(self, attribute: str, root: Locator | None = None) -> Recording:
        return Recording(root if root is not None else self.plot, attribute)

    def number(self, attribute: str, root: Locator | None = None) -> float:
        """Read a numeric attribute of the plot's root."""
        text = (root if root is not None else self.plot).get_attribute(attribute)
        assert text, f"{attribute} is {text!r}"
        return float(text)

    def wait_beyond(self, attribute: str, bound: float, *, timeout: float = 10.0) -> float:
        """Wait until a numeric attribute of the plot's root exceeds `bound`, and return it."""
        root = self.plot.element_handle()
        self.page.wait_for_function(
            "([root, name, bound]) => Number(root.getAttribute(name)) > bound",
            arg=[root, attribute, bound],
            timeout=timeout * 1000,
        )
        return self.number(attribute)

    def filled_within(self, seconds: float, selector: str = ".nbrt-plot") -> float:
        """Wait for the first plot's first samples; return how long they took after the plot was there."""
        found: float = self.page.evaluate(
            """async ([bound, selector]) => {
              const soon = (found) => new Promise((resolve, reject) => {
                const look = () => { const value = found(); if (value) resolve(value); else if (performance.now() > end)
                  reject(new Error("it never came")); else setTimeout(look, 10); };
                const end = performance.now() + bound * 1000;
                look();
              });
              const root = await soon(() => document.querySelector(selector));
              const began = performance.now();
              await soon(() => root.getAttribute("data-t0"));
              return (performance.now() - began) / 1000;
            }""",
            [seconds, selector],
        )
        return found

    def outputs(self, index: int | None = None) -> str:
        """Return the outputs of one cell, or of all, as the notebook's JSON holds them now."""
        cells: list[dict[str, Any]] = self.page.evaluate(f"() => {_PANEL}.content.model.toJSON().cells")
        chosen = cells if index is None else [cells[index]]
        return json.dumps([cell.get("outputs", []) for cell in chosen], ensure_ascii=False)

    def text(self, index: int) -> str:
        """Return what one cell's output area reads on the page."""
        return self.cell(index).locator(".jp-OutputArea").first.inner_text()

    def errors(self) -> list[str]:
        """Return the tracebacks and warnings that the outputs hold."""
        cells: list[dict[str, Any]] = self.page.evaluate(f"() => {_PANEL}.content.model.toJSON().cells")
        outputs = [output for cell in cells for output in cell.get("outputs", [])]
        return [
            json.dumps(output)[:2000]
            for output in outputs
            if output["output_type"] == "error"
            or (output["output_type"] == "stream" and output["name"] == "stderr")
        ]

    def _command(self, name: str, arguments: dict[str, Any] | None = None) -> None:
        self.page.evaluate(
            "([name, args]) => { window.jupyterapp.commands.execute(name, args ?? {}); }", [name, arguments]
        )
