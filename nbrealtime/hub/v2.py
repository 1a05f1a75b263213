"""The second dialect: who does what a v2 request asks for.

`publishing` takes publishes, `follow` begins subscriptions, `endings` ends them,
`catalog` has the list of topics, `past` answers ``history``, the face ``auth``.

The one rule: what is answered stands after what was published before it; only a
publish, which changes no answer, is not held up by that.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from nbrealtime.hub.catalog import CATALOG, Catalog
from nbrealtime.hub.endings import Endings
from nbrealtime.hub.follow import Follow
from nbrealtime.hub.limits import Limits
from nbrealtime.hub.past import Past
from nbrealtime.hub.publishing import Publishing
from nbrealtime.hub.refusal import Refusal
from nbrealtime.hub.voice import Voice
from nbrealtime.wire import replies
from nbrealtime.wire.messages import ErrorCode
from nbrealtime.wire.v2 import Request, decode_requests

if TYPE_CHECKING:
    from nbrealtime.hub.session import Session

__all__ = ["V2"]


class V2:
    """Does what the requests of one frame of v2 ask for.

    Arguments:
        settle: commits what was published so far: what is answered now stands after it.
        on_auth: answers an ``auth``.
    """

    def __init__(
        self,
        publishing: Publishing,
        follow: Follow,
        endings: Endings,
        catalog: Catalog,
        past: Past,
        voice: Voice,
        limits: Limits,
        settle: Callable[[int], None],
        on_auth: Callable[[Session, Request], None] | None,
    ) -> None:
        self._publishing = publishing
        self._follow = follow
        self._endings = endings
        self._catalog = catalog
        self._past = past
        self._voice = voice
        self._limits = limits
        self._settle = settle
        self._on_auth = on_auth

    def receive(self, session: Session, frame: bytes, now: int) -> int:
        """Does what each request of a frame asks for, or says why not; returns how many there were."""
        requests = decode_requests(frame)
        publish = self._publishing.take_v2
        for request in requests:
            refusal: Refusal | None
            if type(request) is not Request:
                refusal = Refusal(request.reason, ErrorCode(request.code))
            elif not session.open:
                continue
            elif request.type == "publish":
                refusal = publish(session, request, now)
            else:
                refusal = self._act(session, request, now)
            if refusal is not None:
                self._settle(now)
                self._voice.refuse(session, refusal, now, id=request.id, topic=request.topic)
        return len(requests)

    def _act(self, session: Session, request: Request, now: int) -> Refusal | None:
        kind = request.type
        refusal: Refusal | None = None
        if kind == "subscribe":
            self._settle(now)
            if request.topic == CATALOG:
                refusal = self._catalog.subscribe(session, request, self._limits.topics, now)
            else:
                refusal = self._follow.subscribe(session, request, now)
            self._catalog.change()
        elif kind == "unsubscribe":
            self._settle(now)
            refusal = self._endings.unsubscribe(session, request, now)
            if request.topic == CATALOG:
                self._catalog.forget(session)
            self._catalog.change()
        elif kind == "history":
            self._settle(now)
            refusal = self._past.ask(session, request, now)
        elif kind == "ping":
            self._settle(now)
            self._voice.tell(session, replies.encode_pong(timestamp=now, id=request.id))
        elif kind == "auth" and self._on_auth is not None:
            self._on_auth(session, request)
        elif kind != "pong":
            refusal = Refusal(f'"{kind}" is not for now', ErrorCode.BAD_REQUEST)
        return refusal
