"""What the hub says: every part of it writes into one journal, through here.

The one rule: control goes to one session alone (`Voice.tell`) and is not held
back; data (`Voice.give`, and what is written to the tuples of an audience) may be.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from nbrealtime.hub.journal import Journal
from nbrealtime.hub.refusal import Refusal
from nbrealtime.wire import messages as v1
from nbrealtime.wire import replies

if TYPE_CHECKING:
    from nbrealtime.hub.session import Session

__all__ = ["Voice"]


class Voice:
    """A journal, and how a payload gets into it."""

    def __init__(self, frame: Callable[[bytes], bytes]) -> None:
        self.frame = frame
        self.journal = Journal(frame)

    def tell(self, session: Session, payload: bytes) -> None:
        """Says something to one session that its data does not hold back."""
        if session.batch:
            self.journal.write_batch(session.alone, payload)
        else:
            self.journal.write(session.alone, self.frame(payload))

    def give(self, session: Session, payload: bytes) -> None:
        """Hands one session a message of its own."""
        if session.batch:
            self.journal.write_batch(session.data, payload)
        else:
            self.journal.write(session.data, self.frame(payload))

    def share(self, sessions: tuple[Session, ...], payloads: list[bytes], *, batch: bool) -> None:
        """Hands everybody in ``sessions`` the same messages."""
        if not sessions:
            return
        if batch:
            self.journal.write_batch(sessions, *payloads)
        else:
            self.journal.write(sessions, *map(self.frame, payloads))

    def refuse(
        self,
        session: Session,
        refusal: Refusal,
        now: int,
        *,
        id: int | None = None,  # noqa: A002
        topic: str | None = None,
    ) -> None:
        """Answers with an ``error`` of the session's dialect."""
        if session.version == 1:
            error = v1.encode_error(
                refusal.reason,
                refusal.code,
                timestamp=now,
                topic=topic,
                retry=refusal.retry,
                retry_after=refusal.retry_after,
            )
        else:
            error = replies.encode_error(
                refusal.reason,
                refusal.code,
                timestamp=now,
                id=id,
                topic=topic,
                retry=refusal.retry,
                retry_after=refusal.retry_after,
            )
        self.tell(session, error)
