"""A topic's feed as a plot reads it, written by hand."""

from __future__ import annotations

from collections.abc import Callable
from types import SimpleNamespace
from typing import Any

import numpy as np

from nbrealtime.live.samples.ring import Ring

NOW = 1_790_000_000.0


class Feed:
    """A ring, and what a test says of the topic."""

    def __init__(self, name: str = "lab:temp") -> None:
        self.ring = Ring()
        self.said = SimpleNamespace(
            name=name, state="live", count=0, timestamp=NOW, reason="", numeric=None, error=None
        )

    @property
    def name(self) -> str:
        return self.said.name

    @property
    def strands(self) -> tuple[Feed, ...]:
        return (self,)

    @property
    def untroubled(self) -> int | None:
        said = self.said
        return said.count if said.state == "live" and said.count and not said.reason else None

    def status(self) -> SimpleNamespace:
        return self.said

    def watch(self, callback: Callable[[], None]) -> Callable[[], None]:
        return lambda: None

    def put(self, times: Any, **columns: Any) -> None:
        times = np.asarray(times, dtype=float)
        self.ring.append(times, {name: np.asarray(column, dtype=float) for name, column in columns.items()})
        self.said.count += 1

    def stream(self, seconds: float, rate: float) -> None:
        """A sawtooth of a minute, from `NOW` on."""
        steps = round(seconds * rate)
        for begin in range(0, steps, 100_000):
            n = np.arange(begin, min(steps, begin + 100_000))
            times = NOW + (n + 0.5) / rate
            self.ring.append(times, {"value": (times - NOW) % 60})
