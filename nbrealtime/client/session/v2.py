"""The v2 dialect: what is said in it, and what was heard. Pure.

Every request that is answered has an ``id``, and an answer finds its request by
that alone. Decisions, beyond the protocol:

- A publish without ``ack`` has no id and no key: it is written once. What
  becomes of it is reported only if the server complains.
- A message below its subscription's position is not handed on: no server may
  send one, and to the user twice is worse than a fault that shows nowhere.
- Presence is asked for; a token that does not grant it costs one more request.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, Final

from nbrealtime.client.message import Message
from nbrealtime.client.receipt import Acknowledgement, HistoryPage
from nbrealtime.client.session.acknowledged import Publish
from nbrealtime.client.session.events import Event, Gap, Presence, RefusedTopic, Subscribed
from nbrealtime.client.session.requests import HistoryQuestion
from nbrealtime.client.session.v1 import presence_count
from nbrealtime.client.session.wanted import Wanted
from nbrealtime.errors import DecodeError, MessageTooLarge, PublishUncertain, Refused
from nbrealtime.wire import v2 as wire
from nbrealtime.wire.replies import Reply, decode_replies

if TYPE_CHECKING:
    from nbrealtime.client.session.core import Session

__all__ = ["CAPABILITIES", "FLUSH_MS", "V2", "encode_hello"]

CAPABILITIES: Final = ("ack", "recover", "batch", "presence", "lost")
FLUSH_MS: Final = 16
"""How often the server may wake this process: once a drawn frame."""

_FORBIDDEN: Final = "forbidden"
_GRANT_GONE: Final = 2003


def encode_hello(client: str, token: str | None) -> bytes:
    """Returns the first message."""
    return wire.encode_hello(id=1, client=client, token=token, capabilities=CAPABILITIES, flush_ms=FLUSH_MS)


class V2:
    """One socket's conversation, from its ``welcome`` on."""

    version: Final = 2

    def __init__(self, session: Session, welcome: Reply) -> None:
        self._session = session
        self._subscriptions = session.subscriptions
        self._next_id = 1
        self._asked: dict[int, Wanted] = {}
        self._questions: dict[int, HistoryQuestion] = {}
        self._renewal: int | None = None
        self.capabilities: Sequence[str] = welcome.capabilities
        self.batches = "batch" in welcome.capabilities
        limit = welcome.limits.get("messageBytes")
        self.message_bytes: int | None = None if limit is None else int(limit)

    def _id(self) -> int:
        self._next_id += 1
        return self._next_id

    # -- what is said ---------------------------------------------------------------------------------

    def subscribe(self, wanted: Wanted) -> bytes:
        """Returns the request, which goes on from the position if there is one."""
        return self._subscribe(wanted, wanted.where())

    def change(self, wanted: Wanted, *, rewind: bool) -> bytes | None:
        """Returns the request for other options; with ``rewind`` the stream begins where the user wants it."""
        return self._subscribe(wanted, wanted.since if rewind else None)

    def _subscribe(self, wanted: Wanted, since: Any) -> bytes:
        number = self._id()
        wanted.asked[number] = isinstance(since, dict | wire.Position)
        self._asked[number] = wanted
        return wire.encode_subscribe(
            wanted.name,
            id=number,
            since=since,
            presence=wanted.presence and "presence" in self.capabilities,
            policy=wanted.options.policy,
            max_rate=wanted.options.max_rate,
        )

    def unsubscribe(self, name: str) -> bytes:
        """Returns the request."""
        return wire.encode_unsubscribe(name, id=self._id())

    def ping(self) -> bytes:
        """Returns the heartbeat."""
        return wire.encode_ping()

    def publish(self, publish: Publish, now: float) -> bytes | None:
        """Returns the frame; None for one that may not be sent, whose receipt says why."""
        outbox = self._session.outbox
        number = None
        if publish.receipt is not None:
            doubt = outbox.acknowledged.doubt(publish, now, connected=True)
            if doubt is not None:
                outbox.fail(publish, PublishUncertain(publish.topic, publish.key, doubt))
                return None
            number = self._id()
        frame = wire.encode_publish(
            publish.topic,
            publish.data,
            id=number,
            time=publish.time,
            key=publish.key,
            ack=number is not None,
            retain=publish.retain,
            echo=publish.echo,
        )
        if self.message_bytes is not None and len(frame) > self.message_bytes:
            # Queued before the limit was known. Sent, it would cost the connection.
            fault = MessageTooLarge(len(frame), self.message_bytes)
            if number is None:
                self._session.reports.keep(f"{publish.topic}: {fault}")
            else:
                outbox.fail(publish, fault)
            return None
        if number is not None:
            outbox.acknowledged.written(publish, number, now)
        return frame

    def ask(self, question: HistoryQuestion) -> bytes | None:
        """Returns the request."""
        number = self._id()
        self._questions[number] = question
        return wire.encode_history(
            question.topic, id=number, since=question.since, limit=question.limit, reverse=question.reverse
        )

    def renew(self, token: str) -> bytes:
        """Returns the request to go on with another token."""
        self._renewal = self._id()
        return wire.encode_auth(token, id=self._renewal)

    def lose(self) -> list[HistoryQuestion]:
        """The socket is gone; returns the questions that were not answered."""
        return list(self._questions.values())

    # -- what is heard --------------------------------------------------------------------------------

    def read(self, frame: bytes, now: float, wall: float) -> list[Event]:
        """Reads a text frame: one message, or an array of them."""
        try:
            replies = decode_replies(frame)
        except DecodeError as fault:
            return self._session.reports.tell(f"the server sent something that is no message: {fault.reason}")
        events: list[Event] = []
        name: str | None = None
        wanted: Wanted | None = None
        for reply in replies:
            if reply.type != "message":
                events += self._hear(reply, now, wall)
                name = None  # what is subscribed under it may be another by now
                continue
            topic = reply.topic
            if topic is None:
                continue
            # Mostly they are all for the same.
            if name != (reply.subscription or topic):
                name = reply.subscription or topic
                wanted = self._subscriptions.get(name)
            # Before it is confirmed, what comes is an earlier subscription's that was ended meanwhile.
            if wanted is None or wanted.count is None:
                continue
            offset, epoch = reply.offset, reply.epoch
            if offset is not None and not reply.retained:
                epoch = wanted.positions.advance(topic, epoch, offset)
                if epoch is None:
                    continue
            events.append(_message(reply, wall, epoch or None, wanted.name))
        return events

    def _hear(self, reply: Reply, now: float, wall: float) -> list[Event]:
        session = self._session
        match reply.type:
            case "ack":
                self._acknowledge(reply)
            case "subscribed":
                return self._subscribed(reply)
            case "presence":
                return self._presence(reply)
            case "lost":
                return self._lost(reply)
            case "unsubscribed":
                return self._unsubscribed(reply)
            case "history":
                self._history(reply, wall)
            case "ping":
                session.outbox.add_control(wire.encode_pong(), urgent=True)
            case "pong":
                session.heartbeat.pong(now)
            case "authenticated":
                self._renewal = None
                session.renewal.begin(reply.expires, now, wall)
            case "drain":
                session.ending.drain(reply.delay or (0.0, 0.0), now)
            case "error":
                return self._error(reply, now)
        return []

    def _subscribed(self, reply: Reply) -> list[Event]:
        wanted = self._asked.pop(reply.id or 0, None)
        if wanted is None or reply.id not in wanted.asked:
            return []
        from_position = wanted.asked.pop(reply.id)
        if self._subscriptions.get(wanted.name) is not wanted:
            return []
        wanted.confirmed = True
        wanted.count = presence_count(reply.data)
        gaps: list[Gap] = []
        if wanted.pattern is not None:
            recovered, replayed, gaps = self._place_topics(wanted, reply, from_position)
            missed = None
        else:
            recovered, replayed, missed = self._place(wanted, reply)
        if from_position and recovered is None and wanted.pattern is None:
            recovered = False  # the topic had a history, and has none now
        events: list[Event] = [Subscribed(wanted.name, wanted.count, recovered, replayed)]
        if recovered is False:
            events += gaps or [Gap(wanted.name, "unrecoverable", missed)]
        return events

    def _place(self, wanted: Wanted, reply: Reply) -> tuple[bool | None, int, int | None]:
        before = wanted.positions.get(wanted.name)
        missed = None
        if reply.epoch is not None and reply.offset is not None:
            if reply.recovered is False and before is not None and before.epoch == reply.epoch:
                missed = reply.offset - before.offset if reply.offset > before.offset else None
            wanted.positions.place(wanted.name, reply.epoch, reply.offset)
        else:
            wanted.positions.forget(wanted.name)
        return reply.recovered, reply.replayed or 0, missed

    def _place_topics(
        self, wanted: Wanted, reply: Reply, from_position: bool
    ) -> tuple[bool | None, int, list[Gap]]:
        recovered, replayed = reply.recovered, reply.replayed or 0
        gaps: list[Gap] = []
        topics = reply.topics or {}
        if from_position:
            for topic in wanted.positions.all():
                if topic not in topics:
                    # It had a history, and has none now: it went with its server, and what we missed of it.
                    wanted.positions.forget(topic)
                    recovered = False
                    gaps.append(Gap(wanted.name, "unrecoverable", None, topic))
        for topic, place in topics.items():
            before = wanted.positions.get(topic)
            if place.recovered is not None:
                recovered = place.recovered if recovered is None else recovered and place.recovered
                if place.recovered is False:
                    is_same = before is not None and before.epoch == place.epoch
                    missed = place.offset - before.offset if is_same and before is not None else 0
                    gaps.append(Gap(wanted.name, "unrecoverable", missed if missed > 0 else None, topic))
            if reply.replayed is None:
                replayed += place.replayed or 0
            wanted.positions.place(topic, place.epoch, place.offset)
        return recovered, replayed, gaps

    def _presence(self, reply: Reply) -> list[Event]:
        wanted = self._subscriptions.get(reply.topic)
        if wanted is None or wanted.count is None:
            return []
        wanted.count = presence_count(reply.data)
        return [Presence(wanted.name, wanted.count)]

    def _lost(self, reply: Reply) -> list[Event]:
        wanted = self._subscriptions.get(reply.subscription or reply.topic)
        if wanted is None or reply.topic is None or wanted.count is None:
            return []
        missed = reply.count
        if reply.from_ is not None and reply.to is not None:
            missed = reply.to - reply.from_ + 1
            # It stands for its messages in the stream, and is handed on as they would have been.
            wanted.positions.advance(reply.topic, reply.epoch, reply.to)
        of = None if wanted.pattern is None else reply.topic
        return [Gap(wanted.name, reply.reason or "lost", missed, of)]

    def _unsubscribed(self, reply: Reply) -> list[Event]:
        wanted = self._subscriptions.get(reply.topic)
        # What we asked for has our id; what follows it may be a new subscription already.
        if wanted is None or reply.id is not None:
            return []
        wanted.count = None
        if reply.resubscribe:
            self._session.outbox.add_control(self.subscribe(wanted))
            return []
        code = _FORBIDDEN if reply.code == _GRANT_GONE else "not_subscribed"
        return [RefusedTopic(wanted.name, code, reply.reason or "the server ended the subscription")]

    def _acknowledge(self, reply: Reply) -> None:
        outbox = self._session.outbox
        publish = outbox.acknowledged.answered(reply.id)
        if publish is not None and publish.receipt is not None:
            outbox.settled(publish)
            publish.receipt.settle(
                Acknowledgement(reply.epoch, reply.offset, reply.message_id, reply.duplicate)
            )

    def _history(self, reply: Reply, wall: float) -> None:
        question = self._questions.pop(reply.id or 0, None)
        if question is not None:
            messages = tuple(
                _message(item, wall, item.epoch or reply.epoch, None, question.topic) for item in reply.items
            )
            question.answer.settle(HistoryPage(reply.epoch, reply.offset, messages))

    # -- refusals -------------------------------------------------------------------------------------

    def _error(self, reply: Reply, now: float) -> list[Event]:
        said = reply.data if isinstance(reply.data, dict) else {}
        session = self._session
        if session.ending.hear(said, now):
            return []
        reason = str(said.get("error") or "the server reported an error without a reason")
        code = str(said.get("code") or "")
        number, topic = reply.id, reply.topic
        publish = session.outbox.acknowledged.answered(number)
        if publish is not None:
            if said.get("retry") is True:
                after = said.get("retryAfter")
                seconds = float(after) if isinstance(after, int | float) else None
                session.outbox.put_off(publish, seconds, now)
                return []
            session.outbox.fail(publish, Refused(publish.topic, code, reason))
            return session.reports.tell(f"{publish.topic}: {reason}")
        if number is not None and number in self._questions:
            question = self._questions.pop(number)
            question.answer.fail(Refused(question.topic, code, reason))
            return []
        if number is not None and number in self._asked:
            return self._refuse(number, code, reason)
        if number is not None and number == self._renewal:
            self._renewal = None
            session.renewal.fail(now)
            return session.reports.tell(f"the new token was not accepted: {reason}")
        return session.reports.tell(f"{topic}: {reason}" if topic else reason)

    def _refuse(self, number: int, code: str, reason: str) -> list[Event]:
        wanted = self._asked.pop(number)
        wanted.asked.pop(number, None)
        session = self._session
        if self._subscriptions.get(wanted.name) is not wanted:
            return []
        if code == _FORBIDDEN and wanted.presence:
            wanted.presence = False
            session.outbox.add_control(self.subscribe(wanted))
            return []
        if wanted.count is not None:
            # Other options were refused, and the subscription stays as it was.
            return session.reports.tell(f"{wanted.name}: {reason}")
        return [RefusedTopic(wanted.name, code, reason)]


def _message(
    reply: Reply, wall: float, epoch: str | None, subscription: str | None, topic: str = ""
) -> Message:
    timestamp, time = reply.timestamp, reply.time
    return Message(
        reply.topic or topic,
        reply.data,
        wall if timestamp is None else timestamp / 1000,
        reply.message_id,
        reply.offset,
        epoch,
        reply.user,
        None if time is None else time / 1000,
        reply.retained,
        subscription,
        reply.skipped,
    )
