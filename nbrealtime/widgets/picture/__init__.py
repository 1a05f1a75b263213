"""What a saved notebook shows of a plot: its last state as SVG and PNG, drawn by the kernel without a browser.

`scene` lays a frame out as plain operations, `svg` and `png` write them. The one rule: the picture is made of the
frame that a browser would get, and looks as the browser would draw it.
"""

from __future__ import annotations

from nbrealtime.widgets.picture.ops import Scene
from nbrealtime.widgets.picture.scene import Look, lay_scene
from nbrealtime.widgets.picture.svg import to_svg

__all__ = ["Look", "Scene", "lay_scene", "to_png", "to_svg"]


def to_png(scene: Scene, theme: str = "light") -> bytes:
    """The picture as a PNG file, two pixels for each CSS pixel."""
    # Pillow takes a twentieth of a second to load, which nobody should wait for who draws no picture.
    from nbrealtime.widgets.picture.png import to_png as write

    return write(scene, "dark" if theme == "dark" else "light")
