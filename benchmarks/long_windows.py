"""What a plot costs the kernel by its window: a frame, a new view, a zoom into the past, and what is kept.

    python -m benchmarks.long_windows [--rate 10000] [--frames 600]

Without a browser: a feed is filled with a window's samples and a tenth more, then a frame is made after each sixtieth of a
second of new samples, 800 pixels wide. Printed is CPU time, of a frame with its samples' way into the ring; as ratios to
the shortest window, since machines differ. A *view* is the snapshot that a new one gets, a *zoom* the answer for a
hundredth of the window in its first half. The target: a frame of an hour's window costs what one of ten seconds does.
"""

from __future__ import annotations

import argparse
import statistics
import time
from functools import partial

import numpy as np

from nbrealtime.live.feed import Feed
from nbrealtime.widgets.audience import Viewing
from nbrealtime.widgets.plots.part import PlotPart
from nbrealtime.widgets.plots.source import Source

WINDOWS = {"10 s": 10.0, "60 s": 60.0, "1 h": 3600.0, "1 d": 86400.0}
EPOCH = 1_790_000_000.0
WIDE = Viewing(width=800)
BLOCK = 50_000
PASSES = 5


class Bench:
    """A plot of one window, and the samples that it has been given."""

    def __init__(self, window: float, rate: int) -> None:
        self.window, self.rate = window, rate
        self.feed = Feed("bench:fast")
        self.part = PlotPart([Source("bench:fast", self.feed)], window=window)
        self.noise = np.random.default_rng(1).normal(0, 0.1, BLOCK)
        self.given = 0
        while self.given < 1.1 * window * rate:
            self.give(BLOCK)
        self.part.frame(self.now, WIDE)

    @property
    def now(self) -> float:
        return EPOCH + self.given / self.rate

    def give(self, samples: int) -> None:
        """So many more samples."""
        times = EPOCH + np.arange(self.given, self.given + samples) / self.rate
        self.feed.ring.append(times, {"value": np.sin(times) + self.noise[:samples]})
        self.given += samples

    def frames(self, frames: int) -> float:
        """Seconds of CPU for each of so many frames."""
        began = time.process_time()
        for _ in range(frames):
            self.give(self.rate // 60)
            self.part.frame(self.now, WIDE)
        return (time.process_time() - began) / frames

    def view(self) -> float:
        """Seconds of CPU for a snapshot."""
        began = time.process_time()
        self.part.snapshot(self.now, WIDE)
        return time.process_time() - began

    def zoom(self) -> float:
        """Seconds of CPU for the answer to a view that looks at the past."""
        begin = self.now - self.window * 0.8
        question = {"from": begin, "to": begin + self.window / 100, "width": 800, "request": 1}
        began = time.process_time()
        self.part.told({"type": "range", **question})
        return time.process_time() - began


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--rate", type=int, default=10_000, help="samples/s")
    parser.add_argument("--frames", type=int, default=600)
    parser.add_argument("--windows", nargs="*", default=["10 s", "60 s", "1 h"], choices=list(WINDOWS))
    given = parser.parse_args()
    base: tuple[float, ...] | None = None
    print(f"{given.rate:,} samples/s, 800 pixels; ratios to {given.windows[0]}")
    for name in given.windows:
        began = time.process_time()
        bench = Bench(WINDOWS[name], given.rate)
        fill = (time.process_time() - began) / bench.given
        costs = tuple(
            statistics.median(measure() for _ in range(PASSES))
            for measure in (partial(bench.frames, given.frames), bench.view, bench.zoom)
        )
        base = base or costs
        frame, view, zoom = (
            f"{cost * 1e6:7.0f} µs ({cost / first:4.2f})" for cost, first in zip(costs, base, strict=True)
        )
        kept = bench.feed.ring.nbytes / 2**20
        print(
            f"{name:>5}: frame {frame}   view {view}   zoom {zoom}   kept {kept:5.1f} MiB   "
            f"{fill * 1e9:4.0f} ns for each of {bench.given:,} samples"
        )


if __name__ == "__main__":
    main()
