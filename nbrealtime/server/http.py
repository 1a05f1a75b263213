"""The HTTP routes: health, statistics, and publishing without a WebSocket.

aiohttp answers them; the entrance hands it the connections. Every answer is
JSON, faults too.

The one rule: every route but ``/health`` asks for a token, whatever the
request's ``Host``, cookies or source address.
"""

from __future__ import annotations

import asyncio
import logging
import re
from collections.abc import Awaitable, Callable, Mapping
from contextvars import ContextVar
from http import HTTPStatus
from typing import TYPE_CHECKING, Annotated, Any, Final

import msgspec
from aiohttp import web
from msgspec import UNSET, Meta, Raw, UnsetType

from nbrealtime import discovery
from nbrealtime.errors import InvalidToken
from nbrealtime.hub import Refusal
from nbrealtime.hub.store import Committed
from nbrealtime.server.clock import milliseconds
from nbrealtime.server.tokens import Claims
from nbrealtime.wire.messages import ErrorCode

if TYPE_CHECKING:
    from nbrealtime.server.service import Service

__all__ = ["HttpRoutes"]

_logger = logging.getLogger(__name__)
# aiohttp logs what it cannot parse, request line and all, and a token may stand in it. What goes
# wrong in a route is logged by the guard.
_quiet = logging.getLogger("nbrealtime.server.aiohttp")
_quiet.setLevel(logging.CRITICAL + 1)

_NONCE: Final = re.compile("[0-9A-Za-z_-]{16,256}")
_STOP_SECONDS: Final = 1.0
_STATUS: Final = {
    ErrorCode.BAD_REQUEST: HTTPStatus.BAD_REQUEST,
    ErrorCode.FORBIDDEN: HTTPStatus.FORBIDDEN,
    ErrorCode.LIMIT_EXCEEDED: HTTPStatus.TOO_MANY_REQUESTS,
    ErrorCode.UNAVAILABLE: HTTPStatus.SERVICE_UNAVAILABLE,
    ErrorCode.TOO_LARGE: HTTPStatus.REQUEST_ENTITY_TOO_LARGE,
}

# Whose request it is. Each HTTP connection is a task with a context of its own.
_claims: ContextVar[Claims] = ContextVar("claims")

_Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]


class _Publish(msgspec.Struct):
    """The body of ``POST /ws/publish``; the payload stays as it is."""

    topic: Any = UNSET
    data: Raw | UnsetType = UNSET
    key: Annotated[str, Meta(min_length=1, max_length=255)] | None = None
    retain: bool = False
    time: int | None = None


_decoder: Final = msgspec.json.Decoder(_Publish)


