"""Where the axes of a picture end, where their ticks are and what these say."""

from __future__ import annotations

import datetime as dt
import math
import sys

import pytest

from nbrealtime.widgets.picture import ticks

UTC = dt.UTC
MAX = sys.float_info.max


def at(*when: int) -> float:
    return dt.datetime(*when, tzinfo=UTC).timestamp()


@pytest.mark.parametrize(
    ("low", "high", "unit", "bounds"),
    [
        (15.0, 25.0, "", (14.0, 26.0)),
        (1.0, 25.0, "", (0.0, 30.0)),
        (-25.0, -1.0, "", (-30.0, 0.0)),
        (20.0, 20.0, "", (19.0, 21.0)),
        (0.0, 0.0, "", (-1.0, 1.0)),
        (12.0, 60.0, "%", (0.0, 100.0)),
    ],
)
def test_bounds_are_round_with_room_to_spare(low, high, unit, bounds):
    assert ticks.fit(low, high, unit) == pytest.approx(bounds)


def test_values_have_one_prefix_which_stands_in_the_caption():
    found = ticks.value_ticks(0, 40_000, 200, "B/s")
    assert found.labels == ["0", "10", "20", "30", "40"]
    assert found.caption == "kB/s"


def test_decades_have_their_powers():
    found = ticks.log_ticks(1e-3, 1e6, 200, "")
    assert found.caption == "log"
    assert found.labels[0] == "10⁻²" or found.labels[0] == "10⁻³"
    assert all(later / earlier >= 10 for earlier, later in zip(found.at, found.at[1:], strict=False))


def test_within_a_decade_a_log_axis_has_more():
    assert ticks.log_ticks(1, 100, 220, "V").labels == ["1", "2", "5", "10", "20", "50", "100"]


def test_times_are_round_and_the_first_has_the_date():
    found = ticks.time_ticks(at(2026, 11, 22, 14, 1, 3), at(2026, 11, 22, 14, 2, 3), 700, zone=UTC)
    assert found.labels[0] == "14:01:10\n2026-11-22"
    assert found.labels[1] == "14:01:20"
    assert len(found.at) <= 6


def test_midnight_has_the_date_too():
    found = ticks.time_ticks(at(2026, 11, 22, 23, 50), at(2026, 11, 23, 0, 10), 700, zone=UTC)
    assert "00:00:00\n2026-11-23" in found.labels


def test_a_label_that_would_be_cut_off_is_left_out():
    found = ticks.time_ticks(at(2026, 11, 22, 14, 0, 0), at(2026, 11, 22, 14, 1, 0), 700, 12, zone=UTC)
    assert found.at[-1] == at(2026, 11, 22, 14, 0, 50) or found.labels[-1] == ""


def test_round_hours_are_those_of_the_zone():
    kolkata = dt.timezone(dt.timedelta(hours=5.5))
    found = ticks.time_ticks(at(2026, 11, 22, 0, 0), at(2026, 11, 22, 12, 0), 700, zone=kolkata)
    assert all(
        label.startswith(("06", "08", "09", "10", "12", "14", "15", "16")) for label in found.labels if label
    )
    assert all(label[3:8] == "00:00" for label in found.labels if label)


def test_parts_of_a_second_are_told():
    found = ticks.time_ticks(at(2026, 11, 22), at(2026, 11, 22) + 0.5, 700, zone=UTC)
    assert found.labels[1] == "00:00:00.1"


@pytest.mark.parametrize(("low", "high"), [(-MAX, MAX), (0, MAX), (MAX, MAX), (-MAX, -MAX)])
def test_a_device_s_sign_for_no_value_leaves_an_axis(low, high):
    bounds = ticks.fit(low, high)
    assert all(map(math.isfinite, bounds))
    assert bounds[0] < bounds[1]
    assert ticks.value_ticks(*bounds, 200, "V").at
    if high > 0:
        bounds = ticks.fit_log(5e-324, high)
        assert 0 < bounds[0] < bounds[1] < math.inf
        assert ticks.log_ticks(*bounds, 200, "V").at
