"""How many follow a topic, told to those who see it.

In the first dialect everybody on a topic hears it, in the second who asked.

The one rule: versions have no gap for those who asked, so that a missed one is
noticed; who waits for his ``subscribed`` hears nothing, and then the newest.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from nbrealtime.hub.voice import Voice
from nbrealtime.wire import messages as v1
from nbrealtime.wire import replies

if TYPE_CHECKING:
    from nbrealtime.hub.subscription import Subscription
    from nbrealtime.hub.topic import Topic

__all__ = ["Presence"]


class Presence:
    """The presence of both dialects. Who is present is what `Topic.followers` says."""

    def __init__(self, voice: Voice) -> None:
        self._voice = voice

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
                told = _encode(topic, now)
            voice.tell(session, told)

    def show(self, subscription: Subscription, now: int) -> None:
        """Tells one subscription how things stand, if it asked for that."""
        if subscription.presence:
            for topic in subscription.topics.values():
                self._voice.tell(subscription.session, _encode(topic, now))


def _encode(topic: Topic, now: int) -> bytes:
    return replies.encode_presence(
        topic.name, version=topic.version, connections=topic.count, users=topic.user_count, timestamp=now
    )
