"""What the user is told in sentences, and how often."""

from __future__ import annotations

import pytest

from nbrealtime.client.session import Publish, Report
from nbrealtime.client.session.outbox import OFFLINE_LIMIT, Outbox
from nbrealtime.client.session.reports import Reports


@pytest.fixture
def outbox() -> Outbox:
    return Outbox()


@pytest.fixture
def reports(outbox: Outbox) -> Reports:
    return Reports(outbox)


def test_a_sentence_is_told_once_for_each_connection(reports: Reports) -> None:
    assert reports.tell("no") == [Report("no")]
    assert reports.tell("no") == []
    reports.forget()
    assert reports.tell("no") == [Report("no")]


def test_what_is_kept_is_taken_once(reports: Reports) -> None:
    reports.keep("a")
    reports.keep("b")
    reports.keep("a")
    assert reports.take(drops=False) == [Report("a"), Report("b")]
    assert reports.take(drops=False) == []


def test_dropped_messages_are_one_sentence_once_there_is_an_end_to_them(
    reports: Reports, outbox: Outbox
) -> None:
    outbox.go_offline(0.0)
    for _ in range(OFFLINE_LIMIT + 2):
        outbox.add(Publish("lab:a", b"1", 50))
    assert reports.take(drops=False) == []
    assert reports.take(drops=True) == [Report("2 messages to lab:a dropped while offline")]
