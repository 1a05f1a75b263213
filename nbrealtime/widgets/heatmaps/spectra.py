"""Samples as columns of a spectrogram: short-time spectra, made as the samples come.

Collaborators: `spectrogram.Spectrogram` gives it a topic's ring, `part` has it collected on the
pump thread.

A segment's spectrum is the one-sided power spectral density of its samples without their mean:
``|FFT(w·x)|² / (fs · Σw²)``, doubled between zero and half the sampling rate (G. Heinzel, A. Rüdiger,
R. Schilling, "Spectrum and spectral density estimation by the DFT", 2002, eq. 23), in dB of one
unit² / Hz, or its root, the amplitude density, in units / √Hz.

The one rule: a segment never spans a gap. Samples after one begin a segment of their own.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from nbrealtime.live.samples.ring import Ring
from nbrealtime.widgets.heatmaps.grid import HeatGrid

__all__ = ["WINDOWS", "Spectra", "density"]

Floats = NDArray[np.float64]

WINDOWS: Final[Mapping[str, Callable[[int], Any]]] = {
    "hann": np.hanning,
    "hamming": np.hamming,
    "blackman": np.blackman,
    "boxcar": np.ones,
}
_SAMPLES: Final = 200_000
"""Samples that one frame makes spectra of."""
_READ: Final = 2_000_000
"""Samples that may wait for their spectra; older ones become a gap."""
_GAP: Final = 5.0
"""A pause of so many intervals ends a segment, as it breaks a plot's line."""
_DRIFT: Final = 0.05
_TINY: Final = 1e-30


def density(segments: Floats, fs: float, taper: Floats, *, db: bool) -> NDArray[np.float32]:
    """Returns the spectra of ``segments`` (one a row), sampled at ``fs`` Hz, with the taper ``taper``."""
    bare = segments - segments.mean(axis=1, keepdims=True)
    transformed = np.fft.rfft(bare * taper, axis=1)
    power = (transformed.real**2 + transformed.imag**2) / (fs * float(np.sum(taper * taper)))
    # Zero and, of an even number of samples, half the sampling rate have no mirror image.
    power[:, 1 : -1 if segments.shape[1] % 2 == 0 else None] *= 2
    shown = 10 * np.log10(np.maximum(power, _TINY)) if db else np.sqrt(power)
    return shown.astype(np.float32)


