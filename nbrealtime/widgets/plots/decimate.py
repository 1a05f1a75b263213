"""Samples to what a plot can show of them: a band of minimum, maximum and mean for each pixel, or the points.

Collaborators: `plot` reads its rings and hands the arrays here; ``js/src/plot/store.ts``
unpacks what `pack` packed.

Pure: arrays in, arrays and bytes out. The rules: bins are 1-2-5 × 10^k seconds wide and
aligned to the epoch, so that the same samples always make the same picture and an
envelope does not shimmer as it scrolls; and a bin is computed from all of its samples,
so a frame that repeats a bin corrects it, late samples included.
"""

from __future__ import annotations

import math
from typing import Any, Final

import numpy as np

from nbrealtime.live.samples.bands import Band, Floats, bins, first_bin

__all__ = [
    "Band",
    "Mode",
    "Packed",
    "bin_width",
    "bins",
    "choose",
    "first_bin",
    "pack_band",
    "pack_points",
    "pack_samples",
]

Mode = str
"""``"points"`` or ``"band"``."""

Packed = tuple[dict[str, Any], bytes]
"""A header and its numbers."""

_NARROWEST: Final = 1e-9
_FLOAT: Final = np.dtype("<f4")
_MANY: Final = 1024
_FEW_NUMBERS: Final = np.arange(float(_MANY))


def bin_width(window: float, pixels: int) -> float:
    """The narrowest 1-2-5 width (s) at which ``window`` seconds need no more bins than ``pixels``."""
    least = max(window / max(1, pixels), _NARROWEST)
    power = math.floor(math.log10(least))
    for step in (1, 2, 5, 10):
        # The product and not a running multiplication: 0.1 must come out as 0.1.
        width = float(step * 10**power if power >= 0 else step / 10**-power)
        if width >= least * (1 - 1e-9):
            return width
    raise AssertionError("ten times the power of ten is above what it was taken from")


def choose(before: Mode | None, window: float, interval: float | None, width: float) -> Mode:
    """Points while they are fewer than bins, the band above; in between what it was ``before``.

    Args:
        interval: the series' median sample interval (s), None below two samples.
    """
    if interval is None or interval <= 0:
        return before or "points"
    samples, most = window / interval, window / width
    # As many as bins are few enough: the median of times that were added up is not exact.
    if samples > most * 1.01:
        return "band"
    if samples < most / 2:
        return "points"
    return before or "points"


def pack_points(
    times: Floats, *columns: Floats, slack: float = 0.0, head: dict[str, Any] | None = None
) -> list[Packed]:
    """For each column a header and 4-byte floats: n times after ``t0``, n values in ``v0 + scale × f``.

    Times that are even to within ``slack`` seconds travel as ``step``: the n-th is ``t0 + n × step``, and only values follow.

    Args:
        head: what every header begins with; it is written into.
    """
    n = len(times)
    t0 = times.item(0) if n else 0.0
    if head is None:
        head = {"mode": "points"}
    head["n"], head["t0"] = n, t0
    if n and slack > 0 and (step := _step(times, slack)) is not None:
        head["step"], before = step, b""
    else:
        before = _floats(times - t0)
    packed = []
    for values in columns:
        header = head.copy()
        header["v0"], header["scale"] = v0, scale = _frame_of(values, values)
        if v0 or scale != 1.0:
            values = _scaled(values, v0, scale)
        packed.append((header, before + values.astype(_FLOAT).tobytes()))
    return packed


def pack_samples(times: Floats, *columns: Floats, width: float, slack: float = 0.0) -> list[Packed]:
    """As `pack_points`; the browser makes bins of ``width`` of them, the first of which is ``k0``."""
    head = {"mode": "samples", "bin": width, "k0": first_bin(times.item(0), width)}
    return pack_points(times, *columns, slack=slack, head=head)


def pack_band(band: Band, width: float, first: float | None = None) -> Packed:
    """A header and 4-byte numbers: n offsets from bin ``k0`` (absent when ``dense``), n low, n high, n mean.

    Args:
        first: the time of the first sample in it, where that is known.
    """
    n = len(band)
    k0 = int(band.index[0]) if n else 0
    dense = n > 0 and int(band.index[-1]) - k0 == n - 1
    v0, scale = _frame_of(band.low, band.high)
    body = b"" if dense else (band.index - k0).astype("<u4").tobytes()
    rows = np.empty((3, n))
    rows[0], rows[1], rows[2] = band.low, band.high, band.mean
    body += _floats(_scaled(rows, v0, scale))
    header = {"mode": "band", "n": n, "bin": width, "k0": k0, "dense": dense, "v0": v0, "scale": scale}
    return {**header, "first": first}, body


def _step(times: Floats, slack: float) -> float | None:
    """The distance of times that are even to within ``slack``."""
    n, t0 = len(times), times.item(0)
    if n < 2:
        return 0.0
    step: float = (times.item(-1) - t0) / (n - 1)
    apart = (_FEW_NUMBERS[:n] if n <= _MANY else np.arange(n, dtype=np.float64)) * step
    apart -= times
    # Not `minimum.reduce`, which takes three times as long to begin. Of times that are none no comparison is true.
    if -slack <= apart.item(apart.argmin()) + t0 and apart.item(apart.argmax()) + t0 <= slack:
        return step
    return None


def _scaled(values: Floats, v0: float, scale: float) -> Floats:
    if v0:
        values = values - v0
    return values / scale if scale != 1.0 else values


def _floats(values: Floats) -> bytes:
    return values.astype(_FLOAT).tobytes()


def _frame_of(lows: Floats, highs: Floats) -> tuple[float, float]:
    """Offset and scale that keep 4-byte floats exact enough: 101 325 ± 0.01 Pa must not become steps.

    A float32 has 24 bits, less than a pixel needs of a large value with a small change,
    so values travel as differences; the scale is 1 but for values outside its range.
    """
    if not len(lows):
        return 0.0, 1.0
    low, high = lows.item(lows.argmin()), highs.item(highs.argmax())
    # A NaN is the least and the greatest of all, and no comparison with it is true.
    largest = max(high, -low)
    if 1e-30 < largest < 1e37 and high - low >= 0.01 * largest:
        return 0.0, 1.0
    if not (math.isfinite(low) and math.isfinite(high)):
        finite = np.concatenate((lows, highs))
        finite = finite[np.isfinite(finite)]
        if not len(finite):
            return 0.0, 1.0
        low, high = float(finite.min()), float(finite.max())
    # Zero stays exact where it is in the data or close: no offset unless the change is small beside the value.
    offset = low if high - low < 0.01 * max(abs(low), abs(high)) else 0.0
    largest = max(abs(low - offset), abs(high - offset))
    scale = 1.0 if largest == 0 or 1e-30 < largest < 1e37 else 2.0 ** (math.frexp(largest)[1] - 1)
    return offset, scale
