"""Tokens that expire."""

from __future__ import annotations

from nbrealtime.client.session import Session
from nbrealtime.client.status import LinkState

from .talk import URL, attempt, connect, frame, spoken, welcome


def test_a_token_is_renewed_well_before_it_expires() -> None:
    session = Session(random=lambda: 0.5)
    session.renewal.possible = True
    attempt(session)
    session.receive(welcome(expires=1_000_100_000), 50.0, 1_000_000.0)
    session.heartbeat.heard(125.0)
    session.tick(125.0)
    assert session.renewal.wanted
    session.renew("another", 125.0)
    said = spoken(session)[0]
    assert (said["type"], said["token"]) == ("auth", "another")
    session.receive(
        frame({"type": "authenticated", "id": said["id"], "expires": 1_000_300_000}), 126.0, 1_000_100.0
    )
    assert session.renewal.due == 126.0 + 150.0


def test_an_expired_token_is_not_presented_again() -> None:
    session = Session(random=lambda: 0.5)
    session.renewal.possible = True
    connect(session)
    fault = {"error": "expired", "code": "token_expired", "close": 4005, "reconnect": True}
    session.receive(frame({"type": "error", "data": fault}), 0.0, 0.0)
    session.lost(1.0, 4005, "")
    assert session.state is LinkState.RECONNECTING
    session.connecting()
    session.attempt(URL, "t")
    assert session.state is LinkState.CLOSED


def test_without_another_token_an_expired_one_ends_it(session: Session) -> None:
    fault = {"error": "expired", "code": "token_expired", "close": 4005, "reconnect": True}
    session.receive(frame({"type": "error", "data": fault}), 0.0, 0.0)
    session.lost(1.0, 4005, "")
    assert session.state is LinkState.CLOSED
