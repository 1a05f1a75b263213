"""Whatever a widget is told that cannot be meant: one sentence that says what may be written, and nothing left behind."""

from __future__ import annotations

import gc
import inspect
import math
from collections.abc import Callable
from typing import Any

import ipywidgets
import pytest
import traitlets
from ipywidgets.widgets import widget as registry

from nbrealtime import widgets
from nbrealtime.widgets.pump import pump

pytestmark = pytest.mark.usefixtures("comms")

ODD = (5, None, -1, math.nan, [], {})
TEXT = (ODD, r"expected a unicode string|is a text, like")
DURATION = (
    ("a", -1, math.nan, [], {}, 1e12),
    r"window is a duration like|is no duration|a duration is|window is between",
)
ZONE = ((5, -1, math.nan, [], {}, "Berlin-Mitte"), r"a time zone's name like \"UTC\" or \"Europe/Berlin\"")
HEIGHT = (
    ("a", None, -1, math.nan, [], {}, 159),
    r"height is a whole number of at least 160|'height' trait .* (int|less than 160)",
)
FIELD = ((5, -1, math.nan, [], {}), r"field is a text, like")
PAIR = (
    (5, "a", -1, math.nan, [], {}, (1,), (2, 1), (math.nan, 1), ("a", "b")),
    r"is \(low, high\), two numbers with low < high",
)
DIGITS = (("a", None, -1, math.nan, [], {}, 11), r"'digits' trait .* (int|less than 2|greater than 10)")
THRESHOLDS = (
    ("a", math.nan, {}, [None], [(2, 1)], {"x": "y"}),
    r"thresholds are a list like|a threshold |a band ",
)
TOPIC = ((5, None, -1, math.nan, {}), r"a topic is a name or what rt.subscribe\(…\) returns, not")
TOPICS = ((*TOPIC[0], []), r"a topic is a name or what|needs at least one topic")
COLORS = (ODD, r"colors is one of ember, dusk, gray, not")

WRONG: dict[str, dict[str, tuple[tuple[Any, ...], str]]] = {
    "AlertLog": {
        "subjects": (
            (5, None, -1, math.nan, {}),
            r"takes alerts, topics \(or their names\) and connections, not",
        ),
        "history": (
            ("a", None, -1, math.nan, [], {}, 2.5, 201),
            r"history is a whole number between 1 and 200, not",
        ),
    },
    "ConnectionBadge": {
        "connection": ((5, "a", -1, math.nan, [], {}), r"a connection is what rt.connect\(…\) returns, not"),
    },
    "Dashboard": {
        "items": (
            (5, "a", None, -1, math.nan, {}, [5], [[]]),
            r"items are a list of widgets|arranges widgets|at least one",
        ),
        "columns": (("a", None, -1, math.nan, [], {}, 13), r"a dashboard has 1 to 12 columns, not"),
        "title": (ODD, r"title is a text"),
        "spans": (
            (5, "a", -1, math.nan, ["x"], {0: "x"}, {7: 1}),
            r"spans is a mapping|a span is|spans names",
        ),
        "titles": (
            (5, "a", -1, math.nan, ["x"], {0: 5}, {7: "x"}),
            r"titles is a mapping|a title is a text|titles names",
        ),
        "min_width": (
            ("a", None, -1, math.nan, [], {}, 5),
            r"min_width is between 120 and 2,000 pixels, not",
        ),
    },
    "Gauge": {
        "topic": TOPIC,
        "field": FIELD,
        "range": ((*PAIR[0], None), PAIR[1]),
        "title": TEXT,
        "units": TEXT,
        "digits": DIGITS,
        "thresholds": THRESHOLDS,
    },
    "LiveHeatmap": {
        "topic": TOPICS,
        "field": FIELD,
        "window": ((*DURATION[0], None), DURATION[1]),
        "y": (
            (5, "a", -1, math.nan, [], {}, [1], [1, 1], [1, None]),
            r"y is \(first, last\)|a position in y is a finite",
        ),
        "y_units": TEXT,
        "units": TEXT,
        "value_range": PAIR,
        "colors": COLORS,
        "time_zone": ZONE,
        "title": TEXT,
        "height": HEIGHT,
    },
    "LivePlot": {
        "topics": TOPICS,
        "fields": ((5, -1, math.nan, [5]), r"fields is a list of names"),
        "window": ((*DURATION[0], None), DURATION[1]),
        "title": TEXT,
        "units": TEXT,
        "y_range": PAIR,
        "height": HEIGHT,
        "labels": (
            (5, -1, math.nan, [], ["a", "b"]),
            r"labels are a list of names or a mapping|labels for 1 lines",
        ),
        "scale": ((5, "a", None, -1, [], {}), r"expected any of \['linear', 'log'\]"),
        "thresholds": THRESHOLDS,
        "time_zone": ZONE,
        "color": ((5, -1, math.nan, {"a": 1}, [5], "1431EC!"), r"a CSS colour|written as in CSS"),
        "cursor_sync": TEXT,
    },
    "LiveTable": {
        "topics": TOPICS,
        "key": ((5, -1, math.nan, [], {}, ""), r"key is a field's name, like 'sensor', not"),
        "columns": ((5, -1, math.nan, [], {}, [5]), r"columns is a list of names|between 1 and 64 columns"),
        "rows": (("a", None, -1, math.nan, [], {}, 2.5), r"rows is a whole number between 1 and 20,000, not"),
        "time": ((), ""),
        "time_zone": ZONE,
        "title": TEXT,
        "height": HEIGHT,
    },
    "MessageLog": {
        "topics": TOPICS,
        "rows": (("a", None, -1, math.nan, [], {}, 2.5), r"rows is a whole number between 1 and 10,000, not"),
        "time_zone": ZONE,
        "height": HEIGHT,
    },
    "PresenceBar": {"topic": TOPICS},
    "PublishBox": {
        "topic": ((5, -1, math.nan, {}), TOPIC[1]),
        "connection": ((5, "a", -1, math.nan, [], {}), r"a connection is what rt.connect\(…\) returns, not"),
        "editable": ((5, "a", -1, math.nan, [], {}), r"expected a boolean"),
        "mode": (("a", *ODD), r"expected any of \['auto', 'json', 'text'\]"),
    },
    "Spectrogram": {
        "topic": TOPICS,
        "field": FIELD,
        "window": ((*DURATION[0], None), DURATION[1]),
        "fs": (("a", -1, 0, math.nan, [], {}), r"fs is samples per second, more than 0, not"),
        "nperseg": (
            (5, "a", None, -1, math.nan, [], {}),
            r"nperseg is a whole number between 8 and 8,190, not",
        ),
        "overlap": ((5, "a", None, -1, math.nan, [], {}), r"overlap is between 0 and 0.95, not"),
        "taper": (("a", *ODD), r"taper is one of hann, hamming, blackman, boxcar, not"),
        "db": ((), ""),
        "frequencies": ((*PAIR[0], (-1, 5)), rf"{PAIR[1]}|\(lowest, highest\) in Hz, from 0 up"),
        "units": TEXT,
        "value_range": PAIR,
        "colors": COLORS,
        "time_zone": ZONE,
        "title": TEXT,
        "height": HEIGHT,
    },
    "StatTile": {
        "topic": TOPIC,
        "field": FIELD,
        "title": TEXT,
        "units": TEXT,
        "digits": DIGITS,
        "window": DURATION,
        "thresholds": THRESHOLDS,
    },
}


