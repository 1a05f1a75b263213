"""The v1 dialect: what is said in it, and what was heard. Pure.

Decisions, beyond the protocol's v1:

- A greeting, a message on a topic that nobody wants any more, and a frame that
  is no message are no data and no reason to end.
- A server need not echo a publish to its publisher. Nothing here waits for the
  echo or makes one up: a message is what a server handed on.
- What this dialect cannot do (acknowledge, tell history) is refused to its
  caller, and not sent as something less.
"""

from __future__ import annotations

from collections import deque
from typing import TYPE_CHECKING, Any, Final

from nbrealtime.client.message import Message
from nbrealtime.client.session.acknowledged import Publish
from nbrealtime.client.session.events import Event, Presence, RefusedTopic, Subscribed
from nbrealtime.client.session.requests import HistoryQuestion
from nbrealtime.client.session.wanted import Wanted
from nbrealtime.errors import DecodeError, PublishUncertain, Refused
from nbrealtime.wire import messages as wire

if TYPE_CHECKING:
    from nbrealtime.client.session.core import Session

__all__ = ["V1"]

_REMEMBERED: Final = 1024
_NO_ACKS: Final = "the server speaks the v1 dialect, which acknowledges nothing: publish without ack"
_NO_HISTORY: Final = "the server speaks the v1 dialect, which has no history"


class V1:
    """One socket's conversation."""

    version: Final = 1
    batches: Final = False

    def __init__(self, session: Session) -> None:
        self._session = session
        self._subscriptions = session.subscriptions
        self._seen_ids: deque[str] = deque(maxlen=_REMEMBERED)

    # -- what is said ---------------------------------------------------------------------------------

    def subscribe(self, wanted: Wanted) -> bytes:
        """Returns the request."""
        return wire.encode_subscribe(wanted.name)

    def change(self, wanted: Wanted, *, rewind: bool) -> bytes | None:
        """Options mean nothing here."""
        return None

    def unsubscribe(self, name: str) -> bytes:
        """Returns the request."""
        return wire.encode_unsubscribe(name)

    def ping(self) -> bytes:
        """Returns the heartbeat."""
        return wire.encode_ping()

    def publish(self, publish: Publish, now: float) -> bytes | None:
        """Returns the frame; None for one that was refused instead."""
        if publish.receipt is not None:
            self._session.outbox.fail(publish, self._fault(publish))
            return None
        return wire.encode_publish(publish.topic, publish.data)

    @staticmethod
    def _fault(publish: Publish) -> Exception:
        if publish.first_written is not None:
            return PublishUncertain(
                publish.topic, publish.key, "another server has taken its place, of an older make"
            )
        return Refused(publish.topic, "unknown_type", _NO_ACKS)

    def ask(self, question: HistoryQuestion) -> bytes | None:
        """A question about history is refused."""
        question.answer.fail(Refused(question.topic, "unknown_type", _NO_HISTORY))
        return None

    def lose(self) -> list[HistoryQuestion]:
        """The socket is gone; no question waited for it."""
        return []

    # -- what is heard --------------------------------------------------------------------------------

    def read(self, frame: bytes, now: float, wall: float) -> list[Event]:
        """Reads a text frame."""
        try:
            said = wire.decode_server(frame)
        except DecodeError as fault:
            return self._session.reports.tell(f"the server sent something that is no message: {fault.reason}")
        event = self._hear(said, now, wall)
        return event if isinstance(event, list) else [] if event is None else [event]

    def _hear(self, said: wire.ServerMessage, now: float, wall: float) -> Event | list[Event] | None:
        kind, topic = said.type, said.topic
        session = self._session
        if kind == "message":
            if topic is None:
                return None  # the greeting
            routes = self._subscriptions.routes(topic)
            if not routes or (len(routes) > 1 and self._is_repeated(said.message_id)):
                return None
            timestamp = said.timestamp
            return Message(topic, said.data, wall if timestamp is None else timestamp / 1000, said.message_id)
        if kind == "pong":
            session.heartbeat.pong(now)
            return None
        if kind == "error":
            return self._read_error(topic, said.data, now)
        wanted = self._subscriptions.get(topic)
        if wanted is not None:
            if kind == "subscribed":
                wanted.count = presence_count(said.data)
                wanted.confirmed = True
                return Subscribed(wanted.name, wanted.count)
            if kind == "presence":
                count = presence_count(said.data)
                if wanted.count is not None:
                    wanted.count = count
                return Presence(wanted.name, count)
        return None

    def _read_error(self, topic: str | None, data: Any, now: float) -> Event | list[Event] | None:
        said = data if isinstance(data, dict) else {}
        session = self._session
        if session.ending.hear(said, now):
            return None
        reason = str(said.get("error") or "the server reported an error without a reason")
        wanted = self._subscriptions.get(topic)
        if wanted is not None and wanted.count is None:
            # The first answer about a topic that is not confirmed is the answer to `subscribe`.
            return RefusedTopic(wanted.name, str(said.get("code") or ""), reason)
        return session.reports.tell(f"{topic}: {reason}" if topic else reason)

    def _is_repeated(self, message_id: str | None) -> bool:
        """Whether a message that several subscriptions match came for another of them already.

        v1 does not say which subscription a message is for, so that the first copy goes to all.
        """
        if message_id is None:
            return False
        if message_id in self._seen_ids:
            return True
        self._seen_ids.append(message_id)
        return False


def presence_count(data: Any) -> int:
    """How many connections have a topic, as a server says it; 0 for what is no count."""
    count = data.get("presenceCount") if isinstance(data, dict) else None
    return count if isinstance(count, int) and count >= 0 else 0
