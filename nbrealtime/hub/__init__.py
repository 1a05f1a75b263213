"""The heart of a server: subscriptions, presence, grants, bounded outboxes.

Pure: messages and the time in, frames and decisions out. `Hub` is driven by a
face (`nbrealtime.server`), which owns the sockets and the clock.
"""

from __future__ import annotations

from nbrealtime.hub.grants import Action, Grant, Grants
from nbrealtime.hub.hub import Hub, Refusal
from nbrealtime.hub.limits import Limits
from nbrealtime.hub.outbox import Outbox
from nbrealtime.hub.session import Options, Session, User

__all__ = ["Action", "Grant", "Grants", "Hub", "Limits", "Options", "Outbox", "Refusal", "Session", "User"]
