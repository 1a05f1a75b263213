"""Topic names, and the patterns that stand for many of them.

A name is segments separated by ``:`` or ``/``; the two are different
characters, so ``lab:a`` and ``lab/a`` are two topics. In a pattern ``*`` is one
whole segment, and ``**``, last only, one or more segments. Used by the hub for
grants and by everything that takes a topic from a user.

The one rule: names are compared code point by code point. Nothing is
normalised, folded or stripped, since what two sides normalise differently is a
way around a grant.
"""

from __future__ import annotations

import re
from functools import lru_cache
from typing import Final

from nbrealtime.errors import InvalidTopic

__all__ = ["MAX_CODE_POINTS", "Pattern", "check_pattern", "check_topic", "is_pattern"]

MAX_CODE_POINTS: Final = 255

_SEPARATORS: Final = re.compile("[:/]")
_TOKENS: Final = re.compile("([:/])")
# C0, DEL and C1, and lone surrogates: the latter cannot be encoded as UTF-8 at all.
_CONTROL: Final = re.compile("[\x00-\x1f\x7f-\x9f\ud800-\udfff]")


@lru_cache(maxsize=4096)
def _fault(text: str) -> str | None:
    """Why ``text`` is neither a name nor a pattern, or None."""
    if not text:
        return "it is empty"
    if len(text) > MAX_CODE_POINTS:
        return f"it has {len(text)} characters, and {MAX_CODE_POINTS} are allowed"
    if _CONTROL.search(text):
        return "it has a control character"
    if text[0].isspace() or text[-1].isspace():
        return "it begins or ends with white space"
    segments = _SEPARATORS.split(text)
    if "" in segments:
        return "it has an empty segment (two separators in a row, or one at an end)"
    if "*" in text:
        for place, segment in enumerate(segments):
            if segment == "**" and place == len(segments) - 1:
                continue
            if "*" in segment and segment != "*":
                return '"*" stands for one whole segment, and "**" for the last ones only'
    return None


def check_topic(name: object) -> str:
    """Returns ``name`` if it names one topic, as a plain string whatever kind of string it was.

    Raises:
        InvalidTopic: it is no string, breaks a rule, or is a pattern.
    """
    text = name if type(name) is str else _plain(name)
    fault = _fault(text)
    if fault is None and "*" in text:
        fault = 'a name has no "*"'
    if fault is not None:
        raise InvalidTopic(text, fault)
    return text


def check_pattern(name: object) -> str:
    """Returns ``name`` if it is a topic's name or a pattern, as a plain string whatever kind of string it was.

    Raises:
        InvalidTopic: it is neither.
    """
    text = name if type(name) is str else _plain(name)
    fault = _fault(text)
    if fault is not None:
        raise InvalidTopic(text, fault)
    return text


def _plain(name: object) -> str:
    """Returns a string of another type, such as those of numpy's arrays, as one that can be encoded."""
    if not isinstance(name, str):
        raise InvalidTopic(name, "it must be a string")
    return str.__str__(name)


def is_pattern(text: str) -> bool:
    """Whether ``text`` stands for more than one name. It says nothing about whether it is valid."""
    return "*" in text


class Pattern:
    """A name or a pattern, ready to be matched and compared.

    A pattern whose first segment is a wildcard matches neither the server's own
    topics (``$…``) nor anybody's private ones (``user:…``).

    Raises:
        InvalidTopic: ``text`` is neither a name nor a pattern.
    """

    __slots__ = ("_expression", "_segments", "_separators", "text")

    def __init__(self, text: str) -> None:
        self.text = check_pattern(text)
        tokens = _TOKENS.split(text)
        self._segments = tokens[0::2]
        self._separators = tokens[1::2]
        parts = []
        for token in tokens:
            if token == "**":  # noqa: S105 - a wildcard, not a password
                parts.append("[^:/]+(?:[:/][^:/]+)*")
            elif token == "*":  # noqa: S105
                parts.append("[^:/]+")
            else:
                parts.append(re.escape(token))
        self._expression = re.compile("".join(parts), re.DOTALL)

    def __repr__(self) -> str:
        return f"Pattern({self.text!r})"

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Pattern) and other.text == self.text

    def __hash__(self) -> int:
        return hash(self.text)

    def matches(self, name: str) -> bool:
        """Whether the topic ``name`` is one of those that this stands for."""
        if self._segments[0] in ("*", "**") and _reserved(name):
            return False
        return self._expression.fullmatch(name) is not None

    def contains(self, other: Pattern) -> bool:
        """Whether every name that ``other`` can match is matched by this pattern too.

        A grant admits a pattern only if this holds for it. It answers yes only
        when that is certain.
        """
        ours, theirs = self._segments, other._segments
        if ours[0] in ("*", "**") and theirs[0] not in ("*", "**") and _reserved(other.text):
            return False
        open_ended = ours[-1] == "**"
        if open_ended:
            if len(theirs) < len(ours):
                return False
        elif len(theirs) != len(ours) or theirs[-1] == "**":
            return False
        fixed = len(ours) - 1 if open_ended else len(ours)
        for place in range(fixed):
            if theirs[place] == "**":
                return False
            if ours[place] != "*" and ours[place] != theirs[place]:
                return False
        # Inside ** separators may vary; before it, and in a pattern without it, they must be equal.
        return self._separators == other._separators[: len(self._separators)]


def _reserved(name: str) -> bool:
    """Whether a wildcard in first place passes ``name`` over."""
    return name.startswith("$") or _SEPARATORS.split(name, maxsplit=1)[0] == "user"