class HttpRoutes:
    """The application behind every request that asks for no upgrade."""

    def __init__(self, service: Service) -> None:
        self._service = service
        limit = service.config.limits.message_bytes
        application = web.Application(
            middlewares=[self._guard], client_max_size=0 if limit is None else limit
        )
        application.router.add_get("/health", self._health)
        application.router.add_get("/ws", self._upgrade_required)
        application.router.add_get("/ws/stats", self._stats)
        application.router.add_post("/ws/publish", self._publish)
        self._runner = web.AppRunner(
            application,
            access_log=None,
            logger=_quiet,
            handle_signals=False,
            shutdown_timeout=_STOP_SECONDS,
            keepalive_timeout=service.config.idle_seconds,
            max_line_size=service.config.head_bytes,
            max_field_size=service.config.head_bytes,
        )

    @property
    def count(self) -> int:
        """How many HTTP connections are open."""
        server = self._runner.server
        return 0 if server is None else len(server.connections)

    async def start(self) -> None:
        """Gets ready to answer."""
        await self._runner.setup()

    async def stop(self) -> None:
        """Lets running requests end, for a second at most, and closes every connection that was kept."""
        await self._runner.cleanup()

    def protocol(self) -> asyncio.Protocol:
        """Returns the protocol for one connection."""
        server = self._runner.server
        if server is None:
            raise RuntimeError("start() comes first")
        return server()

    # -- routes

    @web.middleware
    async def _guard(self, request: web.Request, handler: _Handler) -> web.StreamResponse:
        """Origin and token before everything else, and every fault as JSON."""
        try:
            if request.path != "/health" or request.method not in ("GET", "HEAD"):
                if not self._service.origins.allow(request.headers.getall("Origin", [])):
                    return _fault(HTTPStatus.FORBIDDEN, "pages of this origin may not use this server")
                _claims.set(
                    await self._service.admissions.authenticate_later(
                        request.headers.getall("Authorization", []), request.rel_url.raw_query_string
                    )
                )
            return await handler(request)
        except InvalidToken as fault:
            if fault.code == ErrorCode.UNAVAILABLE:
                return _fault(HTTPStatus.SERVICE_UNAVAILABLE, fault.reason)
            return _fault(HTTPStatus.UNAUTHORIZED, fault.reason, {"WWW-Authenticate": "Bearer"})
        except web.HTTPException as fault:
            kept = {name: value for name, value in fault.headers.items() if name == "Allow"}
            return _fault(HTTPStatus(fault.status), fault.reason, kept)
        except Exception:
            _logger.exception("a fault of the server, at %s", request.path)
            return _fault(HTTPStatus.INTERNAL_SERVER_ERROR, "a fault of the server; its log says more")

    async def _health(self, request: web.Request) -> web.Response:
        """Tells that the server is well, and proves that it wrote its entry; nothing else."""
        answer = {"status": "ok"}
        nonce = request.query.get("nonce")
        if nonce is not None:
            if _NONCE.fullmatch(nonce) is None:
                return _fault(HTTPStatus.BAD_REQUEST, "a nonce has 16 to 256 letters, digits, - or _")
            answer["proof"] = discovery.proof(self._service.key, nonce)
        return _answer(HTTPStatus.OK, answer)

    async def _stats(self, request: web.Request) -> web.Response:
        return _answer(HTTPStatus.OK, self._service.stats(_claims.get()))

    async def _upgrade_required(self, request: web.Request) -> web.Response:
        return _fault(HTTPStatus.UPGRADE_REQUIRED, "this address speaks WebSocket", {"Upgrade": "websocket"})

    async def _publish(self, request: web.Request) -> web.Response:
        try:
            async with asyncio.timeout(self._service.config.request_seconds):
                body = await request.read()
        except TimeoutError:
            return _fault(HTTPStatus.REQUEST_TIMEOUT, "the request did not come in time")
        except web.HTTPRequestEntityTooLarge:
            return _fault(
                HTTPStatus.REQUEST_ENTITY_TOO_LARGE,
                f"a message may have {self._service.config.limits.message_bytes:,} bytes",
            )
        try:
            body.decode()
            message = _decoder.decode(body)
        except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
            return _fault(HTTPStatus.BAD_REQUEST, 'the body must be a JSON object: {"topic": …, "data": …}')
        claims = _claims.get()
        if (
            message.topic is not UNSET
            and message.topic not in (None, "")
            and not isinstance(message.data, Raw)
        ):
            return _fault(HTTPStatus.BAD_REQUEST, "Data is required")
        data = message.data if isinstance(message.data, Raw) else b"null"
        hub = self._service.hub
        hub.messages_in += 1
        answered: asyncio.Future[Committed | Refusal] = self._service.loop.create_future()

        def done(result: Committed | Refusal) -> None:
            # Whoever asked may have gone.
            if not answered.done():
                answered.set_result(result)

        refusal = hub.publish(
            claims.user,
            claims.grants,
            message.topic,
            data,
            milliseconds(),
            key=message.key,
            retain=message.retain,
            time=message.time,
            done=done,
        )
        if refusal is not None:
            return _refused(refusal)
        self._service.flusher.schedule()
        result = await answered
        if isinstance(result, Refusal):
            return _refused(result)
        text = f"Message published to topic: {message.topic}"
        answer: dict[str, object] = {"success": True, "message": text}
        if message.key is not None or message.retain:
            answer |= {
                "messageId": result.message_id,
                "epoch": result.epoch,
                "offset": result.offset,
                "duplicate": result.duplicate,
            }
        return _answer(HTTPStatus.OK, answer)


def _refused(refusal: Refusal) -> web.Response:
    headers = {} if refusal.retry_after is None else {"Retry-After": str(max(1, round(refusal.retry_after)))}
    return _fault(_STATUS.get(refusal.code, HTTPStatus.BAD_REQUEST), refusal.reason, headers)


def _answer(status: HTTPStatus, content: Mapping[str, object]) -> web.Response:
    return web.Response(
        status=status,
        body=msgspec.json.encode(content),
        headers={"Cache-Control": "no-store", "X-Content-Type-Options": "nosniff"},
        content_type="application/json",
    )


def _fault(status: HTTPStatus, reason: str, headers: Mapping[str, str] | None = None) -> web.Response:
    response = _answer(status, {"error": reason})
    response.headers.update(headers or {})
    return response
