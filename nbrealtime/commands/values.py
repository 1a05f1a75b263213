"""Arguments as values: argparse ``type=`` functions whose complaints are sentences."""

from __future__ import annotations

import argparse
from typing import Final

from nbrealtime.errors import InvalidTopic
from nbrealtime.wire.times import parse_duration
from nbrealtime.wire.topics import check_pattern, check_topic

__all__ = ["actions", "count", "frequency", "lifetime", "pattern", "port", "topic"]

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
    try:
        hz = float(text)
    except ValueError:
        raise argparse.ArgumentTypeError(f"{text!r} is no number") from None
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


def _integer(text: str) -> int:
    try:
        return int(text)
    except ValueError:
        raise argparse.ArgumentTypeError(f"{text!r} is no whole number") from None
