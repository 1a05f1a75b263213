"""The registry between topics and what shows them, and what a topic shows without any."""

from __future__ import annotations

from typing import Any

import pytest

from nbrealtime.live import views
from nbrealtime.live.connection import Connection
from nbrealtime.live.views import make, provide, provided

from .fakes import FakeLink


@pytest.fixture(autouse=True)
def _own_registry(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(views, "_factories", {})


def test_a_provided_view_is_made_of_its_subject() -> None:
    provide("gauge", lambda subject, *args, **options: (subject, args, options))
    assert provided("gauge")
    assert make("gauge", "topic", 1, window="60s") == ("topic", (1,), {"window": "60s"})


def test_a_view_that_nobody_provides_is_named_with_those_that_are(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(views, "_PROVIDER", "math")
    provide("plot", lambda subject: subject)
    with pytest.raises(LookupError, match="no view is called 'gauge'; there is plot"):
        make("gauge", "topic")


def test_a_topic_plots_through_it(connection: Connection, link: FakeLink) -> None:
    provide("plot", lambda subject, **options: (subject, options))
    topic = connection.topic("lab:temp")
    assert topic.plot(window="60s") == (topic, {"window": "60s"})
    assert topic["x"].plot()[0].field == "x"


def test_without_a_kernel_or_widgets_only_text_is_shown(connection: Connection) -> None:
    topic = connection.topic("lab:temp")
    assert topic._repr_mimebundle_() == {"text/plain": repr(topic)}
    assert connection._repr_mimebundle_() == {"text/plain": repr(connection)}


@pytest.mark.parametrize("with_metadata", [True, False])
def test_a_card_is_shown_with_our_text_beside_it(connection: Connection, with_metadata: bool) -> None:
    class Card:
        def _repr_mimebundle_(self, **_: Any) -> Any:
            data = {"text/plain": "Card()", "application/x": 1}
            return (data, {"m": 1}) if with_metadata else data

    provide("card", lambda subject: Card())
    topic = connection.topic("lab:temp")
    data = {"text/plain": repr(topic), "application/x": 1}
    assert topic._repr_mimebundle_() == ((data, {"m": 1}) if with_metadata else data)
