"""What a caller gives: taken as it is meant, or refused in one sentence that names the option."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest

from nbrealtime import options


def test_a_number_of_numpy_is_a_number() -> None:
    assert options.whole("rows", np.int64(5), 1, 10) == options.whole("rows", 5.0, 1, 10) == 5
    assert options.number("fs", np.float32(2.5), "a rate", options.LEAST, options.MOST) == 2.5
    assert options.pair("range", np.array([0, 1])) == (0.0, 1.0)


def test_names_are_kept_in_their_order_and_once() -> None:
    assert options.names("fields", iter(["y", "x", "y"])) == ["y", "x"]
    assert options.names("fields", "speed") == ["speed"]
    assert options.names("fields", None) is None


@pytest.mark.parametrize("value", ["a", None, [], {}, True, b"5", 1j])
def test_what_is_no_whole_number_is_of_another_kind(value: Any) -> None:
    with pytest.raises(TypeError, match=r"^rows is a whole number between 1 and 1,000, not "):
        options.whole("rows", value, 1, 1000)


@pytest.mark.parametrize("value", [0, -1, 1001, 10**400, 2.5, math.nan, math.inf])
def test_what_is_beyond_the_bounds_is_a_wrong_value(value: Any) -> None:
    with pytest.raises(ValueError, match=r"^rows is a whole number between 1 and 1,000, not "):
        options.whole("rows", value, 1, 1000)


@pytest.mark.parametrize(
    "value", [5, "ab", None, math.nan, [], {1: 2, 3: 4}, {1, 2}, (1,), (1, 2, 3), (1, "2")]
)
def test_what_is_no_pair_of_numbers_is_of_another_kind(value: Any) -> None:
    with pytest.raises(TypeError, match=r"^range is \(low, high\), two numbers with low < high, not "):
        options.pair("range", value)


@pytest.mark.parametrize("value", [(1, 0), (1, 1), (0, math.nan), (0, math.inf), (0, 10**400)])
def test_a_pair_has_an_order_and_two_ends(value: Any) -> None:
    with pytest.raises(ValueError, match=r"^range is \(low, high\), two numbers with low < high, not "):
        options.pair("range", value)


@pytest.mark.parametrize("value", [5, math.nan, b"ab", [1], ["x", None]])
def test_what_is_no_list_of_names_is_refused(value: Any) -> None:
    with pytest.raises(TypeError, match=r'^fields is a list of names, like \["x", "y"\], not '):
        options.names("fields", value)


def test_what_was_given_is_shown_shortened() -> None:
    with pytest.raises(TypeError) as refused:
        options.text("title", list(range(10_000)))
    assert str(refused.value).startswith('title is a text, like "x", not [0, 1, 2')
    assert len(str(refused.value)) < 120


def test_a_port_is_one_of_the_network_or_a_free_one() -> None:
    assert options.port(0) == 0
    assert options.port(np.uint16(65535)) == 65535
    for value in (-1, 65536, 1.5, math.nan, math.inf):
        with pytest.raises(ValueError, match=r"^port is a whole number between 0 and 65535, not "):
            options.port(value)
    for other in ("80", None, True):
        with pytest.raises(TypeError, match=r"^port is a whole number between 0 and 65535, not "):
            options.port(other)
