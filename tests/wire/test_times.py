"""Durations as people write and read them."""

from __future__ import annotations

import pytest

from nbrealtime.wire.times import format_age, format_duration, parse_duration


@pytest.mark.parametrize(
    ("text", "seconds"),
    [
        ("60s", 60),
        ("500ms", 0.5),
        ("5min", 300),
        ("2h", 7200),
        ("1d", 86400),
        ("1.5 m", 90),
        (" 2 S ", 2),
        (0.25, 0.25),
        (3, 3),
    ],
)
def test_a_duration_is_seconds(text: str | float, seconds: float) -> None:
    assert parse_duration(text) == pytest.approx(seconds)


@pytest.mark.parametrize("text", ["", "60", "s", "5 parsecs", "-5s", "0s", 0, -1, float("nan"), float("inf")])
def test_what_is_no_duration_is_said(text: str | float) -> None:
    with pytest.raises(ValueError, match="duration"):
        parse_duration(text)


@pytest.mark.parametrize("value", [None, True, []])
def test_a_duration_has_a_type(value: object) -> None:
    with pytest.raises(TypeError, match="duration"):
        parse_duration(value)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("seconds", "text"),
    [(0.25, "250 ms"), (2.2, "2 s"), (120, "2 min"), (7200, "2 h"), (200_000, "2 d"), (-3, "0 ms")],
)
def test_a_duration_is_told_in_one_unit(seconds: float, text: str) -> None:
    assert format_duration(seconds) == text


def test_an_age_under_a_second_is_now() -> None:
    assert format_age(0.4) == "now"
    assert format_age(2) == "2 s ago"
