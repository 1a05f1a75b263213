"""``history``: what a topic has kept, on request.

The one rule: an answer is bounded in bytes, too; whoever wants more asks again
from the last that he got.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Final

from nbrealtime.hub.grants import Action
from nbrealtime.hub.limits import Limits
from nbrealtime.hub.refusal import Refusal, check_name
from nbrealtime.hub.store import Commit, Page, Store, Stored, Unavailable
from nbrealtime.hub.topics import Topics
from nbrealtime.hub.voice import Voice
from nbrealtime.wire import replies
from nbrealtime.wire.messages import ErrorCode
from nbrealtime.wire.v2 import Request, Since

if TYPE_CHECKING:
    from nbrealtime.hub.session import Session

__all__ = ["MOST_MESSAGES", "Past"]

MOST_MESSAGES: Final = 1000
# Around each payload: topic, user, ids. Together an answer stays about as large as a message may be.
_ENVELOPE: Final = 400


class Past:
    """Answers ``history``."""

    def __init__(
        self, store: Store | None, topics: Topics, voice: Voice, limits: Limits, wake: Callable[[], None]
    ) -> None:
        self._store = store
        self._topics = topics
        self._voice = voice
        self._limits = limits
        self._wake = wake

    def ask(self, session: Session, request: Request, now: int) -> Refusal | None:
        """Answers now, or when the store has."""
        name = check_name(request.topic)
        if isinstance(name, Refusal):
            return name
        since = request.since
        position = since.position if isinstance(since, Since) else None
        if since is not None and position is None:
            return Refusal("the since of a history is a position", ErrorCode.BAD_REQUEST)
        if not session.grants.allows(Action.HISTORY, name, session.user.id):
            return Refusal("not allowed to read the history", ErrorCode.FORBIDDEN)
        known = self._topics.known(now).get(name)
        store = self._store
        if store is None or known is None:
            # A question brings no topic into being.
            if position is not None:
                return _unrecoverable()
            answer = replies.encode_history(name, id=request.id, epoch=None, offset=None, items=())
            self._voice.tell(session, answer)
            return None
        if position is not None and position.epoch != known.epoch:
            return _unrecoverable()
        limit = min(request.limit, MOST_MESSAGES)
        store.read(
            name,
            epoch=known.epoch,
            after=0 if position is None else position.offset,
            limit=limit,
            reverse=request.reverse,
            max_bytes=self._limits.message_bytes,
        ).then(lambda commit: self._answer(session, request, name, now, commit))
        return None

    def _answer(self, session: Session, request: Request, name: str, now: int, commit: Commit[Page]) -> None:
        if not session.open:
            return
        since = request.since
        try:
            page = commit.result()
        except Unavailable:
            refusal = Refusal("the history cannot be read now", ErrorCode.UNAVAILABLE, retry=True)
            self._voice.refuse(session, refusal, now, id=request.id, topic=name)
        else:
            if isinstance(since, Since) and (
                page.position.epoch != since.epoch or page.position.offset < (since.offset or 0)
            ):
                self._voice.refuse(session, _unrecoverable(), now, id=request.id, topic=name)
            else:
                self._voice.tell(session, self._encode(request, name, page))
        self._wake()

    def _encode(self, request: Request, name: str, page: Page) -> bytes:
        room = self._limits.message_bytes
        items: list[bytes] = []
        for stored in page.items:
            item = _item(stored)
            if room is not None:
                room -= len(item) + 1
                if room < _ENVELOPE and items:
                    break
            items.append(item)
        return replies.encode_history(
            name, id=request.id, epoch=page.position.epoch, offset=page.position.offset, items=items
        )


def _item(stored: Stored) -> bytes:
    body = replies.encode_body(
        stored.topic,
        stored.data,
        offset=stored.offset,
        timestamp=stored.timestamp,
        time=stored.time,
        message_id=stored.message_id,
        user_id=stored.user_id,
        user_name=stored.user_name,
    )
    return replies.finish_message(body)


def _unrecoverable() -> Refusal:
    return Refusal("that position is not in this topic's history", ErrorCode.UNRECOVERABLE)
