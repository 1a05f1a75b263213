"""Payloads: what was sent arrives, and what cannot arrive is refused."""

from __future__ import annotations

import json
import math
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from nbrealtime.wire.encodings import decode_data, encode_data

json_values = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(2**63), 2**64 - 1)
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(),
    lambda inner: st.lists(inner, max_size=5) | st.dictionaries(st.text(), inner, max_size=5),
    max_leaves=20,
)


def wraps_bytes(value: Any) -> bool:
    if isinstance(value, dict):
        return "$bytes" in value or any(map(wraps_bytes, value.values()))
    return isinstance(value, list) and any(map(wraps_bytes, value))


@given(json_values.filter(lambda value: not wraps_bytes(value)))
def test_json_values_arrive_as_they_were_sent(value: Any) -> None:
    assert decode_data(encode_data(value)) == value
    assert json.loads(encode_data(value)) == value


@given(st.binary())
def test_bytes_arrive_as_bytes_at_any_depth(value: bytes) -> None:
    assert decode_data(encode_data(value)) == value
    assert decode_data(encode_data({"a": [1, value]})) == {"a": [1, value]}


def test_bytes_travel_as_the_protocol_says() -> None:
    assert json.loads(encode_data(b"ab")) == {"$bytes": "YWI="}


def test_an_object_that_only_looks_like_bytes_stays_an_object() -> None:
    assert decode_data(b'{"$bytes":"not base64!"}') == {"$bytes": "not base64!"}
    assert decode_data(b'{"$bytes":5}') == {"$bytes": 5}


def test_an_array_becomes_lists_with_null_for_gaps() -> None:
    assert json.loads(encode_data(np.array([[1.0, math.nan], [math.inf, 2.5]]))) == [[1.0, None], [None, 2.5]]
    assert json.loads(encode_data({"x": np.arange(3, dtype="<u2")})) == {"x": [0, 1, 2]}
    assert json.loads(encode_data(np.array([True, False]))) == [True, False]


@pytest.mark.parametrize(
    "value",
    [
        math.nan,
        math.inf,
        -math.inf,
        [1.0, math.nan],
        {"a": {"b": math.inf}},
        (math.nan,),
        np.float64("nan"),
        {"a": np.float32("inf")},
        [None, math.nan],
    ],
)
def test_a_nan_outside_an_array_is_refused(value: object) -> None:
    with pytest.raises(ValueError, match="NaN and infinities"):
        encode_data(value)


def test_a_none_is_not_taken_for_a_nan() -> None:
    assert encode_data([None, 1.5, "null"]) == b'[null,1.5,"null"]'


@pytest.mark.parametrize(
    ("value", "encoded"),
    [
        (0, b"0"),
        (True, b"true"),
        (None, b"null"),
        ("null", b'"null"'),
        (2.5, b"2.5"),
        (-1e308, b"-1e308"),
        ({"a": None}, b'{"a":null}'),
    ],
)
def test_what_is_plain_is_json_as_it_is(value: object, encoded: bytes) -> None:
    assert encode_data(value) == encoded


class Mapped(dict[str, object]):
    pass


@pytest.mark.parametrize(
    "value", [{"a": 1, "b": b"x"}, Mapped(b=b"x"), [1, b"x"], (1, bytearray(b"x")), {"a": [{"b": (b"x",)}]}]
)
def test_bytes_among_what_is_plain_are_found(value: object) -> None:
    assert b'{"$bytes":"eA=="}' in encode_data(value)


@pytest.mark.parametrize("value", [np.float64(2.5), np.float32(2.5)])
def test_numpy_scalars_are_numbers(value: object) -> None:
    assert encode_data(value) == b"2.5"


@pytest.mark.parametrize("value", [object(), {"a": object()}, np.array(["x"], dtype=object), 1j])
def test_what_has_no_form_in_json_is_refused_by_its_type(value: object) -> None:
    with pytest.raises(TypeError, match=r"cannot be published|complex"):
        encode_data(value)