class Spectra:
    """Columns made of one field's samples. Used on the pump thread alone.

    Args:
        ring: where the samples are.
        field: whose.
        window: seconds that are kept.
        fs: samples per second; None finds it from their times.
        nperseg: samples of a segment.
        overlap: the share of a segment that the next one has too.
        taper: one of `WINDOWS`.
        db: decibels instead of amplitudes.
        frequencies: the lowest and the highest (Hz) to show; None shows all.
    """

    def __init__(
        self,
        ring: Ring,
        field: str,
        window: float,
        *,
        fs: float | None = None,
        nperseg: int = 256,
        overlap: float = 0.5,
        taper: str = "hann",
        db: bool = True,
        frequencies: tuple[float, float] | None = None,
    ) -> None:
        self.grid = HeatGrid(window)
        self.lock = threading.Lock()
        self.came = 0
        self.note = ""
        self.fs = fs
        self._given = fs is not None
        self._ring = ring
        self._field = field
        self._nperseg = nperseg
        self._hop = max(1, round(nperseg * (1 - overlap)))
        # Periodic, as spectra want it: one more point, and the last one left out.
        self._taper: Floats = np.asarray(WINDOWS[taper](nperseg + 1)[:-1], dtype=np.float64)
        self._db = db
        self._wanted = frequencies
        self._shown = slice(0, 0)
        self._until: float | None = None  # the newest time that will be taken
        self._after: float | None = None  # the newest time that was taken
        self._times: Floats = np.empty(0)
        self._values: Floats = np.empty(0)

    def collect(self) -> bool:
        """Makes spectra of the samples since the last time, at first of the window's; returns whether more wait."""
        newest = self._ring.newest
        if newest is None:
            return False
        if self._after is not None and newest < self._after:
            # The topic was cleared, and its clock begins anew.
            self._after, self._times, self._values = None, np.empty(0), np.empty(0)
            self.grid.shape(self.grid.rows)
        since = newest - self.grid.window if self._after is None else self._after
        times, columns = self._ring.snapshot((self._field,), last=_READ, since=since, until=self._until)
        values = columns[self._field]
        if self._after is not None:
            fresh = int(np.searchsorted(times, self._after, "right"))
            times, values = times[fresh:], values[fresh:]
        if len(times) == 0:
            return False
        more = len(times) > _SAMPLES
        times, values = times[:_SAMPLES], values[:_SAMPLES]
        self._after = float(times[-1])
        if len(self._times):
            times, values = np.concatenate((self._times, times)), np.concatenate((self._values, values))
        self._read(times, values)
        return more

    def end(self) -> None:
        """Takes no sample that is newer than the newest now. Any thread."""
        newest = self._ring.newest
        self._until = -np.inf if newest is None else newest

    def axis(self) -> dict[str, Any]:
        """The frequencies of the first and the last row."""
        if self.fs is None or self.grid.rows == 0:
            low, high = self._wanted or (0.0, 1.0)
        else:
            step = self.fs / self._nperseg
            low, high = self._shown.start * step, (self._shown.stop - 1) * step
        return {"positions": [low, high], "unit": "Hz"}

    def _read(self, times: Floats, values: Floats) -> None:
        """Takes all segments out of ``times`` and keeps what is left for the next time."""
        known = np.isfinite(values)
        fs = self._rate(times)
        if fs is None:
            self._times, self._values = times, values
            return
        breaks = np.flatnonzero((np.diff(times) > _GAP / fs) | ~known[1:] | ~known[:-1]) + 1
        start = 0
        for stop in [*breaks.tolist(), len(times)]:
            if known[start]:
                start = self._stretch(times, values, start, stop, fs)
            if stop < len(times):
                start = stop
        self._times, self._values = times[start:].copy(), values[start:].copy()

    def _stretch(self, times: Floats, values: Floats, start: int, stop: int, fs: float) -> int:
        """Makes the spectra of an unbroken stretch; returns where the next segment would begin."""
        count = (stop - start - self._nperseg) // self._hop + 1
        if count <= 0:
            return start
        views = np.lib.stride_tricks.sliding_window_view(values[start:stop], self._nperseg)[:: self._hop]
        spectra = density(views, fs, self._taper, db=self._db)[:, self._shown]
        for i in range(count):
            begin = start + i * self._hop
            self.grid.add(float(times[begin] + times[begin + self._nperseg - 1]) / 2, spectra[i])
        self.came += count
        return start + count * self._hop

    def _rate(self, times: Floats) -> float | None:
        """Finds the sampling rate, or that it is another; None while it is not known."""
        if self._given:
            if self.fs is not None and self.grid.rows == 0:
                self._shape(self.fs)
            return self.fs
        if len(times) < min(self._nperseg, 64):
            return self.fs
        # The usual step, whatever gaps and jitter there are: the mean of the middle half. Sorted as a list, for
        # numpy's sort gives the interpreter away.
        steps = sorted(np.diff(times[-self._nperseg :]).tolist())
        middle = steps[len(steps) // 4 : max(len(steps) // 4 + 1, 3 * len(steps) // 4)]
        found = len(middle) / max(sum(middle), 1e-12)
        if self.fs is None or abs(found / self.fs - 1) > _DRIFT:
            self.fs = found
            self._shape(found)
        return self.fs

    def _shape(self, fs: float) -> None:
        rows = self._nperseg // 2 + 1
        step = fs / self._nperseg
        low, high = self._wanted or (0.0, fs / 2)
        first = min(rows - 1, max(0, int(np.ceil(low / step - 1e-9))))
        last = min(rows, max(first + 1, int(np.floor(high / step + 1e-9)) + 1))
        self._shown = slice(first, last)
        beyond = self._wanted is not None and low > fs / 2
        self.note = f"{low:g} Hz is beyond half the sampling rate of {fs:.4g} Hz" if beyond else ""
        self.grid.shape(last - first)
