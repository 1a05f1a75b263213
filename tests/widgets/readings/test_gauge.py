"""A gauge shows where a value stands between two bounds; what it reads is a tile's."""

from __future__ import annotations

import math

import pytest
import traitlets

from nbrealtime.live import views
from nbrealtime.live.field import FieldView
from nbrealtime.widgets import Gauge
from nbrealtime.widgets.audience import Viewing

pytestmark = pytest.mark.usefixtures("comms")

WIDE = Viewing(300)


def test_it_sends_its_value_and_level_and_nothing_more(topic):
    gauge = Gauge(topic, units="%", thresholds={"busy": 60, "full": {"value": 90, "level": "bad"}})
    topic.hear(95)
    header, buffers = gauge._stream.frame(1e9, WIDE)
    assert (header["value"], header["level"], header["label"], buffers) == (95.0, "bad", "full", [])
    assert "trend" not in header
    assert repr(gauge) == "Gauge of lab:temp: 95 %, full (bad), stale"


def test_its_scale_is_what_it_was_told(topic, synced):
    gauge = Gauge(topic, range=(-20, 50))
    topic.hear(1e6)
    gauge._stream.frame(1e9, WIDE)
    assert gauge.range == (-20.0, 50.0)
    gauge.range = (0, 10)
    assert list(synced(gauge)["now"]["range"]) == [0.0, 10.0]


@pytest.mark.parametrize("bad", [(1, 1), (2, 1), (0, math.inf), (math.nan, 1)])
def test_a_range_has_a_low_and_a_high_end(topic, bad):
    with pytest.raises(traitlets.TraitError, match="low < high"):
        Gauge(topic, range=bad)
    assert not topic.feed.watched


def test_closing_it_keeps_the_value(topic):
    with Gauge(topic) as gauge:
        topic.hear(50)
    topic.hear(60)
    assert gauge._stream.snapshot(1e9, WIDE)[0]["value"] == 50.0
    assert (gauge.state, gauge.level) == ("closed", None)


def test_topics_and_fields_make_one(topic):
    assert isinstance(views.make("gauge", topic, range=(0, 1)), Gauge)
    assert FieldView(topic, "x").gauge().state == "empty"


def test_its_picture_has_the_scale_and_the_zones(topic):
    gauge = Gauge(
        topic,
        range=(0, 8e9),
        units="B",
        thresholds=[(0, 4e9), {"value": 6e9, "label": "full", "level": "bad"}],
    )
    topic.hear(7e9)
    svg = gauge.to_svg()
    assert all(f">{text}<" in svg for text in ("7", "GB", "full", "0", "2", "4", "6", "8"))
    assert "#B3261E" in svg
    assert "As of " in svg
