"""One connection's conversation with a server: what to say, and what was heard. Pure.

The session knows which topics are wanted and how far each has got, what waits
to be sent or acknowledged, whether the server still answers, and when to try
again. It does no I/O: the time is an argument (seconds, monotonic), randomness
is passed in, frames and events are results. ``connection.py`` performs what it
decides, on the client thread.

``core.py`` is the session; ``negotiation.py`` finds out which dialect the
server speaks, ``v1.py`` and ``v2.py`` speak it; ``subscriptions.py``,
``wanted.py`` and ``positions.py`` are what is subscribed, ``outbox.py`` and
``acknowledged.py`` what is published, ``requests.py`` what is asked;
``ending.py`` and ``closings.py`` are why a connection ends, ``reports.py`` is
what its user is told; ``heartbeat.py``, ``renewal.py`` and ``backoff.py`` are its
clocks.

The one rule: the session outlives its sockets. What belongs to one socket is
forgotten in `Session.lost`, what belongs to the user only by the user's word.
"""

from __future__ import annotations

from nbrealtime.client.session.acknowledged import Publish
from nbrealtime.client.session.backoff import PATIENCE, SLOW_SECONDS, STABLE_SECONDS
from nbrealtime.client.session.core import Session
from nbrealtime.client.session.events import Event, Gap, Presence, RefusedTopic, Report, Subscribed
from nbrealtime.client.session.heartbeat import PING_SECONDS, SILENCE_SECONDS
from nbrealtime.client.session.negotiation import Memory
from nbrealtime.client.session.outbox import OFFLINE_LIMIT
from nbrealtime.client.session.wanted import Options

__all__ = [
    "OFFLINE_LIMIT",
    "PATIENCE",
    "PING_SECONDS",
    "SILENCE_SECONDS",
    "SLOW_SECONDS",
    "STABLE_SECONDS",
    "Event",
    "Gap",
    "Memory",
    "Options",
    "Presence",
    "Publish",
    "RefusedTopic",
    "Report",
    "Session",
    "Subscribed",
]
