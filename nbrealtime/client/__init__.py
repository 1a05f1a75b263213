"""The client: connections to servers, kept up by one background thread.

``open_link`` gives a `Link`, which subscribes sinks and publishes. Within:
``session/`` decides what is said (pure), ``connection.py`` does it, ``pool.py``
shares it, ``portal.py`` is the thread, ``target.py`` says where to.

The one rule: nothing here runs user code on the client thread, and nothing
but a publish that has to wait for room keeps a user's thread waiting.
"""

from __future__ import annotations

from nbrealtime.client.link import Link
from nbrealtime.client.message import Message
from nbrealtime.client.pool import open_link
from nbrealtime.client.receipt import HistoryPage, HistoryRequest, Receipt
from nbrealtime.client.sink import Sink
from nbrealtime.client.status import LinkState, Status
from nbrealtime.client.subscription import Subscription

__all__ = [
    "HistoryPage",
    "HistoryRequest",
    "Link",
    "LinkState",
    "Message",
    "Receipt",
    "Sink",
    "Status",
    "Subscription",
    "open_link",
]
