"""How a subscription of either dialect ends: asked for, not granted any more, or overtaken.

Used by everybody who ends one: the dialects, the hub when a connection closes,
`replays` when a history is gone, `topics` when a pattern matches too much.

The one rule: those who stay are told, and whoever did not ask for the end hears
its code, and whether to come again.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from nbrealtime.hub.catalog import CATALOG
from nbrealtime.hub.grants import Action
from nbrealtime.hub.limits import Limits
from nbrealtime.hub.permission import granted
from nbrealtime.hub.presence import Presence
from nbrealtime.hub.refusal import Refusal, check_subject
from nbrealtime.hub.replays import NEW_EPOCH, OVERTAKEN
from nbrealtime.hub.topics import Topics
from nbrealtime.hub.voice import Voice
from nbrealtime.wire import messages as v1
from nbrealtime.wire import replies
from nbrealtime.wire.v2 import Request

if TYPE_CHECKING:
    from nbrealtime.hub.session import Session
    from nbrealtime.hub.subscription import Subscription

__all__ = ["Endings"]

_ASKED, _CROWDED, _NOT_GRANTED = 2000, 2002, 2003


class Endings:
    """Ends subscriptions. ``now`` is the time as the hub last heard it."""

    def __init__(self, topics: Topics, voice: Voice, presence: Presence, limits: Limits) -> None:
        self._topics = topics
        self._voice = voice
        self._presence = presence
        self._limits = limits
        self.now = 0

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
            replies.encode_unsubscribed(name, id=request.id, timestamp=now, code=_ASKED, reason="as asked"),
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
            allowed = granted(session, Action.SUBSCRIBE, name, pattern) or name == CATALOG
            if allowed and subscription.presence:
                allowed = granted(session, Action.PRESENCE, name, pattern)
            if allowed:
                continue
            if session.version > 1:
                self.end(subscription, _NOT_GRANTED, "the new token does not allow it")
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
                self._presence.announce(topic, now)
                self._topics.tidy(topic)
