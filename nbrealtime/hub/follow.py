"""How a v2 subscription begins and changes.

`permission` says whether it may, `beginnings` finds out where it begins, which
takes the time that the store takes; `presence` tells the others, `replays`
reads what was before, and `endings` ends it.

The one rule: the answer is the whole truth. Until it is said the subscription
gets nothing, and from it on everything.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from nbrealtime.hub.beginnings import Beginning, Beginnings
from nbrealtime.hub.endings import Endings
from nbrealtime.hub.limits import Limits
from nbrealtime.hub.permission import check_count, check_subscribe
from nbrealtime.hub.presence import Presence
from nbrealtime.hub.refusal import Refusal, check_subject
from nbrealtime.hub.replays import Replays
from nbrealtime.hub.store import Store, Stored
from nbrealtime.hub.subscription import Replay, Subscription
from nbrealtime.hub.topics import Topics
from nbrealtime.hub.voice import Voice
from nbrealtime.wire import replies
from nbrealtime.wire.messages import ErrorCode
from nbrealtime.wire.replies import TopicPosition, encode_body
from nbrealtime.wire.topics import Pattern, is_pattern
from nbrealtime.wire.v2 import Request

if TYPE_CHECKING:
    from nbrealtime.hub.session import Session

__all__ = ["Follow"]


class Follow:
    """The subscriptions of v2, until they end."""

    def __init__(
        self,
        store: Store | None,
        topics: Topics,
        voice: Voice,
        presence: Presence,
        endings: Endings,
        replays: Replays,
        limits: Limits,
    ) -> None:
        self._beginnings = Beginnings(store, self._found)
        self._topics = topics
        self._presence = presence
        self._endings = endings
        self._voice = voice
        self._replays = replays
        self._limits = limits

    # -- beginning

    def subscribe(self, session: Session, request: Request, now: int) -> Refusal | None:
        """Begins a subscription, or changes the one that there is."""
        name = check_subject(request.topic)
        if isinstance(name, Refusal):
            return name
        pattern = Pattern(name) if is_pattern(name) else None
        refusal = check_subscribe(session, request, name, pattern)
        if refusal is not None:
            return refusal
        old = session.subscriptions.get(name)
        if old is not None and request.since is None:
            if old.pending:
                # Where its stream stands is not known yet: one answer after the other.
                old.changes.append(request)
            else:
                self._change(old, request, now)
            return None
        refusal = None if old is not None else check_count(session, self._limits.topics)
        if refusal is not None:
            return refusal
        names = [name] if pattern is None else self._topics.matching(pattern, now)
        refusal = self._check_room(names, pattern, now)
        if refusal is not None:
            return refusal
        subscription = Subscription(
            session,
            name,
            pattern=pattern,
            policy=request.policy,
            max_rate=request.max_rate,
            presence=request.presence and pattern is None,
            limit=self._limits.outbox_bytes,
        )
        subscription.pending = True
        # The new one first: a topic must not be forgotten and begun anew in between.
        session.subscriptions[name] = subscription
        if pattern is None:
            topic = self._topics.begin(name, now)
            is_new = topic.add(session, subscription)
            subscription.topics[name] = topic
        else:
            self._topics.add_pattern(subscription, names, now)
            is_new = False
        if old is not None:
            session.waiting.pop(old, None)
            old.replays.clear()
            if pattern is not None:
                self._topics.remove_pattern(old)
        if is_new:
            # Before the snapshot, which then has the version that the next change follows.
            self._presence.announce(topic, now)
        self._beginnings.find(subscription, request, now)
        return None

    def _check_room(self, names: list[str], pattern: Pattern | None, now: int) -> Refusal | None:
        if pattern is None:
            return self._topics.check_room(names[0], now)
        if self._limits.pattern_topics is not None and len(names) > self._limits.pattern_topics:
            return Refusal(
                f"{len(names):,} topics match, and {self._limits.pattern_topics:,} are allowed: narrow the pattern",
                ErrorCode.LIMIT_EXCEEDED,
            )
        return None

    # -- answering

    def _found(self, beginning: Beginning) -> None:
        """It is known where a subscription begins: ``subscribed`` is said, and the stream begins."""
        subscription, request = beginning.subscription, beginning.request
        session = subscription.session
        if not session.open:
            return
        if session.subscriptions.get(subscription.name) is not subscription:
            refusal = Refusal("the subscription ended before it began", ErrorCode.NOT_SUBSCRIBED)
        elif beginning.failed:
            self._endings.detach(subscription, beginning.now)
            refusal = Refusal("the history cannot be read now", ErrorCode.UNAVAILABLE, retry=True)
        else:
            self._begin(beginning)
            return
        for asked in (request, *subscription.changes):
            self._voice.refuse(session, refusal, beginning.now, id=asked.id, topic=subscription.name)
        self._replays.wake()

    def _begin(self, beginning: Beginning) -> None:
        subscription, request, now = beginning.subscription, beginning.request, beginning.now
        session = subscription.session
        for start in beginning.starts.values():
            topic = start.topic
            subscription.replays.pop(topic.name, None)
            if topic.epoch is not None and start.cursor < topic.offset:
                target = start.cursor + (start.replayed or 0)
                subscription.replays[topic.name] = Replay(topic, topic.epoch, start.cursor, target)
        if subscription.pattern is None:
            [start] = beginning.starts.values()
            topic = start.topic
            self._voice.tell(
                session,
                replies.encode_subscribed(
                    subscription.name,
                    id=request.id,
                    timestamp=now,
                    epoch=topic.epoch,
                    offset=start.cursor,
                    recovered=start.recovered,
                    replayed=start.replayed,
                    count=topic.count,
                ),
            )
            self._presence.show(subscription, now)
        else:
            positions = {
                name: TopicPosition(start.topic.epoch, start.cursor, start.recovered, start.replayed)
                for name, start in beginning.starts.items()
                if start.topic.epoch is not None
            }
            self._voice.tell(
                session,
                replies.encode_subscribed(subscription.name, id=request.id, timestamp=now, topics=positions),
            )
        for stored in beginning.retained:
            self._voice.give(session, _retained(stored, subscription.name))
        subscription.pending = False
        self._replays.start(subscription)
        for change in subscription.changes:
            self._change(subscription, change, now)
        subscription.changes.clear()
        self._replays.wake()

    def _change(self, subscription: Subscription, request: Request, now: int) -> None:
        """Takes the options of a request; the stream goes on."""
        session = subscription.session
        queue = subscription.queue
        positions = {
            topic.name: TopicPosition(topic.epoch, subscription.position(topic))
            for topic in subscription.topics.values()
            if topic.epoch is not None
        }
        if subscription.pattern is None:
            [topic] = subscription.topics.values()
            position = positions.get(topic.name)
            answer = replies.encode_subscribed(
                subscription.name,
                id=request.id,
                timestamp=now,
                epoch=topic.epoch,
                offset=None if position is None else position.offset,
                count=topic.count,
            )
        else:
            answer = replies.encode_subscribed(
                subscription.name, id=request.id, timestamp=now, topics=positions
            )
        subscription.change(
            policy=request.policy,
            max_rate=request.max_rate,
            presence=request.presence and subscription.pattern is None,
            limit=self._limits.outbox_bytes,
        )
        self._voice.tell(session, answer)
        while queue:
            # What waited under the old options is said under the old ones.
            for payload in queue.take():
                self._voice.give(session, payload)
        self._presence.show(subscription, now)
        for topic in subscription.topics.values():
            topic.change()
        self._replays.start(subscription)


def _retained(stored: Stored, subscription: str) -> bytes:
    body = encode_body(
        stored.topic,
        stored.data,
        offset=stored.offset,
        timestamp=stored.timestamp,
        time=stored.time,
        message_id=stored.message_id,
        user_id=stored.user_id,
        user_name=stored.user_name,
    )
    epoch = stored.epoch if subscription != stored.topic else None
    return replies.finish_message(body, subscription=subscription, epoch=epoch, retained=True)
