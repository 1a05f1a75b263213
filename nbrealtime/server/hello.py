"""The first words of a v2 connection: reading ``hello``, saying who it is, answering ``welcome``.

Pure; `nbrealtime.server.connection` performs what is decided here.

The one rule: whatever ends a connection is said in-band first, since proxies
swallow handshake refusals and close codes; so a refusal is a `Goodbye`, with
both.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Final

from nbrealtime.errors import DecodeError, InvalidToken
from nbrealtime.hub import Options
from nbrealtime.server.tokens import Claims
from nbrealtime.wire.messages import ErrorCode
from nbrealtime.wire.replies import encode_error, encode_welcome
from nbrealtime.wire.v2 import SUBPROTOCOL, VERSION, Request, decode_requests

__all__ = [
    "CAPABILITIES",
    "ENCODING",
    "Goodbye",
    "choose_subprotocol",
    "goodbye_for",
    "identify",
    "options_of",
    "read_hello",
    "welcome",
]

CAPABILITIES: Final = ("ack", "recover", "batch", "presence", "lost")
ENCODING: Final = "json"

BAD_TOKEN: Final = 4500
TOKEN_EXPIRED: Final = 4005
# No code of ours says "try again later"; the one of the registry does.
TRY_AGAIN: Final = 1013


class Goodbye(Exception):
    """Why a connection ends: what is said in-band, and the close code.

    ``reconnect`` says whether another attempt is welcome, ``id`` which request brought it about.
    """

    def __init__(
        self,
        close: int,
        code: ErrorCode,
        reason: str,
        *,
        reconnect: bool = False,
        retry_after: float | None = None,
        id: int | None = None,  # noqa: A002 - the protocol's word
    ) -> None:
        self.close = close
        self.code = code
        self.reason = reason
        self.reconnect = reconnect
        self.retry_after = retry_after
        self.id = id
        super().__init__(reason)

    def encode(self, timestamp: int) -> bytes:
        """Returns the ``error`` that says it."""
        return encode_error(
            self.reason,
            self.code,
            timestamp=timestamp,
            id=self.id,
            close=self.close,
            reconnect=self.reconnect,
            retry=self.reconnect,
            retry_after=self.retry_after,
        )


def choose_subprotocol(offered: list[str]) -> str | None:
    """Returns the one that begins v2 if the client offers it."""
    return SUBPROTOCOL if SUBPROTOCOL in offered else None


def read_hello(frame: bytes) -> Request:
    """Returns the ``hello`` in the first frame of a connection.

    Raises:
        Goodbye: it is something else.
    """
    requests = decode_requests(frame)
    first = requests[0] if requests else None
    if isinstance(first, DecodeError) and len(requests) == 1:
        raise Goodbye(BAD_TOKEN, ErrorCode.BAD_REQUEST, first.reason, id=first.id)
    if not isinstance(first, Request) or first.type != "hello" or len(requests) > 1:
        id_ = first.id if isinstance(first, Request | DecodeError) else None
        raise Goodbye(BAD_TOKEN, ErrorCode.UNAUTHORIZED, "the first message must be hello, by itself", id=id_)
    if first.version < VERSION:
        reason = f"hello must ask for version {VERSION}; without hello this server speaks version 1"
        raise Goodbye(BAD_TOKEN, ErrorCode.BAD_REQUEST, reason, id=first.id)
    return first


def identify(hello: Request, verify: Callable[[str], Claims], claims: Claims | None) -> Claims:
    """Returns who says hello: its own token decides, else what the request's credentials said.

    Raises:
        InvalidToken: neither is good.
    """
    if hello.token is not None:
        return verify(hello.token)
    if claims is None:
        raise InvalidToken("a token is needed: in hello, or with the request")
    return claims


def goodbye_for(fault: InvalidToken, id: int | None = None) -> Goodbye:  # noqa: A002
    """Returns the refusal of a token."""
    if fault.code == ErrorCode.TOKEN_EXPIRED:
        # Whoever can get another one is welcome.
        return Goodbye(TOKEN_EXPIRED, ErrorCode.TOKEN_EXPIRED, fault.reason, reconnect=True, id=id)
    if fault.code == ErrorCode.UNAVAILABLE:
        return Goodbye(TRY_AGAIN, ErrorCode.UNAVAILABLE, fault.reason, reconnect=True, id=id)
    return Goodbye(BAD_TOKEN, ErrorCode.UNAUTHORIZED, fault.reason, id=id)


def options_of(hello: Request) -> Options:
    """Returns what the connection will be like."""
    return Options(
        capabilities=frozenset(CAPABILITIES).intersection(hello.capabilities),
        flush_ms=hello.flush_ms,
        client=hello.client,
    )


def welcome(
    hello: Request,
    claims: Claims,
    *,
    connection: str,
    ping_interval: float | None,
    key_memory: str,
    limits: Mapping[str, int | float | None],
) -> bytes:
    """Returns the answer to ``hello``."""
    return encode_welcome(
        id=hello.id,
        connection=connection,
        user_id=claims.user.id,
        user_name=claims.user.name,
        capabilities=[name for name in CAPABILITIES if name in hello.capabilities],
        encoding=ENCODING,
        ping_interval=ping_interval,
        expires=claims.expires_ms,
        key_memory=key_memory,
        limits=limits,
    )
