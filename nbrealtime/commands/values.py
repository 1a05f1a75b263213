"""Arguments as values: argparse ``type=`` functions whose complaints are sentences."""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from typing import Final

from nbrealtime.errors import InvalidTopic
from nbrealtime.wire.times import parse_duration
from nbrealtime.wire.topics import check_pattern, check_topic

__all__ = [
    "actions",
    "claim",
    "count",
    "frequency",
    "grant",
    "history",
    "history_rules",
    "lifetime",
    "pattern",
    "port",
    "positive",
    "seconds",
    "topic",
]

# The hub's `Action`, told here again because to import it costs more than the whole parser; a test compares them.
_ACTIONS: Final = ("subscribe", "publish", "presence", "history")


def port(text: str) -> int:
    """A TCP port; 0 stands for a free one."""
    number = _integer(text)
    if not 0 <= number <= 65535:
        raise argparse.ArgumentTypeError(f"a port lies between 0 and 65535, and {number} does not")
    return number


def count(text: str) -> int:
    """How many: 1 or more."""
    number = _integer(text)
    if number < 1:
        raise argparse.ArgumentTypeError(f"{number} is too few; give 1 or more")
    return number


def frequency(text: str) -> float:
    """Samples per second. Below 1 a feed could not be told from one that died, above 100 it says nothing new."""
    hz = _number(text)
    if not 1 <= hz <= 100:
        raise argparse.ArgumentTypeError(
            f"a rate lies between 1 and 100 samples a second, and {text} does not"
        )
    return hz


def lifetime(text: str) -> float | None:
    """Seconds, from ``90``, ``"90s"``, ``"5min"``, ``"2h"`` or ``"1d"``; ``"never"`` is no end at all."""
    if text == "never":
        return None
    try:
        return parse_duration(float(text) if text.replace(".", "", 1).isdigit() else text)
    except ValueError as fault:
        raise argparse.ArgumentTypeError(str(fault)) from None


def actions(text: str) -> list[str]:
    """One action, or several with commas between them."""
    named = [part.strip() for part in text.split(",") if part.strip()]
    for action in named:
        if action not in _ACTIONS:
            raise argparse.ArgumentTypeError(f"{action!r} is none of {', '.join(_ACTIONS)}")
    return named


def grant(text: str) -> list[str] | dict[str, object]:
    """Actions, or with ``PATTERN=`` before them a whole grant."""
    match, separator, allowed = text.rpartition("=")
    if not separator:
        return actions(text)
    return {"match": pattern(match), "allow": actions(allowed)}


def claim(
    topics: Sequence[str] | None, allowed: Sequence[list[str] | dict[str, object]] | None
) -> list[dict[str, object]] | None:
    """The grants of a token, from what was given as topics and as `grant`; None if neither was given."""
    if topics is None and allowed is None:
        return None
    whole = [one for one in allowed or () if isinstance(one, dict)]
    several = [action for one in allowed or () if not isinstance(one, dict) for action in one]
    if topics is None and not several:
        return whole
    # What is allowed by itself is meant for the topics, and without any for all.
    kept = several or list(_ACTIONS)
    return whole + [{"match": match, "allow": kept} for match in topics or ("**",)]


def history(text: str) -> tuple[str, dict[str, float | None]]:
    """How many messages are kept, and how long: ``1000``, ``1000,1h``, ``lab:*=0``."""
    match, separator, bounds = text.rpartition("=")
    number, comma, age = bounds.partition(",")
    kept: dict[str, float | None] = {"messages": _integer(number)}
    if kept["messages"] is not None and kept["messages"] < 0:
        raise argparse.ArgumentTypeError(f"{number} is too few; 0 keeps nothing")
    if comma:
        kept["seconds"] = lifetime(age)
    return pattern(match) if separator else "**", kept


def history_rules(
    given: Sequence[tuple[str, dict[str, float | None]]] | None,
) -> dict[str, dict[str, float | None]] | None:
    """Several `history` as one; what names no pattern comes last, since the first that matches decides."""
    if given is None:
        return None
    return dict(sorted(given, key=lambda rule: rule[0] == "**"))


def positive(text: str) -> float:
    """A number above 0."""
    number = _number(text)
    if not 0 < number < float("inf"):
        raise argparse.ArgumentTypeError(f"{text} is too little; give more than 0")
    return number


def seconds(text: str) -> float:
    """A number of seconds, or a duration like ``5s``; 0 is none."""
    found = 0.0 if text == "0" else lifetime(text)
    if found is None:
        raise argparse.ArgumentTypeError("never is too long")
    return found


def topic(text: str) -> str:
    """The name of a topic."""
    try:
        return check_topic(text)
    except InvalidTopic as fault:
        raise argparse.ArgumentTypeError(str(fault)) from None


def pattern(text: str) -> str:
    """The name of a topic, or a pattern."""
    try:
        return check_pattern(text)
    except InvalidTopic as fault:
        raise argparse.ArgumentTypeError(str(fault)) from None


def _number(text: str) -> float:
    try:
        return float(text)
    except ValueError:
        raise argparse.ArgumentTypeError(f"{text!r} is no number") from None


def _integer(text: str) -> int:
    try:
        return int(text)
    except ValueError:
        raise argparse.ArgumentTypeError(f"{text!r} is no whole number") from None
