"""The plot beside a minute of sleep, of pure Python and of numpy, on each kernel that is given, in real JupyterLab.

    python -m benchmarks.never_stops [--seconds 60] [--kernel PYTHON …]

Each ``--kernel`` is the interpreter of an environment with another ipykernel; JupyterLab stays the one that runs this:

    python -m venv .venv-kernel6 && .venv-kernel6/bin/pip install -e . ipykernel==6.29.5
    python -m benchmarks.never_stops --kernel .venv-kernel6/bin/python

A thread of the kernel publishes 100 messages a second, as in the tests. Printed are the pictures in which the newest
sample was another one, the fewest of them in any second, the longest pause, how old the newest sample was when it was
drawn (median and 95th percentile). The aim is 25 pictures a second, no pause over 400 ms and,
in a cell that computes, a 95th percentile of 150 ms.
"""

from __future__ import annotations

import argparse
import os
import shutil
import sys
import tempfile
import time
from itertools import pairwise
from pathlib import Path

from playwright.sync_api import Playwright, sync_playwright

from tests.browser.cells import SERVER, TOPIC
from tests.browser.conftest import _FLAGS
from tests.browser.lab import Lab
from tests.browser.notebook import Notebook
from tests.browser.test_never_stops import FEED

BUSY = {
    "kernel idle": "",
    "cell asleep": "time.sleep({seconds})",
    "pure Python": "end = time.monotonic() + {seconds}\nn = 0\nwhile time.monotonic() < end:\n    n += 1",
    "numpy": "a = np.random.rand(400_000)\nend = time.monotonic() + {seconds}\n"
    "while time.monotonic() < end:\n    np.sort(np.sin(a))",
}

WATCH = """(root) => {
  const seen = [];
  let last = root.dataset.t;
  const observer = new MutationObserver(() => {
    if (root.dataset.t !== last) seen.push([Date.now(), Number(last = root.dataset.t)]);
  });
  observer.observe(root, {attributes: true, attributeFilter: ["data-t"]});
  return {stop() { observer.disconnect(); return seen; }};
}"""


def watch(notebook: Notebook, cell: int | None, seconds: float) -> str:
    """Runs ``cell``, or nothing, for ``seconds``, and tells how the plot moved meanwhile."""
    handle = notebook.plot.evaluate_handle(WATCH)
    began = time.time() * 1000
    if cell is None:
        notebook.page.wait_for_timeout(seconds * 1000)
    else:
        notebook.run(cell, timeout=seconds + 60)
    ended = time.time() * 1000
    seen = handle.evaluate("(watching) => watching.stop()")
    at = [began, *(at for at, _ in seen), ended]
    ages = sorted(at - t for at, t in seen) or [float("nan")]
    each = [0] * max(1, int((ended - began) / 1000))
    for when, _ in seen:
        each[min(len(each) - 1, int((when - began) / 1000))] += 1
    return (
        f"{len(seen) / (ended - began) * 1000:5.1f} pictures/s   fewest in a second {min(each):3}   "
        f"longest pause {max(b - a for a, b in pairwise(at)):4.0f} ms   "
        f"age {ages[len(ages) // 2]:4.0f} ms, p95 {ages[int(0.95 * len(ages))]:4.0f} ms"
    )


def measure(playwright: Playwright, chromium: str, python: str, seconds: float) -> None:
    """Everything on one kernel."""
    os.environ["NBREALTIME_TEST_KERNEL"] = python
    lab = Lab(Path(tempfile.mkdtemp(prefix="bench-lab-")))
    try:
        browser = playwright.chromium.launch(executable_path=chromium, args=_FLAGS)
        context = browser.new_context(viewport={"width": 1000, "height": 1400})
        context.set_default_timeout(20_000)
        version = "import ipykernel\nprint('ipykernel', ipykernel.__version__)"
        busy = [code.format(seconds=seconds) for code in BUSY.values()]
        cells = [SERVER, TOPIC, FEED, "temp.plot(window='20s')", version, *busy]
        notebook = Notebook(lab, context, lab.write("bench", cells))
        notebook.run(0, 1, 2, 3, 4)
        notebook.wait_state("live")
        notebook.page.wait_for_timeout(3000)
        print(notebook.text(4).strip())
        for number, name in enumerate(BUSY):
            cell = None if name == "kernel idle" else 5 + number
            print(f"  {name:12} {watch(notebook, cell, seconds)}", flush=True)
        browser.close()
    finally:
        lab.stop()


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--seconds", type=float, default=60.0)
    parser.add_argument("--kernel", nargs="*", default=[], help="interpreters with other ipykernels")
    arguments = parser.parse_args()
    chromium = shutil.which("chromium")
    if chromium is None:
        sys.exit("chromium is not installed: apt-get install chromium")
    with sync_playwright() as playwright:
        for python in (sys.executable, *arguments.kernel):
            measure(playwright, chromium, python, arguments.seconds)


if __name__ == "__main__":
    main()
