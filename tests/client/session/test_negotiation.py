"""Which dialect a server speaks, as a session finds it out."""

from __future__ import annotations

import json
from typing import Any

import pytest

from nbrealtime.client.session import Memory, Session
from nbrealtime.client.session.negotiation import SILENT_SECONDS
from nbrealtime.client.status import LinkState

from .talk import EVERYTHING, URL, attempt, connect, frame, spoken


def test_the_hello_names_the_client_its_token_and_what_it_can() -> None:
    session = Session(random=lambda: 0.5, client="c")
    session.subscribe("lab:a")
    attempt(session)
    (hello,) = [json.loads(text) for text in session.take(EVERYTHING)]
    assert (hello["type"], hello["version"], hello["client"], hello["token"]) == ("hello", 2, "c", "t")
    assert set(hello["capabilities"]) >= {"ack", "recover", "batch", "lost"}
    assert hello["flushMs"] > 0
    assert session.take(EVERYTHING) == [], "nothing else before the answer"
    assert session.state is LinkState.CONNECTING


@pytest.mark.parametrize("data", [{"error": "what?"}, {"error": "what?", "code": "unknown_type"}])
def test_an_error_that_does_not_know_hello_proves_v1(data: dict[str, Any]) -> None:
    session = Session(random=lambda: 0.5)
    attempt(session)
    session.receive(frame({"type": "error", "data": data}), 0.0, 0.0)
    assert session.version == 1
    session.lost(1.0, 1006, "")
    session.connecting()
    assert not session.attempt(URL, "t"), "and is remembered"


def test_another_error_proves_nothing() -> None:
    session = Session(random=lambda: 0.5)
    attempt(session)
    session.receive(frame({"type": "error", "data": {"error": "full", "code": "limit_exceeded"}}), 0.0, 0.0)
    assert session.version is None
    assert session.tick(0.0) is not None
    session.lost(0.0, 1006, "")
    session.connecting()
    assert session.attempt(URL, "t")


def test_what_the_server_speaks_and_takes_is_known_as_long_as_the_connection_lasts() -> None:
    session = Session(random=lambda: 0.5)
    assert (session.version, session.message_bytes) == (None, None)
    connect(session)
    assert (session.version, session.message_bytes) == (2, 1000)
    session.lost(1.0, 1006, "")
    assert (session.version, session.message_bytes) == (None, None)
    connect(session, limits={"messageBytes": None})
    assert (session.version, session.message_bytes) == (2, None)
    session.lost(1.0, 1006, "")
    connect(session, limits={"messageBytes": 10})
    assert session.message_bytes == 10
    session.close()
    assert (session.version, session.message_bytes) == (None, None)


def test_silence_after_a_greeting_proves_v1() -> None:
    session = Session(random=lambda: 0.5)
    session.subscribe("lab:a")
    attempt(session)
    session.receive(frame({"type": "message", "data": {"message": "hi"}}), 1.0, 0.0)
    assert session.deadline == 1.0 + SILENT_SECONDS
    assert session.tick(1.0 + SILENT_SECONDS) is None
    assert session.version == 1
    assert [said["type"] for said in spoken(session)] == ["subscribe"]


def test_a_greeting_that_came_with_the_acceptance_counts() -> None:
    session = Session(random=lambda: 0.5)
    session.connecting()
    session.attempt(URL, "t")
    session.receive(frame({"type": "message", "data": {"message": "hi"}}), 0.0, 0.0)
    session.opened(0.0, "t")
    assert session.deadline == SILENT_SECONDS


@pytest.mark.parametrize("how", ["401", "drop"])
def test_an_offer_that_is_refused_or_dropped_is_followed_by_one_without(how: str) -> None:
    session = Session(random=lambda: 0.5)
    session.connecting()
    assert session.attempt(URL, "t")
    if how == "401":
        session.failed(3.0, "token refused", refused=True, status=401)
    else:
        session.opened(3.0, "t")
        session.lost(3.0, 1006, "")
    assert session.retry_at == 3.0
    session.connecting()
    assert not session.attempt(URL, "t")
    session.opened(3.0, "t")
    assert session.version == 1


def test_where_v2_was_spoken_a_drop_is_a_drop(session: Session) -> None:
    session.lost(100.0, 1006, "")
    attempt(session, 101.0)
    session.lost(101.0, 1006, "")
    assert session.retry_at is not None
    assert session.retry_at > 101.0
    session.connecting()
    assert session.attempt(URL, "t")


def test_what_one_connection_learnt_others_know() -> None:
    memory = Memory()
    first = Session(random=lambda: 0.5, memory=memory)
    first.connecting()
    first.attempt(URL, "t")
    first.failed(0.0, "no", refused=True, status=401)
    first.connecting()
    first.attempt(URL, "t")
    first.opened(0.0, "t")
    second = Session(random=lambda: 0.5, memory=memory)
    second.connecting()
    assert not second.attempt(URL, "t")


def test_a_refused_token_ends_it_as_the_server_says() -> None:
    session = Session(random=lambda: 0.5)
    attempt(session)
    fault = {"error": "bad signature", "code": "unauthorized", "close": 4500, "reconnect": False}
    session.receive(frame({"type": "error", "id": 1, "data": fault}), 0.0, 0.0)
    session.lost(0.0, 1006, "")
    assert session.state is LinkState.CLOSED
    assert session.error == "token refused: bad signature"
