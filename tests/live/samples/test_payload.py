"""Payload to samples, sentence by sentence."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from nbrealtime.live.samples.payload import Block, Reader
from nbrealtime.live.samples.ring import Ring

NOW = 1_790_000_000.0


def read(*payloads: Any, at: float = NOW, step: float = 1.0, reader: Reader | None = None) -> list[Block]:
    return (reader or Reader()).read((payload, at + index * step) for index, payload in enumerate(payloads))


def only(blocks: list[Block]) -> tuple[list[float], dict[str, list[float]]]:
    (block,) = blocks
    return (block.times - NOW).tolist(), {name: column.tolist() for name, column in block.columns.items()}


def test_a_number_is_field_value_at_the_messages_time() -> None:
    assert only(read(21.5)) == ([0.0], {"value": [21.5]})


def test_consecutive_numbers_share_a_block() -> None:
    assert only(read(1, 2.5, True)) == ([0.0, 1.0, 2.0], {"value": [1.0, 2.5, 1.0]})


def test_numbers_share_a_block_with_objects_of_nothing_else() -> None:
    assert only(read(1, {"value": 2}, None, 3)) == (
        [0.0, 1.0, 2.0, 3.0],
        {"value": [1.0, 2.0, pytest.approx(math.nan, nan_ok=True), 3.0]},
    )


def test_every_number_is_in_one_block_whatever_came_before_it() -> None:
    reader = Reader()
    assert only(read(1, 2, reader=reader)) == ([0.0, 1.0], {"value": [1.0, 2.0]})
    assert only(read(3, at=NOW + 5, reader=reader)) == ([5.0], {"value": [3.0]})
    blocks = read(4, {"x": 5}, 6, [7], 8, "text", 9, {"value": 10, "x": 11}, 12, at=NOW + 6, reader=reader)
    assert [{name: column.tolist() for name, column in block.columns.items()} for block in blocks] == [
        {"value": [4]},
        {"x": [5]},
        {"value": [6]},
        {"value": [7]},
        {"value": [8, 9]},
        {"value": [10], "x": [11]},
        {"value": [12]},
    ]
    assert [time for block in blocks for time in block.times - NOW] == [6, 7, 8, 9, 10, 12, 13, 14]
    assert read(reader=reader) == []


def test_one_number_among_others_has_no_time() -> None:
    reader = Reader()
    (block,) = reader.read([(1, NOW), (2, 1e18), (3, NOW + 2), (4, math.nan)])
    np.testing.assert_array_equal(block.times, [NOW, math.nan, NOW + 2, math.nan])
    assert reader.reason == "carries a time outside of the years 1678 to 2261 (at nan s)"


@given(st.floats(0, 1e9), st.floats(1e-6, 1e6), st.integers(0, 1000))
def test_a_list_is_spread_as_evenly_as_numpy_does(before: float, lasted: float, length: int) -> None:
    reader = Reader()
    reader.read([(None, before)])
    (block,) = reader.read([([0] * length, before + lasted)]) or [Block(np.empty(0), {})]
    spread = np.linspace(before, before + lasted, length + 1)[1:]
    assert block.times.tolist() == spread.tolist()


def test_an_objects_numeric_members_are_fields() -> None:
    assert only(read({"x": 1, "y": 2.5, "on": False, "name": "a", "deep": {"z": 1}})) == (
        [0.0],
        {"x": [1.0], "y": [2.5], "on": [0.0]},
    )


def test_objects_with_other_members_make_another_block() -> None:
    blocks = read({"x": 1}, {"x": 2}, {"x": 3, "y": 4}, 5)
    assert [list(block.columns) for block in blocks] == [["x"], ["x", "y"], ["value"]]
    assert [len(block.times) for block in blocks] == [2, 1, 1]


def test_a_bare_list_is_samples_of_value_spread_since_the_previous_message() -> None:
    reader = Reader()
    read(0, reader=reader)
    assert only(read([1, 2, 3, 4], at=NOW + 2, reader=reader)) == (
        [0.5, 1.0, 1.5, 2.0],
        {"value": [1.0, 2.0, 3.0, 4.0]},
    )


def test_a_first_list_has_nothing_to_be_spread_over_and_the_ring_nudges_it() -> None:
    (block,) = read([1, 2, 3])
    ring = Ring()
    ring.append(block.times, block.columns)
    times, columns = ring.snapshot()
    np.testing.assert_allclose(times - NOW, [0, 1e-6, 2e-6], atol=3e-7)
    assert columns["value"].tolist() == [1, 2, 3]


def test_lists_of_equal_length_in_an_object_are_samples() -> None:
    reader = Reader()
    read(None, reader=reader)
    assert only(read({"x": [1, 2], "y": [3, None]}, at=NOW + 1, reader=reader)) == (
        [0.5, 1.0],
        {"x": [1.0, 2.0], "y": [3.0, pytest.approx(math.nan, nan_ok=True)]},
    )


def test_times_come_from_t() -> None:
    assert only(read({"t": [NOW + 5, NOW + 7], "x": [1, 2]})) == ([5.0, 7.0], {"x": [1.0, 2.0]})


def test_another_time_field_and_unit() -> None:
    reader = Reader(time_field="stamp", time_unit="ms")
    times, columns = only(read({"stamp": [NOW * 1e3, NOW * 1e3 + 250], "t": [1, 2]}, reader=reader))
    assert times == pytest.approx([0.0, 0.25])
    assert columns == {"t": [1.0, 2.0]}


def test_without_a_time_field_t_is_a_field() -> None:
    assert only(read({"t": 21.5}, reader=Reader(time_field=None))) == ([0.0], {"t": [21.5]})


def test_one_t_beside_numbers_is_their_time() -> None:
    assert only(read({"t": NOW + 3, "x": 1})) == ([3.0], {"x": [1.0]})


@pytest.mark.parametrize("past", [-1e9, -1e8, 1e8])
def test_a_time_long_past_is_a_time(past: float) -> None:
    for payload in ({"t": past, "x": 1}, {"t": [past], "x": [1]}):
        (block,) = read(payload)
        assert block.times.tolist() == [past]


def test_one_t_beside_lists_says_when_they_ended() -> None:
    reader = Reader()
    read(0, reader=reader)
    assert only(read({"t": NOW + 4, "x": [1, 2]}, at=NOW + 9, reader=reader)) == (
        [2.0, 4.0],
        {"x": [1.0, 2.0]},
    )


@pytest.mark.parametrize("t", ["12:00", None, [], {"s": 1}, math.nan, math.inf, 10**400, True])
def test_a_t_that_is_no_time_is_passed_over(t: Any) -> None:
    if t == []:
        assert read({"t": t, "x": 1}) == []
        return
    assert only(read({"t": t, "x": 1})) == ([0.0], {"x": [1.0]})


def test_an_object_with_nothing_but_a_time_is_told_apart() -> None:
    reader = Reader()
    assert read({"t": 21.5}, reader=reader) == []
    assert (reader.numeric, reader.reason) == (False, "carries only a time (t)")


def test_elapsed_times_count_from_the_first_messages_time() -> None:
    reader = Reader()
    assert only(read({"t": [0.0, 0.5, 1.0], "x": [1, 2, 3]}, reader=reader))[0] == [-1.0, -0.5, 0.0]
    assert only(read({"t": [1.5, 2.0], "x": [4, 5]}, at=NOW + 1.3, reader=reader))[0] == [0.5, 1.0]


def test_elapsed_times_in_milliseconds() -> None:
    reader = Reader(time_unit="ms")
    read({"t": 1000, "x": 1}, reader=reader)
    assert only(read({"t": 1500, "x": 1}, at=NOW + 9, reader=reader))[0] == pytest.approx([0.5])


def test_an_elapsed_clock_that_starts_again_is_placed_anew() -> None:
    reader = Reader()
    read({"t": 600, "x": 1}, reader=reader)
    assert only(read({"t": 0.5, "x": 2}, at=NOW + 10, reader=reader))[0] == [10.0]


def test_a_late_sample_of_an_elapsed_clock_stays_late() -> None:
    reader = Reader()
    read({"t": 600, "x": 1}, reader=reader)
    assert only(read({"t": 595, "x": 2}, at=NOW + 1, reader=reader))[0] == [-5.0]


def test_a_scalar_beside_lists_is_repeated() -> None:
    assert only(read({"t": [NOW, NOW + 1], "x": [1, 2], "gain": 3}))[1] == {
        "x": [1.0, 2.0],
        "gain": [3.0, 3.0],
    }


def test_scalars_beside_times_alone_are_repeated_too() -> None:
    assert only(read({"t": [NOW, NOW + 1], "gain": 3})) == ([0.0, 1.0], {"gain": [3.0, 3.0]})


@pytest.mark.parametrize("gap", [None, math.nan, math.inf, -math.inf, 10**400])
def test_null_nan_and_infinities_are_gaps(gap: Any) -> None:
    for payload in (gap, [gap], {"value": gap}, {"value": [gap]}):
        (block,) = read(payload)
        np.testing.assert_array_equal(block.columns["value"], [np.nan])
    for payload in (gap, {"value": gap}):
        (block,) = read(1, payload, 2)
        np.testing.assert_array_equal(block.columns["value"], [1, np.nan, 2])


@pytest.mark.parametrize(
    ("payload", "reason"),
    [
        ("hot", "carries text"),
        (b"\x00", "carries bytes"),
        (["a", 1], "carries text"),
        ([[1, 2], [3, 4]], "carries nested values"),
        ([{"x": 1}], "carries nested values"),
        ({}, "carries no numbers"),
        ({"name": "a"}, "carries no numbers"),
        ({"x": ["1", "2"]}, "carries no numbers"),
    ],
)
def test_what_carries_no_numbers_is_described_and_not_drawn(payload: Any, reason: str) -> None:
    reader = Reader()
    assert read(payload, reader=reader) == []
    assert (reader.numeric, reader.reason) == (False, reason)


def test_text_among_numbers_does_not_make_a_topic_undrawable() -> None:
    reader = Reader()
    read(1, "note", reader=reader)
    assert (reader.numeric, reader.reason) == (True, "carries text")
    read(2, at=NOW + 5, reader=reader)
    assert (reader.numeric, reader.reason) == (True, "")


def test_null_alone_does_not_tell_whether_a_topic_can_be_drawn() -> None:
    reader = Reader()
    read(None, reader=reader)
    assert reader.numeric is None


def test_unequal_lists_are_not_drawn_and_the_first_ones_are_described() -> None:
    reader = Reader()
    assert read({"x": [1, 2], "y": [3]}, {"x": [1], "t": [NOW, NOW]}, reader=reader) == []
    assert reader.unequal == "carries lists of unequal length (x: 2, y: 1)"
    assert reader.reason == "carries lists of unequal length (t: 2, x: 1)"


def test_an_empty_list_is_no_sample_and_no_fault() -> None:
    reader = Reader()
    assert read([], {"x": []}, reader=reader) == []
    assert (reader.numeric, reader.reason) == (True, "")


def test_a_unit_that_is_none_is_named() -> None:
    with pytest.raises(ValueError, match="'minutes'"):
        Reader(time_unit="minutes")  # type: ignore[arg-type]


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=3) | st.binary(max_size=3),
    lambda inner: (
        st.lists(inner, max_size=4) | st.dictionaries(st.sampled_from(["t", "x", "y", ""]), inner, max_size=4)
    ),
    max_leaves=12,
)


@given(
    st.lists(st.tuples(json_values, st.floats(NOW - 10, NOW + 10)), max_size=8),
    st.sampled_from(["s", "ms", "ns"]),
)
def test_no_payload_raises_and_every_block_fits_the_ring(
    messages: list[tuple[Any, float]], unit: Any
) -> None:
    reader, ring = Reader(time_unit=unit), Ring()
    for block in reader.read(messages):
        assert block.columns
        assert all(len(column) == len(block.times) > 0 for column in block.columns.values())
        assert not any(np.isinf(column).any() for column in block.columns.values())
        ring.append(block.times, block.columns)
    times, _ = ring.snapshot()
    assert (np.diff(times) > 0).all()


@given(
    st.lists(st.lists(st.floats(-1e6, 1e6), max_size=5), min_size=1, max_size=6),
)
def test_every_number_of_a_stream_of_lists_arrives_once_and_in_order(lists: list[list[float]]) -> None:
    ring = Ring()
    for block in read(*lists):
        ring.append(block.times, block.columns)
    expected = [number for numbers in lists for number in numbers]
    _, columns = ring.snapshot(["value"])
    assert columns["value"].tolist() == expected


@given(st.lists(st.lists(json_values, max_size=3), max_size=4))
@example([[{"t": None, "x": None, "y": False}, {"t": 1e8, "y": None, "x": False}]])
@example([[{"t": 1e300, "y": 1}, {"t": None, "y": None}, {"t": None, "y": 2}]])
@example([[{"t": 1e300, "y": 1}, {"t": 1e300, "y": 2}]])
def test_how_messages_are_batched_makes_no_difference(batches: list[list[Any]]) -> None:
    def filled(groups: list[list[tuple[Any, float]]]) -> tuple[bytes, dict[str, bytes]]:
        reader, ring = Reader(), Ring()
        for group in groups:
            for block in reader.read(group):
                ring.append(block.times, block.columns)
        times, columns = ring.snapshot()
        return times.tobytes(), {name: column.tobytes() for name, column in columns.items()}

    timed = [
        [(payload, NOW + 10 * at + index) for index, payload in enumerate(batch)]
        for at, batch in enumerate(batches)
    ]
    alone = [[message] for batch in timed for message in batch]
    assert filled(timed) == filled(alone)


# Times that cannot be any.

FAR = [1e308, -1e308, 1e18, -1e18, NOW * 1e3, NOW * 1e6, NOW * 1e9]


@pytest.mark.parametrize("far", FAR)
@pytest.mark.parametrize("shape", ["its own", "its lists", "beside its lists", "the message's"])
def test_a_time_that_cannot_be_one_leaves_its_sample_out_and_is_described(far: float, shape: str) -> None:
    payload, at = {
        "its own": ({"t": far, "x": 1}, NOW),
        "its lists": ({"t": [far], "x": [1]}, NOW),
        "beside its lists": ({"t": far, "x": [1, 2]}, NOW),
        "the message's": ({"x": 1}, far),
    }[shape]
    reader, ring = Reader(), Ring()
    for block in reader.read([(payload, at)]):
        ring.append(block.times, block.columns)
    assert (len(ring), ring.newest) == (0, None)
    assert (reader.numeric, reader.reason) == (False, reader.untimely)
    assert reader.untimely.startswith("carries a time outside of the years 1678 to 2261 (")


@pytest.mark.parametrize(("scale", "unit"), [(1e3, "ms"), (1e6, "us"), (1e9, "ns")])
def test_the_unit_that_would_fit_is_named(scale: float, unit: str) -> None:
    reader = Reader()
    read({"t": NOW * scale, "x": 1}, reader=reader)
    assert reader.reason == (
        f'carries a time outside of the years 1678 to 2261 (t: {NOW * scale:.3g} s; time_unit="{unit}" would fit)'
    )


def test_of_a_list_of_times_those_that_can_be_are_taken() -> None:
    reader = Reader()
    times, columns = only(read({"t": [NOW, 1e308, NOW + 1, -1e18], "x": [1, 2, 3, 4]}, reader=reader))
    assert times == pytest.approx([0, math.nan, 1, math.nan], nan_ok=True)
    assert columns == {"x": [1, 2, 3, 4]}
    assert (reader.numeric, reader.reason) == (True, "")
    assert "t: 1e+308 s" in reader.untimely


def test_of_elapsed_times_too() -> None:
    assert only(read({"t": [0.0, 1e18, 1.0], "x": [1, 2, 3]}))[0] == pytest.approx(
        [-1, math.nan, 0], nan_ok=True
    )


@pytest.mark.parametrize("far", FAR)
def test_nothing_counts_from_a_message_whose_time_cannot_be_one(far: float) -> None:
    reader = Reader()
    reader.read([(0, NOW), ([1, 2], far), ({"t": 5.0, "x": 1}, far)])
    assert only(reader.read([([3, 4], NOW + 2)]))[0] == [1.0, 2.0]
    assert only(reader.read([({"t": 6.0, "x": 1}, NOW + 3)]))[0] == [3.0]


def test_a_payload_has_times_of_its_own_also_when_its_messages_cannot_be_one() -> None:
    assert only(read({"t": NOW + 1, "x": 1}, at=1e18))[0] == [1.0]
