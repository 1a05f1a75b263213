"""Numbers and times read as the browser writes them."""

from __future__ import annotations

import datetime as dt
import math

import pytest

from nbrealtime.widgets.picture import words

AT = dt.datetime(2026, 11, 22, 14, 2, 5, tzinfo=dt.UTC).timestamp()


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (21.5, "21.5"),
        (-0.004127, "−0.004127"),
        (1204000.0, "1204000"),
        (1.2e9, "1.2e9"),
        (3e-7, "3e−7"),
        (0.0, "0"),
        (math.nan, "—"),
        (None, "—"),
        (99.999999, "100"),
    ],
)
def test_a_number_has_four_significant_digits(value, text):
    assert words.number(value) == text


@pytest.mark.parametrize(
    ("value", "unit", "text"),
    [
        (21.5, "°C", "21.5 °C"),
        (1_204_000, "B/s", "1.204 MB/s"),
        (0.0021, "V", "2.1 mV"),
        (43, "%", "43 %"),
        (250_000, "", "250k"),
        (12_345, "", "12345"),
        (0, "V", "0 V"),
    ],
)
def test_a_quantity_has_its_prefix(value, unit, text):
    assert words.quantity(value, unit) == text


def test_ticks_of_an_axis_have_equal_decimals():
    assert [words.tick(value, 0.5) for value in (-0.5, -0.0, 1)] == ["−0.5", "0.0", "1.0"]


@pytest.mark.parametrize(
    ("seconds", "text"), [(2.9, "2 s"), (180, "3 min"), (3900 * 2, "2 h 10 min"), (3 * 86400, "3 d")]
)
def test_durations(seconds, text):
    assert words.duration(seconds) == text


def test_a_clock_is_of_its_zone():
    berlin = words.zone_of("Europe/Berlin")
    assert words.clock(AT, words.zone_of("UTC")) == "14:02:05"
    assert words.clock(AT, berlin, with_seconds=False) == "15:02"
    assert words.zone_name(AT, berlin) == "Europe/Berlin"
    assert words.day(AT + 10 * 3600, berlin) == "2026-11-23"


def test_an_unknown_zone_is_this_computers():
    assert words.zone_of("Nowhere/At all") is None
