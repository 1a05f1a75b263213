"""What a plot takes for thresholds, colours, scales and time zones, and how it refuses what it cannot mean."""

from __future__ import annotations

import datetime as dt
import json
import zoneinfo

import pytest
import traitlets

from nbrealtime.widgets import LivePlot

pytestmark = pytest.mark.usefixtures("comms")


@pytest.fixture
def live(topic):
    made = LivePlot(topic)
    yield made
    made._dispose()


LINE = {"value": 80.0, "label": "", "level": "warn"}
BAND = {"from": 20.0, "to": 25.0, "label": "", "level": "good"}


@pytest.mark.parametrize(
    ("given", "held"),
    [
        ([80], [LINE]),
        (80, [LINE]),
        ([80, (20, 25)], [LINE, BAND]),
        ((20, 25), [BAND]),
        ([20, 25], [{**LINE, "value": 20.0}, {**LINE, "value": 25.0}]),
        ([{"value": [20, 25]}], [BAND]),
        ({"value": 80}, [LINE]),
        ({"too hot": 80, "comfort": (20, 25)}, [{**LINE, "label": "too hot"}, {**BAND, "label": "comfort"}]),
        ({"limit": {"value": 80, "level": "bad"}}, [{**LINE, "label": "limit", "level": "bad"}]),
        (
            [{"from": 20, "to": 25, "level": "info", "color": "teal"}],
            [{**BAND, "level": "info", "color": "teal"}],
        ),
        ([{"value": 80, "include": False}], [{**LINE, "include": False}]),
        (None, []),
    ],
)
def test_thresholds_are_lines_and_bands_however_they_are_written(live, given, held):
    live.thresholds = given
    assert list(live.thresholds) == held
    assert json.loads(json.dumps(live.get_state("thresholds"))) == {"thresholds": held}


@pytest.mark.parametrize(
    ("given", "why"),
    [
        ("80", "thresholds are a list"),
        ([float("nan")], "finite"),
        ([True], "finite"),
        ([(25, 20)], "low < high"),
        ([(1, 2, 3)], "a number, \\(low, high\\)"),
        ([{"label": "nowhere"}], "has a value, or from and to"),
        ([{"value": 1, "from": 0, "to": 2}], "has a value, or from and to"),
        ([{"value": 1, "colour": "red"}], "no 'colour'"),
        ([{"value": 1, "color": 'url(x)";'}], "as in CSS"),
        ([{"value": 1, "level": "awful"}], "info, good, warn, bad"),
        (list(range(51)), "at most 50"),
    ],
)
def test_what_is_no_threshold_is_refused_with_what_is(live, given, why):
    with pytest.raises(traitlets.TraitError, match=why):
        live.thresholds = given
    assert live.thresholds == ()


def test_a_log_scale_has_no_room_for_zero(topic, live):
    live.scale = "log"
    with pytest.raises(traitlets.TraitError, match="log scale a y_range begins above 0"):
        live.y_range = (0, 10)
    live.y_range = (0.1, 10)
    live.scale = "linear"
    live.y_range = (0, 10)
    with pytest.raises(traitlets.TraitError, match="begins above 0"):
        live.scale = "log"
    with pytest.raises(traitlets.TraitError, match="begins above 0"):
        LivePlot(topic, scale="log", y_range=(-1, 1))
    with pytest.raises(traitlets.TraitError, match="linear"):
        live.scale = "cubic"


@pytest.mark.parametrize(
    ("given", "held"),
    [
        ("", ""),
        (None, ""),
        ("utc", "UTC"),
        ("Europe/Berlin", "Europe/Berlin"),
        (zoneinfo.ZoneInfo("Asia/Kolkata"), "Asia/Kolkata"),
        (dt.UTC, "UTC"),
    ],
)
def test_a_time_zone_has_a_name(live, given, held):
    live.time_zone = given
    assert live.time_zone == held


@pytest.mark.parametrize(
    ("given", "why"),
    [
        ("Europe/Berlln", "no time zone is called 'Europe/Berlln'; did you mean 'Europe/Berlin'"),
        ("Berlin", "did you mean 'Europe/Berlin'"),
        ("../etc/passwd", "a time zone's name"),
        (2, "a time zone's name"),
        (dt.timezone(dt.timedelta(hours=2)), "time zone"),
    ],
)
def test_what_is_no_time_zone_is_refused_with_a_sentence(live, given, why):
    with pytest.raises(traitlets.TraitError, match=why):
        live.time_zone = given


def test_where_the_system_knows_no_zones_the_browser_decides(live, monkeypatch):
    monkeypatch.setattr(zoneinfo, "available_timezones", set)
    live.time_zone = "Mars/Olympus"
    assert live.time_zone == "Mars/Olympus"


def test_colours_are_one_or_several(topic, live):
    live.color = "teal"
    assert live.color == ("teal",)
    live.color = ["#1431EC", "rgb(10 20 30 / 50%)"]
    assert live.color == ("#1431EC", "rgb(10 20 30 / 50%)")
    for wrong in (3, ["red;background:url(x)"], [3]):
        with pytest.raises(traitlets.TraitError, match=r"colou?r"):
            live.color = wrong


def test_a_name_that_no_browser_knows_is_no_colour(live):
    live.color = "RebeccaPurple"
    with pytest.raises(traitlets.TraitError, match=r"'#1431EC' or 'teal', not 'notacolour'"):
        live.color = "notacolour"


def test_an_option_is_named_where_the_plot_is_made(topic):
    made = LivePlot(topic, scale="log", thresholds=[80], time_zone="UTC", color="teal", cursor_sync="lab")
    assert (made.scale, made.time_zone, made.color, made.cursor_sync) == ("log", "UTC", ("teal",), "lab")
    assert made.thresholds == (LINE,)
    made._dispose()
