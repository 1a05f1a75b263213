"""How a live plot moves, and what everything costs while nothing happens, in real JupyterLab and Chromium.

    python -m benchmarks.live_plot [--seconds 8]

A process of its own publishes 10,000 samples a second (100 messages of 100 samples) to the server in the
notebook's kernel; the plot shows 10 s of them, which is 100,000 points. Counted are the pictures in which the
newest sample drawn (``data-t``) was another one, while the kernel is idle, while a cell sleeps, and while a cell
computes in pure Python; beside them the kernel's share of a core, as the operating system counts it.

Then the feed ends, and the same kernel is measured with server, client, plot, badge and presence bar open and
no data: *idle*. The target is 25 pictures a second in each, and idle under 2 % of a core.

Needs Debian's ``chromium`` and the ``test`` extra. A machine that is busy otherwise spoils it.
"""

from __future__ import annotations

import argparse
import shutil
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import psutil
from playwright.sync_api import sync_playwright

from benchmarks.processor import spent
from benchmarks.quiet import Quiet
from tests.browser.conftest import _FLAGS
from tests.browser.lab import Lab
from tests.browser.notebook import Notebook

FEEDER = """
import os, sys, time
import numpy as np
from nbrealtime.client import open_link
from nbrealtime.wire.encodings import encode_data

link = open_link(sys.argv[1], sys.argv[2])
assert link.wait_connected(20)
due, number = time.monotonic(), 0
until = due + float(sys.argv[3])
while due < until:
    t = time.time() + np.arange(-99, 1) / 10_000
    link.publish("bench:fast", encode_data({"t": t, "value": np.sin(t * 6.28) + np.random.normal(0, 0.1, 100)}))
    due += 0.01
    time.sleep(max(0.0, due - time.monotonic()))
link.close()
"""

START = """\
import os, time
import nbrealtime as rt
server = rt.serve()
fast = rt.subscribe("bench:fast")
print("SERVER", server.url, server.token("feed"), os.getpid())
"""

CELLS = [
    START,
    "fast.plot(window='10s')",
    "rt.PresenceBar(fast)",
    "rt.ConnectionBadge()",
    "time.sleep({seconds})",
    "end = time.monotonic() + {seconds}\nn = 0\nwhile time.monotonic() < end:\n    n += 1",
]


def pictures(notebook: Notebook, kernel: psutil.Process, seconds: float, cell: int | None) -> str:
    """Runs ``cell``, or nothing, for ``seconds``, and tells how the plot moved meanwhile."""
    before, start = spent(kernel), time.monotonic()
    with notebook.record("data-t") as drawn:
        if cell is None:
            notebook.page.wait_for_timeout(seconds * 1000)
        else:
            notebook.run(cell, timeout=seconds + 30)
    took = time.monotonic() - start
    share = (spent(kernel) - before) / took
    rate = (len(drawn.values) - 1) / took
    return f"{rate:5.1f} pictures/s   longest pause {drawn.longest_pause * 1000:4.0f} ms   kernel {share:5.1%} of a core"


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--seconds", type=float, default=8.0)
    seconds = parser.parse_args().seconds
    chromium = shutil.which("chromium")
    if chromium is None:
        sys.exit("chromium is not installed: apt-get install chromium")

    lab = Lab(Path(tempfile.mkdtemp(prefix="bench-lab-")))
    feeder: subprocess.Popen[bytes] | None = None
    try:
        with sync_playwright() as playwright:
            browser = playwright.chromium.launch(executable_path=chromium, args=_FLAGS)
            context = browser.new_context(viewport={"width": 1000, "height": 1400})
            context.set_default_timeout(20_000)
            notebook = Notebook(
                lab, context, lab.write("bench", [cell.replace("{seconds}", str(seconds)) for cell in CELLS])
            )
            notebook.run(0)
            _, url, token, pid = notebook.text(0).split()
            kernel = psutil.Process(int(pid))
            feeder = subprocess.Popen([sys.executable, "-c", FEEDER, url, token, str(3 * seconds + 15)])
            notebook.run(1, 2, 3)
            notebook.wait_state("live")
            notebook.page.wait_for_timeout(3000)  # the window fills; measured is what lasts
            for name, cell in (("kernel idle", None), ("cell asleep", 4), ("cell computing", 5)):
                quiet = Quiet()
                print(f"{name:15} {pictures(notebook, kernel, seconds, cell)}\n{quiet.remark()}", end="")
            feeder.terminate()
            feeder.wait(10)
            notebook.wait_state("stale", timeout=30)
            before, start = spent(kernel), time.monotonic()
            notebook.page.wait_for_timeout(seconds * 1000)
            share = (spent(kernel) - before) / (time.monotonic() - start)
            print(
                f"{'nothing happens':15} kernel {share:5.2%} of a core, with server, client, plot, presence and badge"
            )
            browser.close()
    finally:
        if feeder is not None and feeder.poll() is None:
            feeder.kill()
        lab.delete_kernels()
        lab.stop()


if __name__ == "__main__":
    main()
