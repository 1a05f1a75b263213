"""Arguments as values, and complaints that are sentences."""

from __future__ import annotations

import argparse
from collections.abc import Callable

import pytest

from nbrealtime.commands import values
from nbrealtime.hub import Action


@pytest.mark.parametrize(
    ("read", "text", "value"),
    [
        (values.port, "0", 0),
        (values.port, "65535", 65535),
        (values.count, "1", 1),
        (values.frequency, "20", 20.0),
        (values.frequency, "1.5", 1.5),
        (values.lifetime, "90", 90.0),
        (values.lifetime, "2h", 7200.0),
        (values.lifetime, "never", None),
        (values.actions, "publish", ["publish"]),
        (values.actions, "subscribe, publish", ["subscribe", "publish"]),
        (values.topic, "lab:temp", "lab:temp"),
        (values.pattern, "lab:*", "lab:*"),
    ],
)
def test_a_sound_argument_is_its_value(read: Callable[[str], object], text: str, value: object) -> None:
    assert read(text) == value


@pytest.mark.parametrize(
    ("read", "text", "complaint"),
    [
        (values.port, "web", "'web' is no whole number"),
        (values.port, "65536", "between 0 and 65535"),
        (values.count, "0", "1 or more"),
        (values.count, "2.5", "'2.5' is no whole number"),
        (values.frequency, "fast", "'fast' is no number"),
        (values.frequency, "0.5", "between 1 and 100"),
        (values.frequency, "nan", "between 1 and 100"),
        (values.lifetime, "soon", "is no duration"),
        (values.lifetime, "0", "positive"),
        (values.actions, "write", "'write' is none of subscribe, publish"),
        (values.topic, "lab:*", "is no topic"),
        (values.pattern, "lab::temp", "is no topic"),
    ],
)
def test_an_unsound_argument_says_what_is_wrong_with_it(
    read: Callable[[str], object], text: str, complaint: str
) -> None:
    with pytest.raises(argparse.ArgumentTypeError, match=complaint.replace("(", r"\(")):
        read(text)


def test_the_actions_of_a_grant_are_the_hubs() -> None:
    assert values.actions(",".join(Action)) == [str(action) for action in Action]


@pytest.mark.parametrize(
    ("text", "rule"),
    [
        ("1000", ("**", {"messages": 1000})),
        ("0", ("**", {"messages": 0})),
        ("1000,1h", ("**", {"messages": 1000, "seconds": 3600.0})),
        ("lab:**=5,never", ("lab:**", {"messages": 5, "seconds": None})),
        ("a=b=5", ("a=b", {"messages": 5})),
    ],
)
def test_a_rule_of_history_names_messages_age_and_topics(text: str, rule: object) -> None:
    assert values.history(text) == rule


@pytest.mark.parametrize("text", ["", "many", "-1", "lab:a*=5", "5,soon", "=5"])
def test_a_wrong_rule_of_history_is_a_sentence(text: str) -> None:
    with pytest.raises(argparse.ArgumentTypeError):
        values.history(text)


def test_what_names_no_topics_decides_last() -> None:
    rules = values.history_rules([("**", {"messages": 1.0}), ("lab:*", {"messages": 2.0})])
    assert rules is not None
    assert list(rules) == ["lab:*", "**"]
    assert values.history_rules(None) is None
