"""How much of a topic is kept, and which topics keep any.

`HistoryRules` reads what a user gives as ``history=`` and answers the stores.

The one rule: the first pattern that matches a topic decides. Names that begin
with ``$`` are the server's own and never have history.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Final

from nbrealtime.errors import InvalidTopic
from nbrealtime.wire.topics import Pattern

__all__ = ["MESSAGE_OVERHEAD", "History", "HistoryOptions", "HistoryRules"]

# What a message takes besides its payload: names, times, the objects around them. Without it a
# million empty messages would count as nothing.
MESSAGE_OVERHEAD: Final = 200

_FIELDS: Final = ("messages", "seconds", "bytes")


@dataclass(frozen=True, kw_only=True, slots=True)
class History:
    """Bounds of one topic's history; whichever is reached first holds.

    Arguments:
        messages: the newest so many; 0 switches history off.
        seconds: nothing older; None for any age.
        bytes: of payloads, and 200 for each message; None for any size.

    Raises:
        ValueError: a bound is negative, or no bound at all.
    """

    messages: int = 10_000
    seconds: float | None = 600.0
    bytes: int | None = 16 * 2**20

    def __post_init__(self) -> None:
        for name in _FIELDS:
            value = getattr(self, name)
            if value is None and name != "messages":
                continue
            if isinstance(value, bool) or not isinstance(value, int | float):
                raise ValueError(f"{name} of a history must be a number: {value!r}")
            if not value >= 0:
                raise ValueError(f"{name} of a history must not be negative: {value!r}")
        if not isinstance(self.messages, int):
            raise ValueError(f"messages of a history must be a whole number: {self.messages!r}")

    def __bool__(self) -> bool:
        """Whether anything is kept at all."""
        return self.messages > 0 and self.seconds != 0 and self.bytes != 0

    @property
    def milliseconds(self) -> float:
        """The age beyond which nothing is kept."""
        return float("inf") if self.seconds is None else self.seconds * 1000

    @property
    def size(self) -> float:
        """The size beyond which nothing is kept."""
        return float("inf") if self.bytes is None else self.bytes


HistoryOption = History | int | Mapping[str, float | None] | None
HistoryOptions = HistoryOption | Mapping[str, HistoryOption]


class HistoryRules:
    """Which history each topic has.

    Arguments:
        options: one history for all topics (a `History`, a number of messages, ``0`` for none, or a
            mapping of a `History`'s fields), or a mapping of patterns to such histories, in which the
            first that matches decides and ``"**"`` stands for every topic not named before.
        default: what holds where ``options`` say nothing, and what they leave open.

    Raises:
        ValueError: an option or a pattern makes no sense.
    """

    def __init__(self, options: HistoryOptions = None, *, default: History | None = None) -> None:
        self.default = History() if default is None else default
        self._rules: list[tuple[Pattern, History]] = []
        if not isinstance(options, Mapping) or _describes_one(options):
            self.default = _read(options, self.default)  # type: ignore[arg-type]  # told apart just above
            return
        base = self.default
        for text, option in options.items():
            history = _read(option, base)  # type: ignore[arg-type]  # a mapping of patterns has such values
            if text == "**":
                # As a pattern it would pass over the topics of users.
                self.default = history
                break
            try:
                self._rules.append((Pattern(text), history))
            except InvalidTopic as fault:
                raise ValueError(f"history: {fault}") from fault

    def of(self, topic: str) -> History | None:
        """Returns the history that ``topic`` has, or None."""
        if topic.startswith("$"):
            return None
        for pattern, history in self._rules:
            if pattern.matches(topic):
                return history or None
        return self.default or None


def _describes_one(options: Mapping[str, object]) -> bool:
    """Whether a mapping gives a history's fields, not patterns."""
    return bool(options) and all(
        name in _FIELDS and (value is None or isinstance(value, int | float))
        for name, value in options.items()
    )


def _read(option: HistoryOption, base: History) -> History:
    if option is None:
        return base
    if isinstance(option, History):
        return option
    if isinstance(option, int):
        return replace(base, messages=int(option)) if option is not True else base
    if isinstance(option, Mapping):
        unknown = sorted(set(option) - set(_FIELDS))
        if unknown:
            raise ValueError(f"a history has no {unknown[0]!r}: it has messages, seconds and bytes")
        return replace(base, **option)  # type: ignore[arg-type]  # History checks the values
    raise ValueError(f"a history is a number of messages, a mapping, or a History, not {option!r}")
