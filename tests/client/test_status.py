"""How a connection is, in values that any thread may read."""

from __future__ import annotations

import pytest

from nbrealtime.client.status import LinkState, Status


def test_before_the_first_attempt_nothing_is_known() -> None:
    status = Status()
    assert status.state is LinkState.DISCONNECTED
    assert (status.url, status.user, status.latency, status.error, status.protocol) == (
        "",
        None,
        None,
        None,
        None,
    )
    assert (status.attempts, status.queued, status.dropped, status.uncertain) == (0, 0, 0, 0)


def test_a_status_cannot_be_changed() -> None:
    with pytest.raises(AttributeError):
        Status().queued = 1  # type: ignore[misc]


def test_states_are_the_words_that_people_write() -> None:
    assert [*LinkState] == ["disconnected", "connecting", "connected", "reconnecting", "closed"]
    assert f"{Status(state=LinkState.CONNECTED).state}" == "connected"


def test_two_that_say_the_same_are_the_same() -> None:
    assert Status(url="ws://x", queued=1) == Status(url="ws://x", queued=1)
    assert Status(url="ws://x", queued=1) != Status(url="ws://x", queued=2)
