"""The messages of the v1 dialect: what a client says, and what a server says.

A server decodes with ``decode_client`` and answers with the ``encode_*`` of its
side; a client the other way round. Every encoder returns the UTF-8 bytes of one
text frame, since that is what is framed once and sent to many.

The one rule: a payload crosses the server unparsed. ``ClientMessage.data`` is
the sender's own JSON, and ``encode_message`` puts these very bytes into the
frame that goes out.
"""

from __future__ import annotations

import json
from enum import StrEnum
from functools import lru_cache
from typing import Any, Final

import msgspec
from msgspec import UNSET, Raw, UnsetType

from nbrealtime.errors import DecodeError
from nbrealtime.wire.encodings import restore_bytes

__all__ = [
    "ClientMessage",
    "ErrorCode",
    "ServerMessage",
    "decode_client",
    "decode_server",
    "encode_error",
    "encode_greeting",
    "encode_message",
    "encode_ping",
    "encode_pong",
    "encode_presence",
    "encode_publish",
    "encode_subscribe",
    "encode_subscribed",
    "encode_unsubscribe",
    "encode_unsubscribed",
    "publish_overhead",
]

CLIENT_TYPES: Final = frozenset(("subscribe", "unsubscribe", "publish", "ping"))


class ErrorCode(StrEnum):
    """``data.code`` of an ``error``: what a program reads, as ``data.error`` is what a person reads."""

    BAD_REQUEST = "bad_request"
    UNKNOWN_TYPE = "unknown_type"
    UNAUTHORIZED = "unauthorized"
    FORBIDDEN = "forbidden"
    TOKEN_EXPIRED = "token_expired"  # noqa: S105 - a code, not a secret
    NOT_SUBSCRIBED = "not_subscribed"
    LIMIT_EXCEEDED = "limit_exceeded"
    RATE_LIMITED = "rate_limited"
    TOO_LARGE = "too_large"
    UNRECOVERABLE = "unrecoverable"
    UNAVAILABLE = "unavailable"
    SLOW_CONSUMER = "slow_consumer"
    DRAINING = "draining"
    HEARTBEAT = "heartbeat"
    REMOVED = "removed"
    INTERNAL = "internal"


class ClientMessage(msgspec.Struct, frozen=True):
    """What a client says. ``type`` is lower case; ``topic`` is not checked yet; ``data`` is its JSON."""

    type: str
    topic: str | UnsetType | None = UNSET
    data: Raw | UnsetType = UNSET


class ServerMessage(msgspec.Struct, frozen=True):
    """What a server says. ``timestamp`` is in milliseconds since the epoch; ``data`` is decoded."""

    type: str
    topic: str | None = None
    data: Any = None
    timestamp: float | None = None
    message_id: str | None = msgspec.field(default=None, name="messageId")


_client_decoder: Final = msgspec.json.Decoder(ClientMessage)
_server_decoder: Final = msgspec.json.Decoder(ServerMessage)
_encoder: Final = msgspec.json.Encoder()
_encode: Final = _encoder.encode


def decode_client(frame: bytes | str) -> ClientMessage:
    """Returns what a client said.

    Raises:
        DecodeError: the frame is no JSON object of the protocol (``bad_request``), or its type is one
            that the protocol does not have (``unknown_type``).
    """
    try:
        message = _client_decoder.decode(frame)
    except msgspec.ValidationError as fault:
        raise DecodeError(f"not a message of the protocol: {fault}") from fault
    except (msgspec.DecodeError, UnicodeDecodeError) as fault:
        raise DecodeError(f"not JSON: {fault}") from fault
    except RecursionError as fault:
        raise DecodeError("not JSON that can be read: nested too deeply") from fault
    kind = message.type
    if kind not in CLIENT_TYPES:
        lowered = kind.lower()
        if lowered not in CLIENT_TYPES:
            if lowered == "hello":
                # Known well enough, but it would have begun another dialect.
                raise DecodeError("hello comes first, and once")
            shown = kind if len(kind) <= 40 else f"{kind[:40]}…"
            raise DecodeError(f"unknown message type {json.dumps(shown)}", ErrorCode.UNKNOWN_TYPE)
        message = msgspec.structs.replace(message, type=lowered)
    return message


def decode_server(frame: bytes | str) -> ServerMessage:
    """Returns what a server said; ``{"$bytes": …}`` in its data is bytes again.

    Raises:
        DecodeError: the frame is no JSON object of the protocol.
    """
    try:
        message = _server_decoder.decode(frame)
    except (msgspec.DecodeError, UnicodeDecodeError) as fault:
        message = _decode_leniently(frame, fault)
    except RecursionError as fault:
        raise DecodeError("not JSON that can be read: nested too deeply") from fault
    kind = message.type
    if not kind.islower():
        message = msgspec.structs.replace(message, type=kind.lower())
    data = message.data
    if type(data) in _CONTAINERS and _mentions_bytes(frame):
        message = msgspec.structs.replace(message, data=restore_bytes(data))
    return message