def test_every_option_of_every_widget_is_here():
    options = {name: set(inspect.signature(getattr(widgets, name)).parameters) for name in widgets.__all__}
    assert options == {name: set(wrong) for name, wrong in WRONG.items()}


@pytest.fixture
def left(topic, link) -> Callable[[], Any]:
    """What a widget would leave: parts, what listens to the topic and its connection, and widgets."""

    def left() -> Any:
        gc.collect()
        feed = {name: len(kept) for name, kept in vars(topic.feed).items() if isinstance(kept, (tuple, list))}
        own = {type(one).__name__ for one in registry._instances.values()} & set(widgets.__all__)
        return set(pump()._parts), feed, len(link.listeners), len(link.reporters), own

    return left


@pytest.mark.parametrize(
    ("name", "option"), [(name, option) for name, wrong in WRONG.items() for option in wrong]
)
def test_what_cannot_be_meant_is_refused_in_a_sentence_and_leaves_nothing(
    topic, connection, left, name, option
):
    made = getattr(widgets, name)
    first = next(iter(inspect.signature(made).parameters))
    given = {"items": [ipywidgets.Text()], "connection": connection}.get(first, topic)
    options = {"connection": connection} if name == "PublishBox" else {}
    values, says = WRONG[name][option]
    before = left()
    for value in values:
        subject, more = (value, {}) if option == first else (given, {option: value})
        with pytest.raises((TypeError, ValueError, traitlets.TraitError), match=says) as refused:
            made(subject, **{**options, **more})
        assert "\n" not in str(refused.value)
        del refused
    assert left() == before


@pytest.mark.parametrize("name", ["LivePlot", "StatTile", "Gauge"])
def test_a_picture_that_cannot_be_meant_is_refused_with_what_can(topic, name):
    made = getattr(widgets, name)(topic)
    for draw in (made.to_svg, made.to_png):
        for value in ("a", [], {}, -1, 0, math.nan, 1e9):
            with pytest.raises(
                (TypeError, ValueError), match=r"^width is a whole number between 1 and 16,384, not "
            ):
                draw(width=value)
        with pytest.raises(ValueError, match=r"^theme is (auto, )?light or dark, not 'green'$"):
            draw(theme="green")
    made._dispose()
