"""Our plot beside plotly FigureWidget, bqplot and ipympl, on the same streams, in real JupyterLab and Chromium.

    python -m benchmarks.plot --quick              # 10 k samples/s for all, and ours up to 1 M: 4 minutes
    python -m benchmarks.plot                      # everything: 25 minutes
    python -m benchmarks.plot --only equal         # one part of: equal fast rates many
    python -m benchmarks.plot --contenders ours bqplot --seconds 10 --rounds 5

Parts:

``equal``  every contender gets 20 chunks a second: what a picture costs. Where a page cannot draw that many this is said,
           and fewer (`--chunks`) are what all can draw; what a kernel does for a plot however often it draws weighs more then.
``fast``   the same loads in 60 chunks a second: who keeps up. Beside a kernel that computes, ours again.
``rates``  ours alone up to 1 M samples/s, 8 series, and windows up to an hour.
``many``   8 series of 1 kHz, and 20 plots in one notebook.

What is printed for each: pictures a second in which the newest sample was another one; the kernel's time for 1,000
samples beyond what the stream costs without a plot; shares of a core of the Jupyter server and of the page's main thread,
beyond what they are without a stream; bytes on the page's WebSockets for each sample; and how old the newest sample is
when it is drawn (the clock of one machine), median and 95th percentile. The ratios compare at equal pictures: bytes for
each picture of a new sample, since who falls behind is sent less than it was given; and since ours scrolls between the
chunks too, what the main thread does for each that it drew, as the others' is.

Needs Debian's ``chromium``, ``pip install -e .[test,bench]``, and a machine that does nothing else.
"""

from __future__ import annotations

import argparse
import json
import shutil
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, fields
from pathlib import Path
from statistics import median

import psutil
from playwright.sync_api import Browser, sync_playwright

from benchmarks.contenders import CONTENDERS, SOURCE, Contender, Workload
from benchmarks.processor import spent
from benchmarks.quiet import Quiet
from tests.browser.conftest import _FLAGS
from tests.browser.iopub import Comms
from tests.browser.lab import Lab
from tests.browser.notebook import Notebook

# Counts what comes over every WebSocket of the page, where it costs the page an addition.
COUNT_BYTES = """
const Native = window.WebSocket;
window.benchBytes = 0;
window.WebSocket = class extends Native {
  constructor(...all) {
    super(...all);
    this.addEventListener("message", ({data}) => { window.benchBytes += data.byteLength ?? data.length; });
  }
};
"""

WATCH = """(root, watch) => {
  const seen = window.benchSeen = [];
  eval(watch)(root, (t) => seen.push([Date.now(), t]));
}"""

BUSY = "end = time.monotonic() + {seconds}\nn = 0\nwhile time.monotonic() < end:\n    n += 1"


@dataclass
class Result:
    """One contender on one workload."""

    pictures: float
    """A second, of new samples."""
    drawn: float
    """A second, of anything."""
    kernel: float
    """ms of CPU for 1,000 samples, without the stream's own."""
    server: float
    page: float
    size: float
    """Bytes for each sample."""
    samples: float
    """A second, of all series."""
    p50: float
    p95: float
    disturbed: bool = False
    """Whether the host took processors away meanwhile."""

    @property
    def page_per_picture(self) -> float:
        """Main-thread ms for each picture drawn."""
        return 1000 * self.page / self.drawn if self.drawn else float("nan")

    @property
    def size_per_picture(self) -> float:
        """Bytes for each picture of a new sample."""
        return self.size * self.samples / self.pictures if self.pictures else float("nan")

    def __str__(self) -> str:
        return (
            f"{self.pictures:6.1f}{self.kernel:10.3f}{self.server:9.1%}{self.page:9.1%}"
            f"{self.page_per_picture:9.1f}{self.size:10.2f}{self.p50:8.0f}{self.p95:8.0f}"
        )


HEADER = (
    f"{'':38}{'fps':>6}{'kernel':>10}{'server':>9}{'page':>9}{'page':>9}{'bytes':>10}{'p50':>8}{'p95':>8}\n"
    f"{'':38}{'':6}{'ms/1000':>10}{'':9}{'':9}{'ms/draw':>9}{'/sample':>10}{'ms':>8}{'ms':>8}"
)


