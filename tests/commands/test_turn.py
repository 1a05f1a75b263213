"""Whose turn it is to feed, decided without a server."""

from __future__ import annotations

import math

import pytest

from nbrealtime.commands.turn import LISTEN_SECONDS, Step, Turn

NEVER = -math.inf


def test_who_is_alone_feeds_at_once() -> None:
    assert Turn().decide(0.0, 1, NEVER) is Step.FEED


def test_nothing_is_done_before_the_server_has_answered() -> None:
    turn = Turn()
    assert turn.decide(0.0, None, NEVER) is Step.WAIT
    assert turn.decide(1.0, 1, NEVER) is Step.FEED


def test_who_is_not_alone_listens_and_leaves_if_data_comes() -> None:
    turn = Turn()
    assert turn.decide(0.0, 2, NEVER) is Step.LISTEN
    assert turn.decide(LISTEN_SECONDS - 0.1, 2, LISTEN_SECONDS - 0.2) is Step.LISTEN
    assert turn.decide(LISTEN_SECONDS, 2, LISTEN_SECONDS - 0.1) is Step.LEAVE


def test_a_mark_without_data_is_a_dead_connection_and_does_not_count() -> None:
    turn = Turn()
    turn.decide(0.0, 2, NEVER)
    assert turn.decide(LISTEN_SECONDS, 2, NEVER) is Step.FEED


def test_the_last_samples_of_a_feeder_that_is_ending_are_no_reason_to_leave() -> None:
    turn = Turn()
    turn.decide(0.0, 2, NEVER)
    assert turn.decide(LISTEN_SECONDS, 2, heard=0.2) is Step.FEED


def test_who_listens_takes_over_as_soon_as_the_other_is_gone() -> None:
    turn = Turn()
    turn.decide(0.0, 2, NEVER)
    assert turn.decide(0.1, 1, heard=0.05) is Step.FEED


def test_a_feeder_stays_one_when_a_second_marks_itself() -> None:
    turn = Turn()
    turn.decide(0.0, 1, NEVER)
    assert turn.decide(1.0, 2, NEVER) is Step.FEED


@pytest.mark.parametrize("feeders", [1, 2])
def test_a_lost_connection_begins_the_decision_anew(feeders: int) -> None:
    turn = Turn()
    turn.decide(0.0, 1, NEVER)
    assert turn.decide(1.0, None, NEVER) is Step.WAIT
    assert turn.decide(2.0, feeders, NEVER) is (Step.FEED if feeders == 1 else Step.LISTEN)
