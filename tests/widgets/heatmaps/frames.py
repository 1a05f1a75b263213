"""What a heatmap is told, and what its frames say."""

from __future__ import annotations

import numpy as np

from nbrealtime.widgets.audience import Viewing

__all__ = ["FAR", "hear", "hole", "news", "read", "snapshot"]

WIDE = Viewing(800)


def read(frame):
    """A frame's header, and its columns by time."""
    header, buffers = frame
    assert all(type(buffer) is bytes for buffer in buffers)
    if not buffers:
        return header, {}
    _bins, times, values = (
        np.frombuffer(b, dtype) for b, dtype in zip(buffers, ("f8", "f8", "f4"), strict=True)
    )
    columns = values.reshape(len(times), header["rows"])
    return header, {time: column.tolist() for time, column in zip(times.tolist(), columns, strict=True)}


def news(heatmap):
    return read(heatmap._stream.frame(0.0, WIDE))


def snapshot(heatmap):
    return read(heatmap._stream.snapshot(0.0, WIDE))


def hear(topic, *columns, start=1000.0, step=1.0):
    for i, data in enumerate(columns):
        topic.hear(data, timestamp=start + i * step)


def hole(column):
    return [None if np.isnan(value) else value for value in column]


FAR = [1e305, -1e305, 1e18]
"""Times that nothing was measured at."""
