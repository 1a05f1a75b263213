"""What does not go out at once: queues that empty as connections drain, and histories that are read.

A connection that takes more is filled: from the queues of its subscriptions,
and page by page from the histories that they are to catch up with.

The one rule: a replay joins the live stream at its tail, in one step. Until a
subscription has read everything that was told, live messages pass it by, since
it will read them too; in the step in which nothing more is left to read it
becomes one of those to whom they are written.
"""

from __future__ import annotations

import heapq
from collections.abc import Callable
from typing import TYPE_CHECKING, Final

from nbrealtime.hub.backlog import Item
from nbrealtime.hub.store import Commit, Page, Store, Unavailable
from nbrealtime.wire import replies
from nbrealtime.wire.replies import encode_body

if TYPE_CHECKING:
    from nbrealtime.hub.session import Session
    from nbrealtime.hub.subscription import Replay, Subscription
    from nbrealtime.hub.topic import Topic
    from nbrealtime.hub.voice import Voice

__all__ = ["PAGE_BYTES", "PAGE_MESSAGES", "Replays"]

PAGE_MESSAGES: Final = 256
PAGE_BYTES: Final = 256 * 1024
# What all connections together are filled with in one turn of the loop, counted in bytes and with
# something for every message: a thousand clients that come back at once take their turns.
_TURN_BYTES: Final = 2**19
_MESSAGE_COST: Final = 256
# How many pages may be on their way from the store. Each is handled in one piece when it comes, and a store with a
# thread of its own brings together what was asked for together: five hundred clients that come back at once
# would hold the loop for as long as all of their pages take, and keep them all in memory.
_MOST_READING: Final = 8

NEW_EPOCH, OVERTAKEN = 2001, 2002


