"""Frames of v2."""

from __future__ import annotations

from nbrealtime.client.session import Report, Session
from nbrealtime.client.status import LinkState


def test_what_is_no_message_in_an_array_costs_nothing(session: Session) -> None:
    assert isinstance(session.receive(b"[1,2", 0.0, 0.0)[0], Report)
    assert session.receive(b"[]", 0.0, 0.0) == []
    assert session.state is LinkState.CONNECTED
