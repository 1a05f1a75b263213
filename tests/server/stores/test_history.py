"""Which topics keep how much."""

from __future__ import annotations

import pytest

from nbrealtime.server.stores import History, HistoryRules


def test_without_options_every_topic_has_the_default():
    assert HistoryRules().of("lab:a") == History(messages=10_000, seconds=600, bytes=16 * 2**20)
    assert HistoryRules(default=History(messages=3)).of("user:ada") == History(messages=3)


def test_one_option_holds_for_every_topic():
    assert HistoryRules(5).of("lab:a") == History(messages=5)
    assert HistoryRules({"seconds": None}).of("lab:a") == History(seconds=None)
    assert HistoryRules(History(messages=1, seconds=2.0)).of("lab:a") == History(messages=1, seconds=2.0)


def test_zero_switches_history_off():
    for off in (0, False, {"seconds": 0}, {"bytes": 0}, History(messages=0)):
        assert HistoryRules(off).of("lab:a") is None


def test_the_first_pattern_that_matches_decides():
    rules = HistoryRules({"lab:raw": 0, "lab:*": {"messages": 7}, "lab:**": 8})
    assert rules.of("lab:raw") is None
    assert rules.of("lab:a") == History(messages=7)
    assert rules.of("lab:a:b") == History(messages=8)
    assert rules.of("other") == History()


def test_two_stars_are_every_other_topic_those_of_users_too():
    rules = HistoryRules({"lab:*": None, "**": 0})
    assert rules.of("lab:a") == History()
    assert rules.of("user:ada") is None
    assert rules.of("other") is None


def test_a_topic_may_have_a_fields_name():
    rules = HistoryRules({"messages": {"messages": 3}})
    assert rules.of("messages") == History(messages=3)
    assert rules.of("other") == History()


def test_the_servers_own_topics_have_none():
    assert HistoryRules({"$sys/topics": 5}).of("$sys/topics") is None


@pytest.mark.parametrize(
    "options",
    [-1, 1.5, "10", {"lab:*": {"days": 3}}, {"lab:*": "all"}, {"a**": 1}, {"lab:*": -3}, {"messages": None}],
)
def test_what_makes_no_sense_is_refused(options: object):
    with pytest.raises(ValueError):
        HistoryRules(options)  # type: ignore[arg-type]
