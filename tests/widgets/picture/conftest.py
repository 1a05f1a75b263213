"""Frames as a plot would send them, made of arrays."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from nbrealtime.widgets.plots.decimate import bins, pack_band, pack_points

NOW = 1_790_000_000.0

Frame = tuple[dict[str, Any], list[bytes]]


@pytest.fixture
def frame() -> Callable[..., Frame]:
    """Makes a whole frame of ``label=values``; the newest of the evenly spread samples is at `NOW`."""

    def make(*, window: float = 60.0, every: float = 1.0, band: float = 0.0, **more: Any) -> Frame:
        lines = more.pop("lines", {"lab:temp": np.sin(np.arange(61) / 5)})
        entries, bodies, newest = [], [], None
        for index, (_, values) in enumerate(lines.items()):
            values = np.asarray(values, dtype=float)
            times = NOW - every * np.arange(len(values))[::-1]
            entry, body = (
                pack_band(bins(times, values, band), band) if band else pack_points(times, values)[0]
            )
            entries.append({**entry, "series": index, "interval": every, "last": float(values[-1])})
            bodies.append(body)
            newest = NOW
        header = {
            "window": window,
            "newest": newest,
            "reason": "",
            "text": "",
            "data": entries,
            "series": [{"label": label} for label in lines],
            "topics": ["lab:temp"],
            **more,
        }
        return header, [b"".join(bodies)]

    return make