_CONTAINERS: Final = (dict, list)


def _mentions_bytes(frame: bytes | str) -> bool:
    """Whether the frame can hold wrapped bytes; the walk that unwraps them is for those alone."""
    return '"$bytes"' in frame if isinstance(frame, str) else b'"$bytes"' in frame


def _decode_leniently(frame: bytes | str, fault: Exception) -> ServerMessage:
    """Reads what other people's servers may relay and msgspec refuses.

    A server that passes payloads on unparsed also passes on a lone surrogate's escape and a number
    beyond a double's range. Python's own decoder takes both, so one odd payload costs nobody his stream.
    """
    try:
        plain = json.loads(frame)
        return msgspec.convert(plain, ServerMessage)
    except RecursionError as again:
        raise DecodeError("not JSON that can be read: nested too deeply") from again
    except (ValueError, msgspec.ValidationError) as again:
        raise DecodeError(f"not a message of the protocol: {fault}") from again


# -- what a server says -------------------------------------------------------------------------------


def encode_message(topic: str, data: bytes | Raw, timestamp: int, message_id: str) -> bytes:
    """Returns a ``message`` around the JSON in ``data``, which is not looked at."""
    # Joined by hand: an encoder run over a Struct with a Raw field takes twice as long, and this is
    # the one encoder that runs for every publish.
    return b'{"type":"message","topic":%b,"data":%b,"timestamp":%d,"messageId":"%b"}' % (
        _encode(topic),
        bytes(data),
        timestamp,
        message_id.encode("ascii"),
    )


def encode_greeting(timestamp: int) -> bytes:
    """Returns the greeting, which has no topic."""
    return b'{"type":"message","data":{"message":"Connected to WebSocket server"},"timestamp":%d}' % timestamp


def encode_subscribed(topic: str, count: int, timestamp: int) -> bytes:
    """Returns the answer to ``subscribe``; ``count`` includes the subscriber."""
    return b'{"type":"subscribed","topic":%b,"data":{"presenceCount":%d},"timestamp":%d}' % (
        _encode(topic),
        count,
        timestamp,
    )


def encode_unsubscribed(topic: str, timestamp: int) -> bytes:
    """Returns the answer to ``unsubscribe``."""
    return b'{"type":"unsubscribed","topic":%b,"timestamp":%d}' % (_encode(topic), timestamp)


def encode_presence(topic: str, count: int, timestamp: int) -> bytes:
    """Returns how many connections are subscribed to ``topic`` now."""
    return b'{"type":"presence","topic":%b,"data":{"presenceCount":%d},"timestamp":%d}' % (
        _encode(topic),
        count,
        timestamp,
    )


def encode_pong(timestamp: int) -> bytes:
    """Returns the answer to ``ping``."""
    return b'{"type":"pong","timestamp":%d}' % timestamp


def encode_error(
    reason: str,
    code: str,
    *,
    timestamp: int,
    topic: str | None = None,
    close: int | None = None,
    reconnect: bool | None = None,
    retry: bool = False,
    retry_after: float | None = None,
) -> bytes:
    """Returns an ``error``.

    ``close`` and ``reconnect`` announce that the connection ends, and whether another one is welcome:
    proxies swallow close codes, so they are said in-band. ``retry_after`` is in seconds.
    """
    data: dict[str, object] = {"error": reason, "code": str(code), "retry": retry}
    if retry_after is not None:
        data["retryAfter"] = retry_after
    if close is not None:
        data["close"] = close
        data["reconnect"] = bool(reconnect)
    message: dict[str, object] = {"type": "error"}
    if topic is not None:
        message["topic"] = topic
    message["data"] = data
    message["timestamp"] = timestamp
    return _encode(message)


# -- what a client says -------------------------------------------------------------------------------


def encode_subscribe(topic: str) -> bytes:
    """Returns the request for a topic's messages."""
    return b'{"type":"subscribe","topic":%b}' % _encode(topic)


def encode_unsubscribe(topic: str) -> bytes:
    """Returns the request to end a subscription."""
    return b'{"type":"unsubscribe","topic":%b}' % _encode(topic)


def encode_publish(topic: str, data: bytes) -> bytes:
    """Returns a ``publish`` of the JSON in ``data``."""
    return b'{"type":"publish","topic":%b,"data":%b}' % (_encode(topic), data)


@lru_cache(maxsize=4096)
def publish_overhead(topic: str) -> int:
    """Returns by how many bytes a ``publish`` to ``topic`` is longer than its payload."""
    return len(encode_publish(topic, b""))


def encode_ping() -> bytes:
    """Returns the application's heartbeat."""
    return b'{"type":"ping"}'
