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
from collections.abc import Mapping
from typing import Any, Final

import numpy as np

from nbrealtime.live.samples.bands import Band, Floats, bins, first_bin

__all__ = [
    "Band",
    "Mode",
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

_NARROWEST: Final = 1e-9
_FLOAT: Final = np.dtype("<f4")
_FEW_NUMBERS: Final = np.arange(1024.0)


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


def pack_points(times: Floats, values: Floats, *, slack: float = 0.0) -> tuple[dict[str, Any], bytes]:
    """A header and 4-byte floats: n times after ``t0``, n values in ``v0 + scale × f``.

    Times that are even to within ``slack`` seconds travel as ``step``: the n-th is ``t0 + n × step``, and only values follow.
    """
    n = len(times)
    t0 = times.item(0) if n else 0.0
    v0, scale = _frame_of(values, values)
    header = {"mode": "points", "n": n, "t0": t0, "v0": v0, "scale": scale}
    body = _floats(_scaled(values, v0, scale))
    since = times - t0
    if n and slack > 0:
        step = since.item(-1) / (n - 1) if n > 1 else 0.0
        apart = since - step * _numbers(n)
        # Of times that are none the comparison is false.
        if np.maximum.reduce(apart) <= slack and np.minimum.reduce(apart) >= -slack:
            header["step"] = step
            return header, body
    return header, _floats(since) + body


def pack_samples(
    times: Floats, columns: Mapping[str, Floats], width: float, *, slack: float = 0.0
) -> list[tuple[dict[str, Any], bytes]]:
    """As `pack_points`, for each column; the browser makes bins of ``width`` of them, the first of which is ``k0``."""
    k0 = first_bin(float(times[0]), width)
    packed = [pack_points(times, column, slack=slack) for column in columns.values()]
    for header, _ in packed:
        header.update(mode="samples", bin=width, k0=k0)
    return packed


def pack_band(band: Band, width: float) -> tuple[dict[str, Any], bytes]:
    """A header and 4-byte numbers: n offsets from bin ``k0`` (absent when ``dense``), n low, n high, n mean."""
    n = len(band)
    k0 = int(band.index[0]) if n else 0
    dense = n > 0 and int(band.index[-1]) - k0 == n - 1
    v0, scale = _frame_of(band.low, band.high)
    body = b"" if dense else (band.index - k0).astype("<u4").tobytes()
    rows = np.empty((3, n))
    rows[0], rows[1], rows[2] = band.low, band.high, band.mean
    body += _floats(_scaled(rows, v0, scale))
    return {"mode": "band", "n": n, "bin": width, "k0": k0, "dense": dense, "v0": v0, "scale": scale}, body


def _numbers(n: int) -> Floats:
    """0, 1, … n-1."""
    return _FEW_NUMBERS[:n] if n <= len(_FEW_NUMBERS) else np.arange(n, dtype=np.float64)


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
    # A NaN is the least and the greatest of all.
    low, high = float(np.minimum.reduce(lows)), float(np.maximum.reduce(highs))
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
