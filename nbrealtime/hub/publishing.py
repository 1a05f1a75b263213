"""What is taken to be published, and what is refused here and now.

`Publishing` checks a publish of either dialect, or of somebody without a
session, and hands it to `nbrealtime.hub.commits`.

The one rule: a stream pays for its checks once. What depends on the topic alone
is remembered by the session; what is asked every time is a set's membership, a
size, and the session's gate.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Final

from msgspec import UNSET, Raw

from nbrealtime.hub.carrying import Carrying
from nbrealtime.hub.commits import Commits, Publish
from nbrealtime.hub.grants import Action, Grants
from nbrealtime.hub.limits import Limits
from nbrealtime.hub.refusal import Refusal, check_name
from nbrealtime.hub.store import Committed, Entry
from nbrealtime.hub.topics import Topics
from nbrealtime.wire import messages as v1
from nbrealtime.wire import replies
from nbrealtime.wire.messages import ErrorCode
from nbrealtime.wire.v2 import Request

if TYPE_CHECKING:
    from nbrealtime.hub.session import Session, User

__all__ = ["Publishing"]

_REMEMBERED_TOPICS: Final = 1024
# What a message may have around its payload as it goes out.
_ENVELOPE: Final = 4096


class Publishing:
    """Takes publishes. ``name`` begins every ``messageId``."""

    def __init__(self, name: str, topics: Topics, commits: Commits, limits: Limits) -> None:
        self._name = name
        self._topics = topics
        self._commits = commits
        self._limits = limits
        self._published = 0
        self._noted: tuple[str, int] | None = None
        self.carrying = Carrying()

    def take(
        self,
        user: User,
        grants: Grants,
        topic: object,
        data: bytes | Raw,
        now: int,
        *,
        key: str | None = None,
        retain: bool = False,
        time: int | None = None,
        done: Callable[[Committed | Refusal], None] | None = None,
    ) -> Refusal | None:
        """Takes a publish of ``user``, who has no session; ``done`` hears what became of it."""
        name = check_name(topic)
        if isinstance(name, Refusal):
            return name
        if not grants.allows(Action.PUBLISH, name, user.id):
            return Refusal("not allowed to publish", ErrorCode.FORBIDDEN)
        return self._add(name, data, now, user=user, key=key, retain=retain, time=time, done=done)

    def take_v1(self, session: Session, topic: object, data: object, now: int) -> Refusal | None:
        """Takes a publish of the first dialect."""
        if not isinstance(data, Raw):
            return _without_data(topic)
        if not isinstance(topic, str) or topic not in session.publishable:
            topic = self._admit(session, topic, now)
            if isinstance(topic, Refusal):
                return topic
        if session.gate is not None and (wait := session.gate(now)):
            return _too_fast(wait)
        return self._add(topic, data, now, user=session.user, session=session)

    def take_v2(self, session: Session, request: Request, now: int) -> Refusal | None:
        """Takes a publish of the second dialect; what was refused before it has to come again first."""
        name, data = request.topic, request.data
        if data is UNSET:
            return _without_data(name)
        if name is None or name not in session.publishable:
            admitted = self._admit(session, name, now)
            if isinstance(admitted, Refusal):
                return admitted
            name = admitted
        if session.refused and self._commits.overtakes(session, name, request.key, request.id):
            reason = "an earlier publish to this topic was refused and must come again first"
            return Refusal(reason, ErrorCode.UNAVAILABLE, retry=True)
        if session.gate is not None and (wait := session.gate(now)):
            self._commits.remember(session, name, request.key, request.id)
            return _too_fast(wait)
        return self._add(
            name,
            data,
            now,
            user=session.user,
            session=session,
            id=request.id,
            key=request.key,
            retain=request.retain,
            time=request.time,
            ack=request.ack,
            echo=request.echo,
        )

    def _admit(self, session: Session, topic: object, now: int) -> str | Refusal:
        """Returns the name if the session may publish there; remembered, so that a stream pays once."""
        publishable = session.publishable
        name = check_name(topic)
        if isinstance(name, Refusal):
            return name
        if not session.grants.allows(Action.PUBLISH, name, session.user.id):
            return Refusal("not allowed to publish", ErrorCode.FORBIDDEN)
        refusal = self._topics.check_room(name, now)
        if refusal is not None:
            return refusal
        if len(publishable) >= _REMEMBERED_TOPICS:
            publishable.clear()
        publishable.add(name)
        return name

    def _add(
        self,
        name: str,
        data: bytes | Raw,
        now: int,
        *,
        user: User,
        session: Session | None = None,
        id: int | None = None,  # noqa: A002
        key: str | None = None,
        retain: bool = False,
        time: int | None = None,
        ack: bool = False,
        echo: bool = True,
        done: Callable[[Committed | Refusal], None] | None = None,
    ) -> Refusal | None:
        self._published += 1
        payload = bytes(data)
        entry = Entry(
            name, payload, now, time, user.id, user.name, key, retain, f"{self._name}-{self._published}"
        )
        size = len(payload)
        limit = self._limits.message_bytes
        if limit is not None and size + _ENVELOPE > limit:
            # Measured as it goes out: a little more than came in. A subscriber whose own limit is
            # the same would end its connection over it, and that would be our doing.
            whole = _size(entry)
            if whole > limit:
                reason = f"the message would have {whole:,} bytes, and {limit:,} are allowed"
                return Refusal(reason, ErrorCode.TOO_LARGE)
        if (name, now) != self._noted:
            # What comes in one frame is of one moment, and mostly of one topic.
            self._noted = name, now
            self.carrying.note(name, now)
        self._commits.add(Publish(entry, session, id=id, ack=ack, echo=echo, done=done), size)
        return None


def _too_fast(wait: float) -> Refusal:
    return Refusal(
        "more messages than the server takes from one connection: wait, and send it again",
        ErrorCode.RATE_LIMITED,
        retry=True,
        retry_after=round(wait, 3),
    )


def _without_data(topic: object) -> Refusal:
    if topic is UNSET or topic is None or topic == "":
        return Refusal("Topic is required", ErrorCode.BAD_REQUEST)
    return Refusal("Data is required", ErrorCode.BAD_REQUEST)


def _size(entry: Entry) -> int:
    """The most that a message has as it goes out to those who follow the topic by its name."""
    first = v1.encode_message(entry.topic, entry.data, entry.timestamp, entry.message_id)
    body = replies.encode_body(
        entry.topic,
        entry.data,
        offset=2**53,
        timestamp=entry.timestamp,
        time=entry.time,
        message_id=entry.message_id,
        user_id=entry.user_id,
        user_name=entry.user_name,
    )
    return max(len(first), len(replies.finish_message(body, subscription=entry.topic)))
