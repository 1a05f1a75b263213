"""What a session may subscribe to.

The one rule: a pattern needs one grant that contains it, for each thing that it
asks for; that single topics are granted does not add up to it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from nbrealtime.hub.grants import Action
from nbrealtime.hub.refusal import Refusal
from nbrealtime.wire.messages import ErrorCode
from nbrealtime.wire.topics import Pattern
from nbrealtime.wire.v2 import Request, Since

if TYPE_CHECKING:
    from nbrealtime.hub.session import Session

__all__ = ["check_count", "check_subscribe", "granted"]


def granted(session: Session, action: Action, name: str, pattern: Pattern | None) -> bool:
    """Whether a session may do ``action`` on a name, or on all that a pattern can match."""
    if pattern is None:
        return session.grants.allows(action, name, session.user.id)
    return session.grants.allows_pattern(action, pattern, session.user.id)


def check_subscribe(session: Session, request: Request, name: str, pattern: Pattern | None) -> Refusal | None:
    """Refuses a ``subscribe`` of v2 that makes no sense, or asks for what is not granted."""
    since = request.since
    if isinstance(since, Since):
        if pattern is None and since.topics is not None:
            return Refusal('"topics" in since is for patterns', ErrorCode.BAD_REQUEST)
        if pattern is not None and since.position is not None:
            return Refusal(
                'a pattern has a position for each topic: since {"topics": {…}}', ErrorCode.BAD_REQUEST
            )
    if not granted(session, Action.SUBSCRIBE, name, pattern):
        return Refusal("not allowed to subscribe", ErrorCode.FORBIDDEN)
    if request.presence and not granted(session, Action.PRESENCE, name, pattern):
        return Refusal("not allowed to see who is present", ErrorCode.FORBIDDEN)
    wants_newest = isinstance(since, Since) and since.count is not None
    if wants_newest and not granted(session, Action.HISTORY, name, pattern):
        return Refusal("not allowed to read the history", ErrorCode.FORBIDDEN)
    return None


def check_count(session: Session, limit: int | None) -> Refusal | None:
    """Refuses one subscription more than ``limit``."""
    if limit is None or len(session.subscriptions) < limit:
        return None
    reason = f"a connection may follow {limit} topics: unsubscribe from one first"
    return Refusal(reason, ErrorCode.LIMIT_EXCEEDED)
