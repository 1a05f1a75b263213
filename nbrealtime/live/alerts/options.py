"""The options of an alert, and the rule that they make. Pure; for ``nbrealtime.live.alerts.alert``."""

from __future__ import annotations

from typing import Any, Literal, TypedDict, get_args

from nbrealtime.live.alerts.rule import Rule
from nbrealtime.wire.times import parse_duration

__all__ = ["AlertOptions", "Level", "check_level", "rule_of"]

Level = Literal["warning", "critical"]


class AlertOptions(TypedDict, total=False):
    """The options of ``topic.alert``; see ``Alert``."""

    above: float | None
    below: float | None
    for_: str | float | None
    hysteresis: float
    stale_after: str | float | None
    field: str | None
    name: str | None
    level: Level
    notify: bool


def rule_of(
    *,
    above: float | None,
    below: float | None,
    for_: str | float | None,
    hysteresis: float,
    stale_after: str | float | None,
) -> Rule:
    """Return the rule; raises what ``Rule`` does, and ``TypeError`` for a threshold that is no number."""
    return Rule(
        above=_number("above", above),
        below=_number("below", below),
        hold=0.0 if for_ is None or for_ == 0 else parse_duration(for_),
        hysteresis=float(_number("hysteresis", hysteresis) or 0.0),
        stale=None if stale_after is None else parse_duration(stale_after),
    )


def check_level(level: Level) -> Level:
    """Return it, or raise ``ValueError``."""
    if level not in get_args(Level):
        raise ValueError(f"level is one of {', '.join(get_args(Level))}, not {level!r}")
    return level


def _number(name: str, value: Any) -> float | None:
    if value is None:
        return None
    if isinstance(value, (str, bytes)) or not hasattr(value, "__float__"):
        raise TypeError(f"{name} is a number, not {value!r}")
    return float(value)
