"""What was published and is not told yet: gathered, committed, and only then delivered.

Publishes gather in `Commits.batch` until the face's turn ends. `Commits.commit`
hands them to the store; when it has confirmed them, everybody hears of them, in
commit order.

The one rule: one batch is under way at a time. What is published meanwhile waits
for the next, which is larger the slower the store is; and when a batch fails,
what its publishers sent after it has not overtaken it.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

from msgspec import Struct

from nbrealtime.hub.backlog import Item
from nbrealtime.hub.refusal import Refusal
from nbrealtime.hub.store import Commit, Committed, Entry, Store, Unavailable
from nbrealtime.hub.subscription import Replay
from nbrealtime.wire import messages as v1
from nbrealtime.wire import replies
from nbrealtime.wire.messages import ErrorCode

if TYPE_CHECKING:
    from nbrealtime.hub.replays import Replays
    from nbrealtime.hub.session import Session
    from nbrealtime.hub.topic import Topic
    from nbrealtime.hub.topics import Topics
    from nbrealtime.hub.voice import Voice

__all__ = ["Commits", "Publish"]


class Publish(Struct, eq=False):
    """One publish under way: the entry, and who wants to hear what became of it."""

    entry: Entry
    session: Session | None = None
    id: int | None = None
    ack: bool = False
    echo: bool = True
    done: Callable[[Committed | Refusal], None] | None = None


class Commits:
    """Publishes on their way through the store; without a store they pass through at once."""

    def __init__(self, store: Store | None, topics: Topics, voice: Voice, replays: Replays) -> None:
        self._store = store
        self._topics = topics
        self._voice = voice
        self._replays = replays
        self._batch: list[Publish] = []
        # Whether a batch is with the store.
        self.under_way = False
        self.now = 0
        self.size = 0

    @property
    def pending(self) -> bool:
        """Whether `commit` has something to do."""
        return bool(self._batch) and not self.under_way

    def add(self, publish: Publish, size: int) -> None:
        """Takes a publish that was checked; its payload has ``size`` bytes."""
        self._batch.append(publish)
        self.size += size

    def commit(self, now: int) -> bool:
        """Hands everything gathered to the store, unless the last batch is still with it; returns whether it did."""
        self.now = now
        if not self._batch or self.under_way:
            return False
        batch, self._batch = self._batch, []
        if self._topics.patterns:
            for name in {publish.entry.topic for publish in batch}:
                self._topics.expect(name, now)
        if self._store is None:
            self.size = 0
            self._deliver(
                batch,
                [
                    Committed(None, None, publish.entry.message_id, publish.entry.timestamp)
                    for publish in batch
                ],
            )
            return True
        self.under_way = True
        commit = self._store.publish([publish.entry for publish in batch], now)
        if commit.done:
            self._answered(batch, commit)
        else:
            commit.then(lambda commit: self._answered(batch, commit))
        return True

    def _answered(self, batch: list[Publish], commit: Commit[Sequence[Committed]]) -> None:
        self.under_way = False
        # What came meanwhile: nothing, if the store answered at once.
        self.size = sum(len(publish.entry.data) for publish in self._batch) if self._batch else 0
        try:
            results = commit.result()
        except Unavailable:
            self._fail(batch)
        else:
            self._deliver(batch, results)
        self._replays.wake()

    # -- what became of them

    def _fail(self, batch: list[Publish]) -> None:
        """Nothing of the batch was kept; neither is what the same publishers sent to the same topics since."""
        refusal = Refusal(
            "the server could not keep the message: try again", ErrorCode.UNAVAILABLE, retry=True
        )
        opened: set[tuple[Session, str]] = set()
        for publish in batch:
            session = publish.session
            if session is not None and (session, publish.entry.topic) not in opened:
                # It was taken before anything was refused that is remembered now, and has to come first again.
                opened.add((session, publish.entry.topic))
                session.refused.pop(publish.entry.topic, None)
            self._refuse(publish, refusal)
        later, self._batch = self._batch, []
        for publish in later:
            session = publish.session
            if session is not None and self.overtakes(
                session, publish.entry.topic, publish.entry.key, publish.id
            ):
                self._refuse(publish, refusal)
            else:
                self._batch.append(publish)
        self.size = sum(len(publish.entry.data) for publish in self._batch)

    def _refuse(self, publish: Publish, refusal: Refusal) -> None:
        if publish.done is not None:
            publish.done(refusal)
        session = publish.session
        if session is None:
            return
        topic = publish.entry.topic
        # Of a connection that is gone, too: what it had sent after this must not go before it either.
        self.remember(session, topic, publish.entry.key, publish.id)
        if session.open:
            self._voice.refuse(session, refusal, self.now, id=publish.id, topic=topic)

    @staticmethod
    def remember(session: Session, topic: str, key: str | None, id: int | None) -> None:  # noqa: A002
        """A publish was refused that may come again: no later one on its topic goes before it."""
        mark = key if key is not None else id
        if session.version > 1 and mark is not None:
            session.refused.setdefault(topic, mark)

    @staticmethod
    def overtakes(session: Session, topic: str, key: str | None, id: int | None) -> bool:  # noqa: A002
        """Whether a publish must wait for one that was refused; that one itself opens the way again."""
        refused = session.refused.get(topic)
        if refused is None:
            return False
        if refused in (key, id):
            del session.refused[topic]
            return False
        return True

    def _deliver(self, batch: list[Publish], results: Sequence[Committed]) -> None:
        """Tells everybody, run by run of one topic: what follows in one run is one piece of the journal."""
        pairs = list(zip(batch, results, strict=True))
        start, name = 0, batch[0].entry.topic
        for place, publish in enumerate(batch):
            if publish.entry.topic != name:
                self._tell(name, pairs[start:place])
                start, name = place, publish.entry.topic
        self._tell(name, pairs[start:])

    def _tell(self, name: str, pairs: list[tuple[Publish, Committed]]) -> None:
        """Tells a run to those who follow its topic, and its publishers what became of it."""
        topic = self._topics.get(name)
        if topic is not None:
            self._spread(topic, pairs)
        for publish, committed in pairs:
            session = publish.session
            if publish.ack and session is not None and session.open:
                self._voice.tell(
                    session,
                    replies.encode_ack(
                        name,
                        id=publish.id,
                        message_id=committed.message_id,
                        epoch=committed.epoch,
                        offset=committed.offset,
                        duplicate=committed.duplicate,
                    ),
                )
            if publish.done is not None:
                publish.done(committed)

    def _spread(self, topic: Topic, pairs: list[tuple[Publish, Committed]]) -> None:
        """Delivers a run of one topic's messages, in pieces without what is no news, and moves its position on."""
        start = 0
        for place, (_, committed) in enumerate(pairs):
            epoch, offset = committed.epoch, committed.offset
            # Whoever follows since has asked the store, which knew of what is not beyond his position already.
            known = epoch == topic.epoch and offset is not None and offset <= topic.offset
            if committed.duplicate or known:
                self._write(topic, pairs[start:place])
                start = place + 1
                continue
            if epoch != topic.epoch:
                self._write(topic, pairs[start:place])
                start = place
                self._replays.change_epoch(topic, epoch)
            if offset is not None:
                topic.offset = offset
        self._write(topic, pairs[start:])

    def _write(self, topic: Topic, run: list[tuple[Publish, Committed]]) -> None:
        if not run:
            return
        voice = self._voice
        audience = topic.audience
        silent = [publish for publish, _ in run if not publish.echo]
        if audience.v1:
            frames = [
                voice.frame(
                    v1.encode_message(
                        topic.name, publish.entry.data, publish.entry.timestamp, committed.message_id
                    )
                )
                for publish, committed in run
            ]
            if not silent:
                voice.journal.write(audience.v1, *frames)
            else:
                for (publish, _), frame in zip(run, frames, strict=True):
                    recipients = audience.v1
                    if not publish.echo and publish.session is not None:
                        recipients = audience.without(recipients, publish.session)
                    voice.journal.write(recipients, frame)
        if not audience.variants and not audience.slow:
            return
        bodies = [
            replies.encode_body(
                topic.name,
                publish.entry.data,
                offset=committed.offset,
                timestamp=committed.timestamp,
                time=publish.entry.time,
                message_id=committed.message_id,
                user_id=publish.entry.user_id,
                user_name=publish.entry.user_name,
            )
            for publish, committed in run
        ]
        for name, single, batched in audience.variants:
            epoch = topic.epoch if name != topic.name else None
            payloads = replies.finish_messages(bodies, subscription=name, epoch=epoch)
            if not silent:
                if single:
                    voice.share(single, payloads, batch=False)
                if batched:
                    voice.share(batched, payloads, batch=True)
                continue
            for (publish, _), payload in zip(run, payloads, strict=True):
                for sessions, batch in ((single, False), (batched, True)):
                    recipients = sessions
                    if not publish.echo and publish.session is not None and publish.session in sessions:
                        recipients = audience.without(sessions, publish.session)
                    voice.share(recipients, [payload], batch=batch)
        if audience.slow:
            self._write_slowly(topic, run, bodies)

    def _write_slowly(self, topic: Topic, run: list[tuple[Publish, Committed]], bodies: list[bytes]) -> None:
        """To those who have a queue, or are still reading what was before."""
        items: dict[str, list[Item]] = {}
        for subscription in topic.audience.slow:
            name = subscription.name
            if name not in items:
                epoch = topic.epoch if name != topic.name else None
                items[name] = [
                    Item(topic.name, committed.offset, body, name, epoch)
                    for (_, committed), body in zip(run, bodies, strict=True)
                ]
            replaying = subscription.pending or bool(subscription.replays)
            if replaying and topic.epoch is not None:
                # It will read this run, too, from the history.
                offset = run[0][1].offset
                if topic.name not in subscription.replays and offset is not None:
                    subscription.replays[topic.name] = Replay(topic, topic.epoch, offset - 1, offset - 1)
                continue
            if subscription.pending:
                continue
            for (publish, _), item in zip(run, items[name], strict=True):
                if publish.echo or publish.session is not subscription.session:
                    self._replays.offer(subscription, item)
