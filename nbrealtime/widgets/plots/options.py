"""What a plot may be told: thresholds, colours, a time zone. Checked here, drawn in the browser.

Collaborators: `plot.LivePlot` has one trait of each kind; ``js/src/plot/`` reads what they hold.

The one rule: a trait holds one shape, however it was written. What cannot be meant is refused in the
kernel with a sentence, because the browser has nobody to tell.
"""

from __future__ import annotations

import datetime as dt
import difflib
import math
import numbers
import re
import zoneinfo
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Final

import traitlets

from nbrealtime.options import pair

__all__ = ["LEVELS", "Bounds", "Colors", "Thresholds", "TimeZone", "check_bounds"]

LEVELS: Final = ("info", "good", "warn", "bad")
"""What a threshold or a mark means. Each has a colour and a symbol of its own."""

_MOST: Final = 50
_KEYS: Final = {"value", "from", "to", "label", "level", "color", "include"}
_COLOR: Final = re.compile(r"#[0-9a-f]{3,8}|[a-z]+|[a-z]+\([-\w\s.,%/()#]+\)", re.IGNORECASE)
_ZONE: Final = re.compile(r"[A-Za-z0-9_+\-]+(/[A-Za-z0-9_+\-]+)*")


def check_bounds(bounds: tuple[float, float] | None, scale: str) -> None:
    """Raises `TraitError` if a value axis with this ``scale`` cannot have these ``bounds``."""
    if bounds is not None and scale == "log" and bounds[0] <= 0:
        raise traitlets.TraitError(f"on a log scale a y_range begins above 0, not {bounds!r}")


class Bounds(traitlets.TraitType[tuple[float, float], Any]):
    """``(low, high)``, of which None is made only by ``allow_none``."""

    info_text = "(low, high), two numbers with low < high"

    def validate(self, obj: Any, value: Any) -> tuple[float, float]:
        try:
            return pair(self.name or "a range", value)
        except (TypeError, ValueError) as error:
            raise traitlets.TraitError(str(error)) from error


class Thresholds(traitlets.TraitType[tuple[dict[str, Any], ...], Any]):
    """Lines (``80``) and bands (``(20, 25)``), with a label, a level and more where a dict or a mapping says so."""

    default_value: Any = ()
    info_text = 'a list like [80, (20, 25), {"value": 80, "label": "too hot", "level": "bad"}]'

    def validate(self, obj: Any, value: Any) -> tuple[dict[str, Any], ...]:
        if value is None:
            return ()
        if isinstance(value, Mapping) and not _KEYS.issuperset(value):
            items: list[Any] = [_named(label, one) for label, one in value.items()]
        elif isinstance(value, (numbers.Real, Mapping)) or _is_band(value):
            items = [value]
        elif isinstance(value, Iterable) and not isinstance(value, (str, bytes)):
            items = list(value)
        else:
            raise traitlets.TraitError(f"thresholds are {self.info_text}, not {value!r}")
        if len(items) > _MOST:
            raise traitlets.TraitError(f"a plot has at most {_MOST} thresholds, not {len(items)}")
        return tuple(map(_threshold, items))


class Colors(traitlets.TraitType[tuple[str, ...], Any]):
    """CSS colours for the series in their order; empty: the palette's."""

    default_value: Any = ()
    info_text = 'a CSS colour like "#1431EC" or "teal", or a list of them'

    def validate(self, obj: Any, value: Any) -> tuple[str, ...]:
        found = () if value is None else (value,) if isinstance(value, str) else value
        if not isinstance(found, Sequence):
            raise traitlets.TraitError(f"a plot's color is {self.info_text}, not {value!r}")
        return tuple(_color(one) for one in found if one != "")


