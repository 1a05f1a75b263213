"""The colours of a still picture: the same as ``js/src/shared/theme.ts`` has where a host names none.

Operations name colours by a token (``"series-1"``, ``"muted"``); a writer asks here what it is in light and dark.
"""

from __future__ import annotations

from types import MappingProxyType
from typing import Final

__all__ = ["DARK", "DASHES", "FONTS", "LIGHT"]

_LIGHT_SERIES: Final = (
    "#1431EC",
    "#CB8216",
    "#0EA367",
    "#5C358D",
    "#5A4713",
    "#138FEA",
    "#8A0B49",
    "#8B8B9C",
)
_DARK_SERIES: Final = ("#8BA5F6", "#EB5A17", "#1FED70", "#8F5EF2", "#E1CDAD", "#3DEFEE", "#BD6E66", "#7B7B8E")

LIGHT: Final = MappingProxyType(
    {
        "ground": "#ffffff",
        "text": "#1f1f1f",
        "muted": "#5f5f6b",
        "good": "#0B7F50",
        "warn": "#A05E00",
        "bad": "#B3261E",
        **{f"series-{index}": color for index, color in enumerate(_LIGHT_SERIES, 1)},
    }
)
DARK: Final = MappingProxyType(
    {
        "ground": "#111111",
        "text": "#e6e6e6",
        "muted": "#a3a3ad",
        "good": "#1FED70",
        "warn": "#F0A048",
        "bad": "#FF8A80",
        **{f"series-{index}": color for index, color in enumerate(_DARK_SERIES, 1)},
    }
)

DASHES: Final[tuple[tuple[float, ...], ...]] = ((), (6.0, 3.0), (2.0, 3.0))

FONTS: Final = "system-ui, -apple-system, 'Segoe UI', 'Helvetica Neue', Arial, sans-serif"
