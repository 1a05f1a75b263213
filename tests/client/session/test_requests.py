"""Questions about history."""

from __future__ import annotations

from nbrealtime.client.session import Session
from nbrealtime.client.session.requests import HistoryQuestion
from nbrealtime.wire.v2 import Position

from .talk import Outcome, connect, frame, spoken


def test_a_question_that_was_not_answered_is_asked_again(session: Session) -> None:
    answer = Outcome()
    session.ask(HistoryQuestion("lab:a", answer, since=Position("e", 3), limit=10, reverse=False))
    assert spoken(session)[0]["since"] == {"epoch": "e", "offset": 3}
    session.lost(1.0, 1006, "")
    connect(session, 2.0)
    said = spoken(session)[0]
    item = {"type": "message", "topic": "lab:a", "data": 7, "offset": 4, "timestamp": 1000}
    session.receive(
        frame(
            {
                "type": "history",
                "id": said["id"],
                "topic": "lab:a",
                "epoch": "e",
                "offset": 4,
                "items": [item],
            }
        ),
        2.0,
        0.0,
    )
    assert [(one.data, one.offset, one.epoch) for one in answer.value.messages] == [(7, 4, "e")]