class Bench:
    """One JupyterLab and one browser for all."""

    def __init__(self, lab: Lab, browser: Browser, seconds: float) -> None:
        self.lab, self.browser, self.seconds = lab, browser, seconds
        (self.jupyter,) = (psutil.Process(lab.pid),)

    @contextmanager
    def notebook(self, *cells: str, height: int = 1000) -> Iterator[Notebook]:
        context = self.browser.new_context(viewport={"width": 1000, "height": height})
        context.set_default_timeout(30_000)
        context.add_init_script(COUNT_BYTES)
        try:
            yield Notebook(self.lab, context, self.lab.write("bench", list(cells)))
        finally:
            context.close()
            self.lab.delete_kernels()

    def run(self, contender: Contender, load: Workload, *, busy: bool = False) -> Result:
        """Streams ``load`` into the contender's plot for the time, and tells what that took."""
        source = SOURCE.format(rate=load.rate, series=load.series, window=load.window, chunks=load.chunks)
        after = (
            BUSY.format(seconds=self.seconds)
            if busy
            else "import json\nprint(json.dumps(globals().get('when', [])))"
        )
        cells = [
            source,
            contender.setup,
            contender.show,
            "start(lambda t, columns: None)",
            contender.begin,
            after,
        ]
        with self.notebook(*cells) as notebook:
            notebook.run(0)
            kernel = psutil.Process(int(notebook.text(0).split()[1]))
            notebook.run(1, timeout=120)
            self._wait(notebook, 1)
            idle = self._spend(notebook, kernel, 2)
            notebook.run(3)
            stream = self._spend(notebook, kernel, self.seconds)["kernel"]
            notebook.run(2, wait=True, timeout=120)
            notebook.run(4)
            root = notebook.find(contender.ready).first
            root.wait_for(state="attached", timeout=60_000)
            self._wait(notebook, 3)
            root.evaluate(WATCH, contender.watch)
            if busy:
                notebook.run(5, wait=False)
            spent = self._spend(notebook, kernel, self.seconds)
            seen = notebook.page.evaluate("window.benchSeen")
            if contender.numbered:
                notebook.run(5, timeout=60)
                seen = _dated(seen, json.loads(notebook.text(5)))
        newest: dict[float, float] = {}
        for at, t in seen:
            if t > 1e9:
                newest.setdefault(t, at - t)
        ages = sorted(newest.values()) or [float("nan")]
        counted = sum(1 for _, t in seen if t <= 1e9)
        return Result(
            pictures=(counted or len(newest)) / self.seconds,
            drawn=(counted or len(seen)) / self.seconds,
            kernel=1e6 * max(0.0, spent["kernel"] - stream) / (load.rate * load.series),
            server=max(0.0, spent["server"] - idle["server"]),
            page=max(0.0, spent["page"] - idle["page"]),
            size=(spent["bytes"] - idle["bytes"]) / (load.rate * load.series),
            samples=load.rate * load.series,
            p50=ages[len(ages) // 2],
            p95=ages[int(0.95 * len(ages))],
        )

    def _spend(self, notebook: Notebook, kernel: psutil.Process, seconds: float) -> dict[str, float]:
        """What goes on, each second, for so many."""
        session = notebook.page.context.new_cdp_session(notebook.page)
        session.send("Performance.enable")

        def read() -> dict[str, float]:
            metrics = {one["name"]: one["value"] for one in session.send("Performance.getMetrics")["metrics"]}
            return {
                "kernel": spent(kernel),
                "server": spent(self.jupyter),
                "page": metrics["TaskDuration"],
                "bytes": notebook.page.evaluate("window.benchBytes"),
            }

        before, start = read(), time.monotonic()
        notebook.page.wait_for_timeout(1000 * seconds)
        after, took = read(), time.monotonic() - start
        session.detach()
        return {name: (after[name] - before[name]) / took for name in before}

    def _wait(self, notebook: Notebook, seconds: float) -> None:
        notebook.page.wait_for_timeout(1000 * seconds)


def _dated(seen: list[list[float]], when: list[list[float]]) -> list[list[float]]:
    """Puts times for what was told by its number only: the last that had it before it was seen."""
    if not when:
        return seen
    dated = []
    for at, number in seen:
        times = [t for n, t in when if n == -number and t <= at]
        if times:
            dated.append([at, times[-1]])
    return dated


def compare(bench: Bench, names: list[str], loads: list[Workload], rounds: int) -> None:
    """Prints every contender on every load, and ours as multiples of theirs: of several rounds the medians.

    Of several rounds only those count, whole or not at all, in which the host let the machine be; it takes up to three
    times as many for them, and says so where they were too few and all of them count.
    """
    for load in loads:
        tried = [name for name in names if load.points * load.series <= CONTENDERS[name].most]
        for name in names:
            if name not in tried:
                print(
                    f"{f'{load}  {name}':38}  (not tried: {load.points * load.series:,} points)", flush=True
                )
        every: list[dict[str, Result]] = []
        undisturbed: list[dict[str, Result]] = []
        while len(undisturbed) < rounds and len(every) < (1 if rounds == 1 else 3 * rounds):
            found = {name: _tell(f"{load}  {name}", bench, CONTENDERS[name], load) for name in tried}
            every.append(found)
            if not any(result.disturbed for result in found.values()):
                undisturbed.append(found)
        counted = undisturbed if len(undisturbed) == rounds else every
        if rounds > 1:
            print(
                f"    {len(undisturbed)} of {len(every)} rounds undisturbed, {len(counted)} counted",
                flush=True,
            )
        results = {name: _median([found[name] for found in counted]) for name in tried}
        ours = results.pop("ours", None)
        if ours is None:
            continue
        for name, other in results.items():
            aim = TARGETS.get(name, {})
            ratios = [
                f"{what} {_ratio(a, b)}" + (f" (to reach: {aim[what]:.2f})" if what in aim else "")
                for what, a, b in (
                    ("kernel", ours.kernel, other.kernel),
                    ("bytes", ours.size_per_picture, other.size_per_picture),
                    ("page", ours.page_per_picture, other.page_per_picture),
                    ("p50", ours.p50, other.p50),
                )
            ]
            print(f"    ours / {name:8} {'   '.join(ratios)}", flush=True)
            if other.pictures < KEPT_UP * ours.pictures:
                print(
                    f"    {name} drew {other.pictures:.1f} pictures/s where ours drew {ours.pictures:.1f}: "
                    "its kernel's time is for what was sent",
                    flush=True,
                )


KEPT_UP = 0.95
"""Who draws less than this share of ours' pictures has not drawn what it was sent."""

TARGETS = {
    "plotly": {"bytes": 1 / 15, "page": 1 / 7},
    "bqplot": {"kernel": 0.8, "bytes": 1 / 15, "page": 1 / 7},
    "ipympl": {"bytes": 1 / 2, "page": 1 / 4},
}


def _median(results: list[Result]) -> Result:
    names = [field.name for field in fields(Result)]
    return Result(**{name: median(getattr(result, name) for result in results) for name in names})


def _ratio(a: float, b: float) -> str:
    return f"{a / b:.2f}" if b > 0 else "-"


def _tell(label: str, bench: Bench, contender: Contender, load: Workload, *, busy: bool = False) -> Result:
    quiet = Quiet()
    result = bench.run(contender, load, busy=busy)
    remark = quiet.remark()
    print(f"{label:38}{result}\n{remark}", end="", flush=True)
    result.disturbed = bool(remark)
    return result


MANY = """\
import nbrealtime as rt, ipywidgets
server = rt.serve()
topics = [rt.subscribe("bench:%d" % n) for n in range(20)]
rt.connect().wait_connected(10)
plots = [topic.plot(window=10, height=160) for topic in topics]
ipywidgets.GridBox(plots, layout=dict(grid_template_columns="1fr 1fr"))
"""

FEED_MANY = """\
def take(t, columns):
    for topic in topics:
        topic.feed.ring.append(t, columns)
        topic.feed.touch()
start(take)
"""

COUNT_MANY = """(seconds) => new Promise((resolve) => {
  const plots = [...document.querySelectorAll(".nbrt-plot")], seen = plots.map(() => new Set());
  plots.forEach((plot, n) => new MutationObserver(() => seen[n].add(plot.dataset.t))
    .observe(plot, {attributes: true, attributeFilter: ["data-t"]}));
  setTimeout(() => resolve(seen.map((times) => times.size / seconds)), 1000 * seconds);
})"""


def many(bench: Bench) -> None:
    """20 plots that are all on the screen."""
    source = SOURCE.format(rate=1000, series=1, window=10, chunks=60)
    with bench.notebook(source, MANY, FEED_MANY, height=2200) as notebook, Comms(bench.lab) as comms:
        notebook.run(0, 1, 2)
        notebook.page.wait_for_timeout(3000)
        rates = notebook.page.evaluate(COUNT_MANY, bench.seconds)
        count = comms.count(3) / 3
    print(
        f"20 plots in one notebook: {min(rates):.1f} to {max(rates):.1f} pictures/s each (to reach: 10), "
        f"{count:.0f} comm messages/s in all (to reach: < 100)",
        flush=True,
    )


def rates(bench: Bench, *, quick: bool) -> None:
    """Ours alone, at loads that the others cannot take."""
    ours = CONTENDERS["ours"]
    loads = [Workload(rate, 1, 10_000 / rate, 60) for rate in (1e3, 1e4, 1e5, 1e6)]
    loads.append(Workload(1e4, 1, 60, 60))
    if not quick:
        loads += [Workload(1e5, 8, 10, 60), Workload(1e6, 1, 60, 60)]
    loads.append(Workload(1e4, 1, 3600, 60))
    for load in loads:
        _tell(f"{load}  ours", bench, ours, load)
    load = Workload(1e4, 1, 10, 60)
    _tell(f"{load}  busy", bench, ours, load, busy=True)
    print("    to reach: 50 fps, p50 25 ms; busy 25 fps, p95 150 ms", flush=True)


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--quick", action="store_true", help="10 k samples/s for all; ours at every rate")
    parser.add_argument("--only", nargs="+", choices=("equal", "fast", "rates", "many"))
    parser.add_argument("--contenders", nargs="+", choices=tuple(CONTENDERS), default=list(CONTENDERS))
    parser.add_argument("--seconds", type=float, default=8.0)
    parser.add_argument("--chunks", type=float, default=20.0, help="a second, for the part equal")
    parser.add_argument(
        "--rounds",
        type=int,
        default=1,
        help="how often the contenders take turns undisturbed, for the medians",
    )
    arguments = parser.parse_args()
    chromium = shutil.which("chromium")
    if chromium is None:
        sys.exit("chromium is not installed: apt-get install chromium")
    parts: list[str] = arguments.only or ["equal", "fast", "rates", "many"]
    if arguments.quick and not arguments.only:
        parts.remove("fast")

    def loads(chunks: float) -> list[Workload]:
        if arguments.quick:
            return [Workload(1e4, 1, 1, chunks)]
        several = [Workload(rate, n, 10_000 / rate, chunks) for rate in (1e3, 1e4, 1e5, 1e6) for n in (1, 8)]
        long = [Workload(1e3, 1, 60, chunks), Workload(1e4, 1, 60, chunks), Workload(1e3, 1, 3600, chunks)]
        return [*several, *long]

    lab = Lab(Path(tempfile.mkdtemp(prefix="bench-lab-")))
    try:
        with sync_playwright() as playwright:
            browser = playwright.chromium.launch(executable_path=chromium, args=_FLAGS)
            bench = Bench(lab, browser, arguments.seconds)
            print(HEADER, flush=True)
            for part in parts:
                print(f"-- {part}", flush=True)
                if part == "equal":
                    compare(bench, arguments.contenders, loads(arguments.chunks), arguments.rounds)
                elif part == "fast":
                    compare(bench, arguments.contenders, loads(60), arguments.rounds)
                elif part == "rates":
                    rates(bench, quick=arguments.quick)
                else:
                    load = Workload(1e3, 8, 10, 60)
                    _tell(f"{load}  ours", bench, CONTENDERS["ours"], load)
                    print("    to reach: 30 fps", flush=True)
                    many(bench)
            browser.close()
    finally:
        lab.stop()


if __name__ == "__main__":
    main()
