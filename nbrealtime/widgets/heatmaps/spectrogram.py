"""`Spectrogram`: the frequencies in a numeric series over time.

Collaborators: `spectra.Spectra` makes short-time spectra of the samples in the topic's ring,
`heatmap.HeatPanel` shows them as every heatmap is shown.

The one rule: spectra are made in the kernel, once for all views, of samples that a segment needs
and no others; a view learns of columns alone.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from nbrealtime.options import LEAST, MOST, given, number, pair, text, whole
from nbrealtime.widgets.heatmaps.grid import MOST_ROWS
from nbrealtime.widgets.heatmaps.heatmap import HeatPanel, checked
from nbrealtime.widgets.heatmaps.spectra import WINDOWS, Spectra
from nbrealtime.widgets.subjects import topic_of
from nbrealtime.wire.topics import is_pattern

if TYPE_CHECKING:
    import datetime as dt

    from nbrealtime.live.topic import LiveTopic

__all__ = ["Spectrogram", "spectrogram"]

LEAST_SEGMENT: Final = 8


class Spectrogram(HeatPanel):
    """Shows how strong each frequency of a series is, over time.

    Each column is the power spectral density of ``nperseg`` samples, at their middle. The sampling rate is
    found from the samples' times, unless ``fs`` says it; when it changes by more than 5 % the picture begins
    anew. A gap in the samples stays blank. It begins with the window that the topic still holds, and is created, closed
    and replaced as a `LiveHeatmap` is; ``window``, ``value_range``, ``colors``, ``time_zone``, ``title`` and ``height``
    are that one's, and so are the errors.

    Args:
        topic: a topic or a field of one (``topic["x"]``), as `LiveTopic` or by name on the default connection.
        field: the field; by default ``value``.
        fs: samples per second.
        nperseg: samples of a segment, 8 to 8,190: more of them tell frequencies better apart, and times worse.
        overlap: the share of a segment that the next one has too, 0 to 0.95.
        taper: ``"hann"``, ``"hamming"``, ``"blackman"`` or ``"boxcar"``.
        db: decibels of one unit² / Hz; False shows the amplitude density in units / √Hz.
        frequencies: ``(lowest, highest)`` in Hz; None shows all, up to half the sampling rate.
        units: what the samples are in.
    """

    def __init__(
        self,
        topic: LiveTopic | str,
        *,
        field: str | None = None,
        window: float | str = 60.0,
        fs: float | None = None,
        nperseg: int = 256,
        overlap: float = 0.5,
        taper: str = "hann",
        db: bool = True,
        frequencies: tuple[float, float] | None = None,
        units: str = "",
        value_range: tuple[float, float] | None = None,
        colors: str = "ember",
        time_zone: str | dt.tzinfo = "",
        title: str = "",
        height: int = 280,
    ) -> None:
        looks = checked(window, value_range, colors, time_zone, title, height)
        nperseg = whole("nperseg", nperseg, LEAST_SEGMENT, 2 * (MOST_ROWS - 1))
        overlap = number("overlap", overlap, "between 0 and 0.95", 0, 0.95)
        if fs is not None:
            fs = number("fs", fs, "samples per second, more than 0", LEAST, MOST)
        if taper not in tuple(WINDOWS):
            raise ValueError(f"taper is one of {', '.join(WINDOWS)}, not {given(taper)}")
        if frequencies is not None:
            frequencies = pair("frequencies", frequencies)
            if frequencies[0] < 0:
                raise ValueError(f"frequencies is (lowest, highest) in Hz, from 0 up, not {frequencies!r}")
        if field is not None:
            text("field", field)
        text("units", units)
        found = topic_of(topic)
        if is_pattern(found.name):
            raise ValueError(f"a spectrogram is of one topic: {found.name} has by_topic(name)")
        source = Spectra(
            found.feed.ring,
            field or getattr(topic, "field", None) or "value",
            looks["window"],
            fs=fs,
            nperseg=nperseg,
            overlap=overlap,
            taper=taper,
            db=db,
            frequencies=frequencies,
        )
        scale = f"dB re 1 {units or 'unit'}²/Hz" if db else f"{units}/√Hz"
        super().__init__(found, source, kind="spectrogram", units=scale, **looks)


def spectrogram(subject: LiveTopic, /, **options: object) -> Spectrogram:
    """The view named ``"spectrogram"``: a `Spectrogram` of ``subject``."""
    return Spectrogram(subject, **options)  # type: ignore[arg-type]
