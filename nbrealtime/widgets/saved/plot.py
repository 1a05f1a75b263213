"""What of a plot outlives its kernel: pictures of its last state, in the place of its outputs.

Collaborators: `plot.LivePlot` and the tiles are; `kept.Kept` puts the pictures where the outputs are, `picture`
draws.

The one rule: a picture is made of a snapshot, the very frame that a new view would get; nothing is read twice, and
a plot needs no browser for it.
"""

from __future__ import annotations

import base64
import time
import zlib
from typing import Any, Final, Literal

from nbrealtime.options import given, whole
from nbrealtime.widgets.audience import Viewing
from nbrealtime.widgets.parts import Frame, Part
from nbrealtime.widgets.picture import Look, Scene, lay_scene, to_png, to_svg
from nbrealtime.widgets.pump import pump
from nbrealtime.widgets.saved.kept import Kept
from nbrealtime.widgets.saved.shown import WIDGET, Bundle

__all__ = ["Pictured"]

MOST_PIXELS: Final = 16_384
"""Of a picture's width and height."""

_SEEN: Final = (
    *("window", "newest", "closed", "reason", "text", "series", "topics", "data"),
    *("annotations", "marks", "lines"),
)
"""What of a header can be seen in a picture."""


class Pictured(Kept):
    """The part of a plot that makes pictures of it. The widget it belongs to has ``_stream`` and the traits."""

    _stream: Part

    def to_svg(
        self,
        *,
        width: int | None = None,
        height: int | None = None,
        theme: Literal["auto", "light", "dark"] = "auto",
    ) -> str:
        """Returns what the plot shows now as an SVG document, drawn by the kernel.

        Args:
            width: CSS pixels; as wide as it is shown, else 800.
            height: CSS pixels; the plot's own.
            theme: ``"auto"`` is dark on a page that is.
        """
        if theme not in ("auto", "light", "dark"):
            raise ValueError(f"theme is auto, light or dark, not {given(theme)}")
        return to_svg(self._scene(self._now(), *_size(width, height)), theme)

    def to_png(
        self,
        *,
        width: int | None = None,
        height: int | None = None,
        theme: Literal["light", "dark"] = "light",
    ) -> bytes:
        """Returns what the plot shows now as a PNG file, two pixels for each CSS pixel; see `to_svg`."""
        if theme not in ("light", "dark"):
            raise ValueError(f"theme is light or dark, not {given(theme)}")
        return to_png(self._scene(self._now(), *_size(width, height)), theme)

    def freeze(self) -> None:
        """Puts a picture of what it shows now in the place of its outputs, where it stays when the kernel is gone.

        The plot itself goes on, unseen and at no cost; leave it as the last expression of a cell to see it again.
        An output that a page has loaded from the file since it was made (a reload) can no longer be replaced.
        """
        self._leave()

    def _live(self) -> Bundle:
        """The widget, and beside it a picture for what cannot show one: GitHub, and a page made of the file."""
        data, metadata = super()._live()
        frame = self._now()
        if WIDGET in data and frame[0]["newest"] is not None:
            pictured, about = self._picture(frame)
            data = {**data, "image/png": pictured["image/png"]}
            metadata = {**metadata, "image/png": about["image/png"]}
        return data, metadata

    def _left(self) -> Bundle:
        return self._picture(self._now())

    def _mark_of_left(self) -> int:
        return _digest(self._now(), self._look())

    def _now(self) -> Frame:
        width = pump().width(self._stream)
        found = self._stream.snapshot(time.time(), Viewing(width=width))
        if found is None:
            raise AssertionError("a plot always has something to show")
        return found

    def _look(self, width: int | None = None, height: int | None = None) -> Look:
        plot: Any = self
        return Look(
            width=max(280, width or pump().width(self._stream)),
            height=max(160, height or plot.height),
            title=plot.title,
            units=plot.units,
            y_range=plot.y_range,
            scale=plot.scale,
            thresholds=plot.thresholds,
            time_zone=plot.time_zone,
            color=plot.color,
        )

    def _scene(self, frame: Frame, width: int | None = None, height: int | None = None) -> Scene:
        header, buffers = frame
        return lay_scene(header, buffers, self._look(width, height), time.time())

    def _picture(self, frame: Frame) -> Bundle:
        scene = self._scene(frame)
        data = {
            "image/svg+xml": to_svg(scene),
            "image/png": base64.b64encode(to_png(scene)).decode("ascii"),
            "text/plain": scene.words,
        }
        return data, {"image/png": {"width": scene.width, "height": scene.height, "alt": scene.words}}


def _size(width: int | None, height: int | None) -> tuple[int | None, int | None]:
    """Checked where they are given; what is too small to be read is made larger."""
    return (
        None if width is None else whole("width", width, 1, MOST_PIXELS),
        None if height is None else whole("height", height, 1, MOST_PIXELS),
    )


def _digest(frame: Frame, look: Look) -> int:
    """The same number for the same picture, but for the time that it says."""
    header, buffers = frame
    mark = zlib.crc32(repr(({name: header.get(name) for name in _SEEN}, look)).encode())
    for buffer in buffers:
        mark = zlib.crc32(buffer, mark)
    return mark
