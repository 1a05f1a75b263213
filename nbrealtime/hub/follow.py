"""How a v2 subscription begins, changes and ends.

Where it is to begin is asked from the store, which may take its time; nothing
else of the hub waits for it. `nbrealtime.hub.replays` then does the reading.

The one rule: the answer is the whole truth. ``recovered`` is said only after
the store has shown that everything after the position is still there; until the
answer is said the subscription gets nothing, and from it on everything.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from nbrealtime.hub.grants import Action
from nbrealtime.hub.limits import Limits
from nbrealtime.hub.refusal import Refusal, check_subject
from nbrealtime.hub.replays import NEW_EPOCH, OVERTAKEN, Replays
from nbrealtime.hub.store import Commit, Page, Store, Stored, Unavailable
from nbrealtime.hub.subscription import Replay, Subscription
from nbrealtime.hub.topics import Topics
from nbrealtime.hub.voice import Voice
from nbrealtime.wire import messages as v1
from nbrealtime.wire import replies
from nbrealtime.wire.messages import ErrorCode
from nbrealtime.wire.replies import TopicPosition, encode_body
from nbrealtime.wire.topics import Pattern, is_pattern
from nbrealtime.wire.v2 import Request, Since

if TYPE_CHECKING:
    from nbrealtime.hub.session import Session
    from nbrealtime.hub.topic import Topic

__all__ = ["RECENT_MS", "Follow"]

# What a token without the grant of history may still recover.
RECENT_MS: Final = 5 * 60 * 1000

ASKED, NOT_GRANTED = 2000, 2003
_CROWDED: Final = 2002


class _Start:
    """Where a subscription begins in one topic."""

    __slots__ = ("cursor", "recovered", "replayed", "topic")

    def __init__(self, topic: Topic, cursor: int, recovered: bool | None = None) -> None:
        self.topic = topic
        self.cursor = cursor
        self.recovered = recovered
        self.replayed = None if recovered is None else topic.offset - cursor


class _Plan:
    """A subscription whose beginning the store is being asked about."""

    __slots__ = ("asked", "failed", "now", "request", "retained", "starts", "subscription")

    def __init__(self, subscription: Subscription, request: Request, now: int) -> None:
        self.subscription = subscription
        self.request = request
        self.now = now
        # The store may answer before the next question is asked; the plan itself is the first one.
        self.asked = 1
        self.failed = False
        self.starts: dict[str, _Start] = {}
        self.retained: list[Stored] = []


class Follow:
    """The subscriptions of v2, and the presence of both dialects."""

    def __init__(
        self, store: Store | None, topics: Topics, voice: Voice, replays: Replays, limits: Limits
    ) -> None:
        self._store = store
        self._topics = topics
        self._voice = voice
        self._replays = replays
        self._limits = limits
        self.now = 0

    # -- beginning

    def subscribe(self, session: Session, request: Request, now: int) -> Refusal | None:
        """Begins a subscription, or changes the one that there is."""
        name = check_subject(request.topic)
        if isinstance(name, Refusal):
            return name
        pattern = Pattern(name) if is_pattern(name) else None
        refusal = self._check(session, request, name, pattern)
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
        limit = self._limits.topics
        if old is None and limit is not None and len(session.subscriptions) >= limit:
            return Refusal(
                f"a connection may follow {limit} topics: unsubscribe from one first",
                ErrorCode.LIMIT_EXCEEDED,
            )
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
            self.announce(topic, now)
        plan = _Plan(subscription, request, now)
        for topic in list(subscription.topics.values()):
            self._ask(plan, topic)
        self._answered(plan)
        return None

    def _check(
        self, session: Session, request: Request, name: str, pattern: Pattern | None
    ) -> Refusal | None:
        since = request.since
        if isinstance(since, Since):
            if pattern is None and since.topics is not None:
                return Refusal('"topics" in since is for patterns', ErrorCode.BAD_REQUEST)
            if pattern is not None and since.position is not None:
                return Refusal(
                    'a pattern has a position for each topic: since {"topics": {…}}', ErrorCode.BAD_REQUEST
                )
        if not self.granted(session, Action.SUBSCRIBE, name, pattern):
            return Refusal("not allowed to subscribe", ErrorCode.FORBIDDEN)
        if request.presence and not self.granted(session, Action.PRESENCE, name, pattern):
            return Refusal("not allowed to see who is present", ErrorCode.FORBIDDEN)
        wants_newest = isinstance(since, Since) and since.count is not None
        if wants_newest and not self.granted(session, Action.HISTORY, name, pattern):
            return Refusal("not allowed to read the history", ErrorCode.FORBIDDEN)
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

    @staticmethod
    def granted(session: Session, action: Action, name: str, pattern: Pattern | None) -> bool:
        """Whether a session may do ``action`` on a name, or on all that a pattern can match."""
        if pattern is None:
            return session.grants.allows(action, name, session.user.id)
        return session.grants.allows_pattern(action, pattern, session.user.id)

    # -- asking the store

    def _ask(self, plan: _Plan, topic: Topic) -> None:
        """Finds out where a plan's subscription begins in one topic."""
        since, store, epoch = plan.request.since, self._store, topic.epoch
        plan.starts[topic.name] = _Start(topic, topic.offset)
        if since is None or store is None:
            if isinstance(since, Since):
                plan.starts[topic.name] = _Start(topic, topic.offset, recovered=False)
            return
        if since == "last":
            plan.asked += 1
            store.retained(topic.name).then(lambda commit: self._recall(plan, commit))
            return
        count = since.count
        if count is not None:
            wanted = max(0, topic.offset - count)
        elif since.topics is not None:
            position = since.topics.get(topic.name)
            wanted = 0 if position is None else position.offset
            epoch = topic.epoch if position is None else position.epoch
        else:
            wanted, epoch = since.offset or 0, since.epoch
        if topic.epoch is None or epoch != topic.epoch or wanted > topic.offset:
            plan.starts[topic.name] = _Start(topic, topic.offset, recovered=False)
        elif wanted == topic.offset:
            plan.starts[topic.name] = _Start(topic, wanted, recovered=True)
        else:
            plan.asked += 1
            newest = topic.offset
            store.read(topic.name, epoch=epoch, after=wanted, limit=1).then(
                lambda commit: self._probe(plan, topic, wanted, newest, commit)
            )

    def _recall(self, plan: _Plan, commit: Commit[Stored | None]) -> None:
        try:
            stored = commit.result()
        except Unavailable:
            plan.failed = True
        else:
            if stored is not None:
                plan.retained.append(stored)
        self._answered(plan)

    def _probe(self, plan: _Plan, topic: Topic, wanted: int, newest: int, commit: Commit[Page]) -> None:
        """The store has shown what there is after the position: everything, or not."""
        try:
            page = commit.result()
        except Unavailable:
            plan.failed = True
            self._answered(plan)
            return
        since, session = plan.request.since, plan.subscription.session
        if isinstance(since, Since) and since.count is not None:
            start = _Start(topic, min(max(wanted, page.first - 1), newest), recovered=True)
        else:
            is_whole = page.position.epoch == topic.epoch and page.first <= wanted + 1 and bool(page.items)
            if is_whole and page.items[0].timestamp < plan.now - RECENT_MS:
                is_whole = self.granted(session, Action.HISTORY, topic.name, None)
            start = _Start(topic, wanted if is_whole else newest, recovered=is_whole)
        start.replayed = newest - start.cursor
        plan.starts[topic.name] = start
        self._answered(plan)

    # -- answering

    def _answered(self, plan: _Plan) -> None:
        """One question less. After the last one ``subscribed`` is said, and the stream begins."""
        plan.asked -= 1
        if plan.asked:
            return
        subscription, request = plan.subscription, plan.request
        session = subscription.session
        if not session.open:
            return
        if session.subscriptions.get(subscription.name) is not subscription:
            refusal = Refusal("the subscription ended before it began", ErrorCode.NOT_SUBSCRIBED)
        elif plan.failed:
            self.detach(subscription, plan.now)
            refusal = Refusal("the history cannot be read now", ErrorCode.UNAVAILABLE, retry=True)
        else:
            self._begin(plan)
            return
        for asked in (request, *subscription.changes):
            self._voice.refuse(session, refusal, plan.now, id=asked.id, topic=subscription.name)
        self._replays.wake()

    def _begin(self, plan: _Plan) -> None:
        subscription, request, now = plan.subscription, plan.request, plan.now
        session = subscription.session
        for start in plan.starts.values():
            topic = start.topic
            subscription.replays.pop(topic.name, None)
            if topic.epoch is not None and start.cursor < topic.offset:
                target = start.cursor + (start.replayed or 0)
                subscription.replays[topic.name] = Replay(topic, topic.epoch, start.cursor, target)
        if subscription.pattern is None:
            [start] = plan.starts.values()
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
            self._snapshot(subscription, now)
        else:
            positions = {
                name: TopicPosition(start.topic.epoch, start.cursor, start.recovered, start.replayed)
                for name, start in plan.starts.items()
                if start.topic.epoch is not None
            }
            self._voice.tell(
                session,
                replies.encode_subscribed(subscription.name, id=request.id, timestamp=now, topics=positions),
            )
        for stored in plan.retained:
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
        self._snapshot(subscription, now)
        for topic in subscription.topics.values():
            topic.change()
        self._replays.start(subscription)

    # -- ending

    def unsubscribe(self, session: Session, request: Request, now: int) -> Refusal | None:
        """Answers with ``unsubscribed``, also if there was nothing to end; those who remain are told."""
        name = check_subject(request.topic)
        if isinstance(name, Refusal):
            return name
        subscription = session.subscriptions.get(name)
        if subscription is not None:
            self.detach(subscription, now)
        self._voice.tell(
            session,
            replies.encode_unsubscribed(name, id=request.id, timestamp=now, code=ASKED, reason="as asked"),
        )
        return None

    def end(self, subscription: Subscription, code: int, reason: str) -> None:
        """Ends a subscription that did not ask for it."""
        session = subscription.session
        if session.subscriptions.get(subscription.name) is not subscription:
            return
        self.detach(subscription, self.now)
        self._voice.tell(
            session,
            replies.encode_unsubscribed(
                subscription.name,
                timestamp=self.now,
                code=code,
                reason=reason,
                resubscribe=code in (NEW_EPOCH, OVERTAKEN),
            ),
        )

    def crowded(self, subscription: Subscription) -> None:
        """Ends a pattern's subscription that matches more topics than it may. To come again is refused."""
        self.end(subscription, _CROWDED, f"more than {self._limits.pattern_topics:,} topics match")

    def recheck(self, session: Session, now: int) -> None:
        """Ends what a session's new grants no longer allow."""
        session.publishable.clear()
        for subscription in list(session.subscriptions.values()):
            name, pattern = subscription.name, subscription.pattern
            allowed = self.granted(session, Action.SUBSCRIBE, name, pattern) or name == CATALOG
            if allowed and subscription.presence:
                allowed = self.granted(session, Action.PRESENCE, name, pattern)
            if allowed:
                continue
            if session.version > 1:
                self.end(subscription, NOT_GRANTED, "the new token does not allow it")
            else:
                self.detach(subscription, now)
                self._voice.tell(session, v1.encode_unsubscribed(name, now))

    def detach(self, subscription: Subscription, now: int) -> None:
        """Takes a subscription away; those who stay are told."""
        session = subscription.session
        if session.subscriptions.get(subscription.name) is subscription:
            del session.subscriptions[subscription.name]
        session.waiting.pop(subscription, None)
        subscription.replays.clear()
        if subscription.pattern is not None:
            self._topics.remove_pattern(subscription)
            return
        for topic in subscription.topics.values():
            if topic.remove(session):
                self.announce(topic, now)
                self._topics.tidy(topic)

    # -- presence

    def announce(self, topic: Topic, now: int) -> None:
        """Tells those who see the presence how many they are; who waits for ``subscribed`` hears it then."""
        if not topic.followers:
            return
        voice = self._voice
        if topic.recipients:
            presence = v1.encode_presence(topic.name, topic.count, now)
            voice.journal.write(topic.recipients, voice.frame(presence))
        topic.version += 1
        told: bytes | None = None
        for session, subscription in topic.followers.items():
            if subscription is None or not subscription.presence or subscription.pending:
                continue
            if told is None:
                told = self._presence(topic, now)
            voice.tell(session, told)

    def _snapshot(self, subscription: Subscription, now: int) -> None:
        if subscription.presence:
            for topic in subscription.topics.values():
                self._voice.tell(subscription.session, self._presence(topic, now))

    @staticmethod
    def _presence(topic: Topic, now: int) -> bytes:
        return replies.encode_presence(
            topic.name, version=topic.version, connections=topic.count, users=topic.user_count, timestamp=now
        )


CATALOG: Final = "$sys/topics"


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
