"""Whom to let in: a decision about every request that asks for an upgrade.

The entrance's WebSocket connections ask it, and the HTTP routes for their
tokens; `nbrealtime.server.tokens` verifies.

The one rule: with the subprotocol, whatever stands against a request is said
in-band, since proxies swallow refusals; without it, the answer to the request
is the only place.
"""

from __future__ import annotations

import time
from dataclasses import dataclass
from http import HTTPStatus
from typing import Final
from urllib.parse import parse_qs

from websockets.datastructures import Headers
from websockets.http11 import Request, Response

from nbrealtime.errors import InvalidToken, UnknownKey
from nbrealtime.hub import Hub
from nbrealtime.server.entrance import refuse
from nbrealtime.server.hello import Goodbye, choose_subprotocol
from nbrealtime.server.origins import Origins
from nbrealtime.server.tokens import Authority, Claims
from nbrealtime.wire.messages import ErrorCode

__all__ = ["WEBSOCKET_PATH", "Admission", "Admissions"]

WEBSOCKET_PATH: Final = "/ws"

_TOO_MANY, _ORIGIN = 4504, 4507


@dataclass(frozen=True, slots=True, kw_only=True)
class Admission:
    """What was decided about a request that may have its upgrade.

    ``spoken`` says that v2 was offered and chosen: then ``hello`` follows, ``claims`` are None if the
    request's own credentials were not good, and ``goodbye`` is what the connection hears at once.
    """

    spoken: bool = False
    claims: Claims | None = None
    goodbye: Goodbye | None = None


class Admissions:
    """Decides for one server. ``closed`` is what everybody hears while nobody is let in any more."""

    def __init__(self, hub: Hub, authority: Authority, origins: Origins) -> None:
        self.closed: Goodbye | None = None
        self._hub = hub
        self._authority = authority
        self._origins = origins

    def admit(self, request: Request, *, final: bool = False) -> Admission | Response:
        """Decides about a request that asks for an upgrade: who it is, or the answer that refuses it.

        With the subprotocol the request's credentials may be somebody else's, a Jupyter proxy's say: what
        our key does not verify is passed over, and hello decides.

        Raises:
            UnknownKey: the token's key is not known yet; not if this is ``final``.
        """
        path, _, query = request.path.partition("?")
        headers = request.headers
        offered = [
            name.strip() for line in headers.get_all("Sec-WebSocket-Protocol") for name in line.split(",")
        ]
        spoken = choose_subprotocol(offered) is not None
        goodbye = self._against(request)
        if goodbye is not None and goodbye.close == _ORIGIN and not spoken:
            return _response(HTTPStatus.FORBIDDEN, goodbye.reason)
        claims = None
        if goodbye is None or not spoken:
            try:
                claims = self.authenticate(headers.get_all("Authorization"), query, lenient=spoken)
            except UnknownKey as fault:
                if not final:
                    raise
                if not spoken:
                    return _unauthorized(fault)
            except InvalidToken as fault:
                if not spoken:
                    return _unauthorized(fault)
        if path != WEBSOCKET_PATH:
            reason = f"there is no WebSocket at {path[:100]}: use {WEBSOCKET_PATH}"
            return _response(HTTPStatus.NOT_FOUND, reason)
        if goodbye is not None and not spoken:
            return _response(HTTPStatus.SERVICE_UNAVAILABLE, goodbye.reason)
        return Admission(spoken=spoken, claims=claims, goodbye=goodbye)

    def too_many(self, id: int | None = None) -> Goodbye | None:  # noqa: A002 - the protocol's word
        """What one connection too many hears; None while there is room."""
        if not self._hub.full:
            return None
        reason = (
            f"{self._hub.limits.connections} connections are open, and no more are allowed: try again later"
        )
        return Goodbye(_TOO_MANY, ErrorCode.LIMIT_EXCEEDED, reason, reconnect=True, id=id)

    def authenticate(self, authorization: list[str], query: str = "", *, lenient: bool = False) -> Claims:
        """Returns what the request's token says: of the header, else of ``access_token``, else of ``token``.

        ``lenient`` passes over what is not valid, and takes the first that is.

        Raises:
            InvalidToken: there is none, or it is not valid.
        """
        now = time.time()
        wanted: UnknownKey | None = None
        for token in _credentials(authorization, query):
            try:
                return self._authority.verify(token, now)
            except UnknownKey as fault:
                if not lenient:
                    raise
                wanted = wanted or fault
            except InvalidToken:
                if not lenient:
                    raise
        if wanted is not None:
            raise wanted
        raise InvalidToken("a token is needed: ?token=… or the header Authorization: Bearer …")

    async def authenticate_later(self, authorization: list[str], query: str = "") -> Claims:
        """`authenticate`, which looks for a key that is not known.

        Raises:
            InvalidToken: there is no token, or it is not valid.
        """
        try:
            return self.authenticate(authorization, query)
        except UnknownKey:
            await self._authority.fetch()
            return self.authenticate(authorization, query)

    def _against(self, request: Request) -> Goodbye | None:
        """What stands against a request, whoever it is."""
        if not self._origins.allow(request.headers.get_all("Origin")):
            return Goodbye(_ORIGIN, ErrorCode.FORBIDDEN, "pages of this origin may not connect here")
        return self.closed or self.too_many()


def _credentials(authorization: list[str], query: str) -> list[str]:
    """The tokens of a request, in the order they count."""
    found = []
    for header in authorization:
        scheme, _, token = header.partition(" ")
        if scheme.lower() == "bearer" and token.strip():
            found.append(token.strip())
    fields = parse_qs(query)
    for name in ("access_token", "token"):
        found += fields.get(name, ())
    return found


def _unauthorized(fault: InvalidToken) -> Response:
    if fault.code == ErrorCode.UNAVAILABLE:
        return _response(HTTPStatus.SERVICE_UNAVAILABLE, fault.reason)
    return _response(HTTPStatus.UNAUTHORIZED, fault.reason)


def _response(status: HTTPStatus, reason: str) -> Response:
    body, headers = refuse(status, reason)
    return Response(status.value, status.phrase, Headers(headers), body)