class Replays:
    """Fills connections.

    Arguments:
        wake: called when something is there to be flushed that nobody asked for.
        end: ends a subscription: with a code, a reason, and whether to subscribe again.
    """

    def __init__(
        self,
        store: Store | None,
        voice: Voice,
        wake: Callable[[], None],
        end: Callable[[Subscription, int, str], None],
    ) -> None:
        self._store = store
        self._voice = voice
        self._end = end
        self.wake = wake
        self._ready: dict[Session, None] = {}
        # Those whose next page waits until fewer are on their way.
        self._starved: dict[Session, None] = {}
        self._reading = 0
        self._timers: list[tuple[float, int, Session]] = []
        self.overrun: list[Session] = []
        self._count = 0
        self._spent = 0

    @property
    def pending(self) -> bool:
        """Whether `fill` has something to do now."""
        return bool(self._ready) or (bool(self._starved) and self._reading < _MOST_READING)

    @property
    def due(self) -> float | None:
        """When `fill` has something to do again, in ms; None if nothing waits for its time."""
        return self._timers[0][0] if self._timers else None

    # -- what comes to wait

    def offer(self, subscription: Subscription, item: Item) -> None:
        """A live message, for a subscription that does not get everything at once."""
        queue = subscription.queue
        session = subscription.session
        if queue is None:
            # One without history, while the others of its pattern are still being read.
            self._voice.give(session, item.payload)
            return
        if not queue.put(item) and not session.overrun:
            session.overrun = True
            self.overrun.append(session)
        self._await(subscription)

    def start(self, subscription: Subscription) -> None:
        """A subscription's stream begins, with what has to be read before."""
        if subscription.replays and not self._settle(subscription):
            self._await(subscription)
        else:
            self._changed(subscription)

    def drained(self, session: Session) -> None:
        """A connection takes more."""
        if session.waiting and session.open:
            self._ready[session] = None

    def forget(self, session: Session) -> None:
        """A session ended."""
        self._ready.pop(session, None)
        self._starved.pop(session, None)
        session.waiting.clear()

    def _await(self, subscription: Subscription) -> None:
        session = subscription.session
        session.waiting[subscription] = None
        self._ready[session] = None

    def take_overrun(self) -> list[Session]:
        """Those in which more came to wait than may, since the last time: the face ends them."""
        overrun, self.overrun = self.overrun, []
        return overrun

    # -- filling

    def fill(self, now: int) -> None:
        """Gives every connection that takes something what waits for it, as much as a turn has room for."""
        while self._timers and self._timers[0][0] <= now:
            _, _, session = heapq.heappop(self._timers)
            session.due = None
            self.drained(session)
        self._spent = 0
        while self._spent < _TURN_BYTES:
            among = self._ready or (self._starved if self._reading < _MOST_READING else None)
            if not among:
                break
            session = next(iter(among))
            del among[session]
            # Otherwise the face says when it is drained.
            if session.open and not session.blocked and not session.outbox.size:
                self._fill_one(session, now)

    def _fill_one(self, session: Session, now: int) -> None:
        room = PAGE_BYTES
        due: float | None = None
        for subscription in list(session.waiting):
            if room <= 0:
                # Its outbox has something now, and the face says when it has not.
                break
            # In turn: whoever was served goes to the end.
            session.waiting.pop(subscription, None)
            queue = subscription.queue
            while room > 0 and self._spent < _TURN_BYTES:
                if subscription.replays and (not queue or subscription.policy == "conflate"):
                    # What is conflated is read to its end first: a replay is conflated too.
                    if subscription.reading:
                        break
                    if self._reading >= _MOST_READING:
                        self._starved[session] = None
                        break
                    room -= self._read(subscription)
                elif queue:
                    if subscription.interval:
                        if subscription.due > now:
                            due = subscription.due if due is None else min(due, subscription.due)
                            break
                        # A timer that rings late does not lower the rate, and a pause saves nothing up.
                        if subscription.due <= now - subscription.interval:
                            subscription.due = now
                        subscription.due += subscription.interval
                    for payload in queue.take():
                        self._voice.give(session, payload)
                        room -= len(payload)
                        self._spent += len(payload) + _MESSAGE_COST
                else:
                    break
            if subscription.waits and session.subscriptions.get(subscription.name) is subscription:
                session.waiting[subscription] = None
            if self._spent >= _TURN_BYTES:
                self._ready[session] = None
                break
        if due is not None and (session.due is None or due < session.due):
            session.due = due
            self._count += 1
            heapq.heappush(self._timers, (due, self._count, session))

    def _read(self, subscription: Subscription) -> int:
        """Asks for the next page; returns how much of it went to the journal, if it is there at once."""
        replay = self._next(subscription)
        if replay is None or self._store is None:
            self._settle(subscription)
            return 0
        subscription.reading = True
        self._reading += 1
        before = self._spent
        self._store.read(
            replay.topic.name,
            epoch=replay.epoch,
            after=replay.cursor,
            limit=PAGE_MESSAGES,
            until=replay.topic.offset,
            max_bytes=PAGE_BYTES,
        ).then(lambda commit: self._turn_page(subscription, replay, commit))
        return self._spent - before if subscription.queue is None else 0

    def _turn_page(self, subscription: Subscription, replay: Replay, commit: Commit[Page]) -> None:
        session, topic = subscription.session, replay.topic
        subscription.reading = False
        self._reading -= 1
        if self._starved:
            # Whatever becomes of this page, there is room for another.
            self.wake()
        if subscription.replays.get(topic.name) is not replay or not session.open:
            return
        try:
            page = commit.result()
        except Unavailable:
            self._end(subscription, OVERTAKEN, "the history could not be read: subscribe again")
            return
        if page.position.epoch != replay.epoch:
            self._end(subscription, NEW_EPOCH, "the topic begins anew: subscribe again")
            return
        if page.first > replay.cursor + 1 or not page.items:
            self._end(subscription, OVERTAKEN, "the history was trimmed before it was read: subscribe again")
            return
        queue = subscription.queue
        by_pattern = subscription.pattern is not None
        for stored in page.items:
            body = encode_body(
                topic.name,
                stored.data,
                offset=stored.offset,
                timestamp=stored.timestamp,
                time=stored.time,
                message_id=stored.message_id,
                user_id=stored.user_id,
                user_name=stored.user_name,
            )
            self._spent += len(body) + _MESSAGE_COST
            epoch = replay.epoch if by_pattern else None
            if queue is None:
                payload = replies.finish_message(body, subscription=subscription.name, epoch=epoch)
                self._voice.give(session, payload)
            else:
                queue.put(Item(topic.name, stored.offset, body, subscription.name, epoch), live=False)
        newest = page.items[-1].offset
        if newest is not None:
            replay.cursor = newest
        self._settle(subscription)
        if subscription.waits:
            # Further pages come when this one is on its way. What is conflated does not leave anyway.
            session.waiting[subscription] = None
            if queue is not None:
                self._ready[session] = None
        self.wake()

    def _next(self, subscription: Subscription) -> Replay | None:
        """The replay to read on: first all that was there when the subscription began, then what came since."""
        lagging = None
        for replay in subscription.replays.values():
            if replay.cursor < replay.target:
                return replay
            if lagging is None and replay.lagging:
                lagging = replay
        return lagging

    def _settle(self, subscription: Subscription) -> bool:
        """Joins the live stream if nothing is left to read; returns whether it did."""
        if any(replay.lagging for replay in subscription.replays.values()):
            return False
        subscription.replays.clear()
        self._changed(subscription)
        return True

    @staticmethod
    def _changed(subscription: Subscription) -> None:
        for topic in subscription.topics.values():
            topic.change()

    # -- the end of an epoch

    def change_epoch(self, topic: Topic, epoch: str | None) -> None:
        """Ends every v2 subscription of a topic that begins anew; v1 knows no positions."""
        for subscription in topic.subscriptions():
            if topic.epoch is not None:
                self._end(subscription, NEW_EPOCH, "the topic begins anew: subscribe again")
        topic.epoch = epoch
        topic.offset = 0
