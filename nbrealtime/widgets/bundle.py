"""Where a widget finds its front end: ``nbrealtime/static``, built from ``js/``.

Collaborators: ``hatch_build.py`` writes the bundles while the package is installed,
every widget class reads its own once.

The one rule: a bundle reaches anywidget as a string. A ``Path`` would be watched, and
the watch keeps the widget alive after ``close()``.
"""

from __future__ import annotations

from functools import cache
from pathlib import Path
from typing import Final

from nbrealtime.errors import FrontEndMissing

__all__ = ["script", "style"]

STATIC: Final = Path(__file__).parent.parent / "static"


@cache
def _read(file: str) -> str:
    try:
        text = (STATIC / file).read_text("utf-8")
    except FileNotFoundError as error:
        raise FrontEndMissing(file) from error
    # anywidget takes a one-line string that ends like ".name" for a path.
    return text if text.endswith("\n") else text + "\n"


def script(name: str) -> str:
    """The ES module of widget ``name``; raises ``FrontEndMissing`` with what to type."""
    return _read(f"{name}.js")


def style(name: str) -> str:
    """The style sheet of widget ``name``; raises ``FrontEndMissing`` with what to type."""
    return _read(f"{name}.css")
