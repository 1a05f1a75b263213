"""Options as a caller gives them: taken as they are meant, or refused.

Used by every layer that takes some from users. Pure.

The one rule: a refusal is one sentence that begins with the option's name, says what it may be and shows what was
given. ``TypeError`` is for what is of another kind, ``ValueError`` for what is beyond the bounds.
"""

from __future__ import annotations

import math
import numbers
import sys
from collections.abc import Iterable, Mapping, Set
from typing import Any

__all__ = ["LEAST", "MOST", "given", "names", "number", "pair", "port", "text", "whole"]

LEAST, MOST = math.ulp(0.0), sys.float_info.max
"""The ends of what is above 0 and finite."""

_LONGEST = 60


def given(value: Any) -> str:
    """Return ``value`` as an error shows it, shortened."""
    shown = repr(value)
    return shown if len(shown) <= _LONGEST else f"{shown[: _LONGEST - 1]}…"


def text(name: str, value: Any) -> str:
    """Return a text. Raises ``TypeError``."""
    if isinstance(value, str):
        return value
    raise TypeError(f'{name} is a text, like "x", not {given(value)}')


def port(value: Any) -> int:
    """Return the number of a port; 0 is a free one. Raises ``TypeError``, ``ValueError``."""
    found = _real(value)
    if found is not None and found in range(65536):
        return int(found)
    raise (TypeError if found is None else ValueError)(
        f"port is a whole number between 0 and 65535, not {given(value)}"
    )


def names(name: str, value: Any) -> list[str] | None:
    """Return names, each once, of a list or of a single one; None is None. Raises ``TypeError``."""
    if value is None:
        return None
    if isinstance(value, str):
        return [value]
    if isinstance(value, Iterable) and not isinstance(value, bytes):
        found = list(value)
        if all(isinstance(one, str) for one in found):
            return list(dict.fromkeys(found))
    raise TypeError(f'{name} is a list of names, like ["x", "y"], not {given(value)}')


def whole(name: str, value: Any, least: int, most: int | None = None) -> int:
    """Return a whole number within bounds. Raises ``TypeError``, ``ValueError``."""
    found = _real(value)
    if found is not None and found % 1 == 0 and found >= least and (most is None or found <= most):
        return int(value)
    bounds = f"of at least {least:,}" if most is None else f"between {least:,} and {most:,}"
    fault = TypeError if found is None else ValueError
    raise fault(f"{name} is a whole number {bounds}, not {given(value)}")


def number(name: str, value: Any, what: str, least: float, most: float) -> float:
    """Return a number from ``least`` to ``most``; ``what`` says so in words. Raises ``TypeError``, ``ValueError``."""
    found = _real(value)
    if found is not None and least <= found <= most:
        return found
    raise (TypeError if found is None else ValueError)(f"{name} is {what}, not {given(value)}")


def pair(name: str, value: Any) -> tuple[float, float]:
    """Return ``(low, high)`` with low < high, both finite. Raises ``TypeError``, ``ValueError``."""
    fault: type[Exception] = TypeError
    if isinstance(value, Iterable) and not isinstance(value, (str, bytes, Mapping, Set)):
        found = [_real(one) for one in value]
        if len(found) == 2 and found[0] is not None and found[1] is not None:
            if -math.inf < found[0] < found[1] < math.inf:
                return found[0], found[1]
            fault = ValueError
    raise fault(f"{name} is (low, high), two numbers with low < high, not {given(value)}")


def _real(value: Any) -> float | None:
    """A number as a float, one that is too large as infinity; None for what is none."""
    if type(value) is bool or not isinstance(value, numbers.Real):
        return None
    try:
        return float(value)
    except OverflowError:
        return math.inf
