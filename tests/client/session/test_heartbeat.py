"""Pings in v2, which the server wants as often as it says."""

from __future__ import annotations

from nbrealtime.client.session import Session

from .talk import frame, spoken


def test_a_ping_is_answered(session: Session) -> None:
    session.receive(frame({"type": "ping"}), 0.0, 0.0)
    assert [said["type"] for said in spoken(session)] == ["pong"]


def test_the_servers_interval_decides_when_it_is_silent(session: Session) -> None:
    session.tick(0.0)
    session.tick(20.0)
    assert session.deadline == 30.0
    assert session.tick(30.0) is not None
