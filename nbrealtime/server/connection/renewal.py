"""The end of a connection's token, and the token that takes its place.

The one rule: a connection lives as long as its newest token, and stays its
user's.
"""

from __future__ import annotations

import asyncio
import time
from typing import Final, Protocol

from nbrealtime.errors import InvalidToken, UnknownKey
from nbrealtime.hub import Hub, Session
from nbrealtime.server.clock import milliseconds
from nbrealtime.server.flusher import Flusher
from nbrealtime.server.hello import Goodbye
from nbrealtime.server.tokens import Authority, Claims
from nbrealtime.wire import replies
from nbrealtime.wire.messages import ErrorCode
from nbrealtime.wire.v2 import Request

__all__ = ["Bearer", "Renewal"]

_TOKEN_EXPIRED: Final = 4005
# A machine may sleep, and clocks are set: the end is looked at in steps of so many seconds.
_STEP_SECONDS: Final = 60.0


class Bearer(Protocol):
    """Who has the token."""

    def part(self, goodbye: Goodbye) -> None:
        """Ends the connection, after it was said why."""


class Renewal:
    """Ends one connection with its token, and answers its ``auth``."""

    __slots__ = ("_authority", "_bearer", "_closed", "_expiry", "_flusher", "_hub", "_looking", "_loop")

    def __init__(
        self,
        bearer: Bearer,
        authority: Authority,
        hub: Hub,
        flusher: Flusher,
        loop: asyncio.AbstractEventLoop,
    ) -> None:
        self._bearer = bearer
        self._authority = authority
        self._hub = hub
        self._flusher = flusher
        self._loop = loop
        self._expiry: asyncio.TimerHandle | None = None
        self._looking: asyncio.Task[None] | None = None
        self._closed = False

    def watch(self, claims: Claims) -> None:
        """Ends the connection with this token, not with an earlier one."""
        if self._expiry is not None:
            self._expiry.cancel()
            self._expiry = None
        if claims.expires is not None and not self._closed:
            self._expire_at(claims.expires)

    def renew(self, session: Session, request: Request, *, again: bool = False) -> None:
        """Answers ``auth``: a new token for the same user."""
        if self._closed:
            return
        now = milliseconds()
        try:
            if request.token is None:
                raise InvalidToken("a token is needed", ErrorCode.BAD_REQUEST)
            claims = self._authority.verify(request.token, time.time())
        except InvalidToken as fault:
            if isinstance(fault, UnknownKey) and not again:
                self._look_for_keys(session, request)
                return
            retry = fault.code == ErrorCode.UNAVAILABLE
            answer = replies.encode_error(fault.reason, fault.code, timestamp=now, id=request.id, retry=retry)
        else:
            if claims.user.id != session.user.id:
                reason = "the token is another user's: connect anew with it"
                answer = replies.encode_error(reason, ErrorCode.FORBIDDEN, timestamp=now, id=request.id)
            else:
                self._hub.regrant(session, claims.user, claims.grants, now)
                self.watch(claims)
                answer = replies.encode_authenticated(id=request.id, expires=claims.expires_ms)
        self._hub.tell(session, answer)
        self._flusher.schedule()

    def close(self) -> None:
        """The connection ends without it."""
        self._closed = True
        if self._expiry is not None:
            self._expiry.cancel()

    def cancel(self) -> None:
        """Looks for no key any more."""
        if self._looking is not None:
            self._looking.cancel()

    def _look_for_keys(self, session: Session, request: Request) -> None:
        async def look() -> None:
            await self._authority.fetch()
            self.renew(session, request, again=True)

        self.cancel()
        self._looking = self._loop.create_task(look())

    def _expire_at(self, expires: float) -> None:
        remaining = expires - time.time()
        if remaining <= 0:
            reason = "the token has expired"
            self._bearer.part(Goodbye(_TOKEN_EXPIRED, ErrorCode.TOKEN_EXPIRED, reason, reconnect=True))
            return
        self._expiry = self._loop.call_later(min(remaining, _STEP_SECONDS), self._expire_at, expires)
