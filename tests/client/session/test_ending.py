"""What a server announces about a connection's end, and what becomes of that."""

from __future__ import annotations

from typing import Any

import pytest

from nbrealtime.client.session import Session
from nbrealtime.client.session.ending import Ending
from nbrealtime.client.session.renewal import Renewal
from nbrealtime.client.status import LinkState

from .talk import frame


@pytest.fixture
def ending() -> Ending:
    return Ending(Renewal(), lambda: 0.5)


def test_without_an_announcement_the_close_code_decides(ending: Ending) -> None:
    assert ending.take(1001, "").again
    assert not ending.take(4500, "").again
    assert not ending.take(1000, "bye").announced
    assert ending.take(1000, "bye").reason == "bye"


@pytest.mark.parametrize("said", [{"code": "x"}, {"close": "4001"}, {"close": True}])
def test_an_error_that_names_no_close_code_announces_nothing(ending: Ending, said: dict[str, Any]) -> None:
    assert not ending.hear(said, 0.0)
    assert ending.deadline is None


def test_what_is_announced_decides_over_the_code_that_comes(ending: Ending) -> None:
    assert ending.hear({"close": 4001, "reconnect": False, "error": "enough"}, 0.0)
    end = ending.take(1006, "")
    assert (end.again, end.reason, end.announced) == (False, "enough", True)


def test_an_announcement_is_forgotten_with_its_socket(ending: Ending) -> None:
    ending.hear({"close": 4001, "reconnect": False}, 0.0)
    ending.take(1006, "")
    assert ending.take(1006, "").again
    assert ending.deadline is None


def test_an_announced_end_is_waited_for_but_not_forever(ending: Ending) -> None:
    ending.hear({"close": 4001}, 10.0)
    assert ending.deadline is not None
    assert not ending.is_overdue(10.0)
    assert ending.is_overdue(ending.deadline)


def test_who_is_drained_leaves_at_a_moment_of_its_own(ending: Ending) -> None:
    ending.drain((1000.0, 3000.0), 10.0)
    assert ending.deadline == 12.0
    assert not ending.is_replaced(11.9)
    assert ending.is_replaced(12.0)
    assert ending.take(1001, "").back_at == 12.0


def test_the_earlier_of_two_ends_is_the_deadline(ending: Ending) -> None:
    ending.drain((1000.0, 1000.0), 10.0)
    ending.hear({"close": 4001}, 10.0)
    assert ending.deadline == 11.0


def test_after_an_expired_token_only_another_one_helps() -> None:
    renewal = Renewal()
    ending = Ending(renewal, lambda: 0.5)
    ending.hear({"close": 4005, "reconnect": True}, 0.0)
    assert not ending.take(4005, "").again
    renewal.possible = True
    ending.hear({"close": 4005, "reconnect": False}, 0.0)
    assert ending.take(4005, "").again


def test_a_drained_client_is_back_at_a_time_of_its_own(session: Session) -> None:
    session.receive(frame({"type": "drain", "delay": [0, 5000]}), 10.0, 0.0)
    assert session.state is LinkState.CONNECTED
    session.lost(11.0, 4001, "")
    assert session.retry_at == 12.5


def test_a_server_that_drains_and_stays_is_left(session: Session) -> None:
    session.receive(frame({"type": "drain", "delay": [0, 5000]}), 10.0, 0.0)
    assert session.deadline == 12.5
    assert session.tick(12.5) is not None
    session.lost(12.5, 1006, "")
    assert session.retry_at == 12.5