class TimeZone(traitlets.TraitType[str, Any]):
    """ "" for the browser's, "UTC", or a name of the IANA database; also a `datetime.tzinfo` that has one."""

    default_value: Any = ""
    info_text = 'a time zone\'s name like "UTC" or "Europe/Berlin", or "" for the browser\'s'

    def validate(self, obj: Any, value: Any) -> str:
        if isinstance(value, dt.tzinfo):
            # zoneinfo says `key`, pytz `zone`; of a fixed offset only UTC has a name that a browser knows.
            value = getattr(value, "key", None) or getattr(value, "zone", None) or str(value)
        if value is None or value == "":
            return ""
        if not isinstance(value, str) or not _ZONE.fullmatch(value):
            raise traitlets.TraitError(f"a time_zone is {self.info_text}, not {value!r}")
        if value.upper() in ("UTC", "Z"):
            return "UTC"
        known = zoneinfo.available_timezones()
        # A system may come without the database; then only the browser can tell.
        if value in known or not known:
            return value
        near = difflib.get_close_matches(value, known, 1, 0.6) or [
            name for name in sorted(known) if value.lower() in name.lower()
        ]
        hint = f"; did you mean {near[0]!r}?" if near else ""
        raise traitlets.TraitError(f"no time zone is called {value!r}{hint or '.'} It is {self.info_text}")


def _is_band(value: Any) -> bool:
    """Whether ``(20, 25)`` was meant, and not a list of two lines."""
    return (
        isinstance(value, tuple) and len(value) == 2 and all(isinstance(one, numbers.Real) for one in value)
    )


def _named(label: Any, value: Any) -> dict[str, Any]:
    """One of ``{"too hot": 80, "comfort": (20, 25)}``."""
    if isinstance(value, Mapping):
        return {"label": str(label), **value}
    return {"label": str(label), **_place(value)}


def _place(value: Any) -> dict[str, Any]:
    if isinstance(value, numbers.Real):
        return {"value": value}
    if isinstance(value, (tuple, list)) and len(value) == 2:
        return {"from": value[0], "to": value[1]}
    raise traitlets.TraitError(f"a threshold is a number, (low, high), or a dict with either, not {value!r}")


def _threshold(item: Any) -> dict[str, Any]:
    given = dict(item) if isinstance(item, Mapping) else _place(item)
    if unknown := sorted(map(str, given.keys() - _KEYS)):
        raise traitlets.TraitError(f"a threshold has no {unknown[0]!r}; it has {', '.join(sorted(_KEYS))}")
    if isinstance(given.get("value"), (tuple, list)):
        given.update(_place(given.pop("value")))
    made: dict[str, Any] = {}
    if "value" in given and not {"from", "to"} & given.keys():
        made["value"] = _number(given["value"], item)
    elif "value" not in given and {"from", "to"} <= given.keys():
        made["from"], made["to"] = _number(given["from"], item), _number(given["to"], item)
        if not made["from"] < made["to"]:
            raise traitlets.TraitError(f"a band is (low, high) with low < high, not {item!r}")
    else:
        raise traitlets.TraitError(f"a threshold has a value, or from and to, not {item!r}")
    made["label"] = str(given.get("label") or "")
    # A band is most often where things ought to be, a line what they ought not to cross.
    made["level"] = given.get("level") or ("good" if "from" in made else "warn")
    if made["level"] not in LEVELS:
        raise traitlets.TraitError(
            f"a threshold's level is one of {', '.join(LEVELS)}, not {made['level']!r}"
        )
    if given.get("color"):
        made["color"] = _color(given["color"])
    if given.get("include") is not None:
        made["include"] = bool(given["include"])
    return made


def _number(value: Any, item: Any) -> float:
    if type(value) is not bool and isinstance(value, numbers.Real) and math.isfinite(value):
        return float(value)
    raise traitlets.TraitError(f"a threshold is at a finite number, not {value!r} (in {item!r})")


def _color(value: Any) -> str:
    written = value.strip() if isinstance(value, str) else ""
    if _COLOR.fullmatch(written) and (not written.isalpha() or _is_named(written)):
        return written
    raise traitlets.TraitError(f"a colour is written as in CSS, like '#1431EC' or 'teal', not {value!r}")


def _is_named(word: str) -> bool:
    # What a browser does not know it leaves out: the line is grey, and the legend has no swatch.
    from PIL import ImageColor  # 148 names, which nobody needs who gives no colour

    return word.lower() in ImageColor.colormap
