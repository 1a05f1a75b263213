"""What a server says in the v2 dialect: encoders for it, and the decoder of a client.

`nbrealtime.hub` encodes, a client decodes with `decode_replies`. What a client
says is in `nbrealtime.wire.v2`.

The one rule: a message is encoded once. `encode_body` makes what all its
readers share, and `finish_message` adds what one kind of subscription has of
its own; the payload passes through unparsed.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from functools import lru_cache
from typing import Any, Final

import msgspec
from msgspec import Raw

from nbrealtime.errors import DecodeError
from nbrealtime.wire.encodings import restore_bytes
from nbrealtime.wire.v2 import encode_topic

__all__ = [
    "Reply",
    "TopicPosition",
    "Who",
    "decode_replies",
    "encode_ack",
    "encode_authenticated",
    "encode_body",
    "encode_drain",
    "encode_error",
    "encode_history",
    "encode_lost",
    "encode_ping",
    "encode_pong",
    "encode_presence",
    "encode_subscribed",
    "encode_unsubscribed",
    "encode_welcome",
    "finish_message",
    "finish_messages",
]


class Who(msgspec.Struct, frozen=True):
    """A user, as others see them."""

    id: str
    name: str = ""


class TopicPosition(msgspec.Struct, frozen=True, omit_defaults=True):
    """One matching topic in the ``subscribed`` of a pattern."""

    epoch: str
    offset: int
    recovered: bool | None = None
    replayed: int | None = None


class Reply(msgspec.Struct, frozen=True, rename="camel", kw_only=True):
    """What a server says. Which fields mean something depends on ``type``.

    ``data`` is decoded, ``{"$bytes": …}`` in it is bytes again; times are in ms since the epoch;
    ``items`` are the `Reply`\\ s of a ``history``.
    """

    type: str
    topic: str | None = None
    data: Any = None
    offset: int | None = None
    timestamp: float | None = None
    message_id: str | None = None
    time: float | None = None
    user: Who | None = None
    subscription: str | None = None
    epoch: str | None = None
    skipped: int = 0
    retained: bool = False
    id: int | None = None
    # subscribed, unsubscribed, ack, lost, history, drain
    recovered: bool | None = None
    replayed: int | None = None
    topics: dict[str, TopicPosition] | None = None
    code: int | None = None
    reason: str | None = None
    resubscribe: bool = False
    duplicate: bool = False
    from_: int | None = msgspec.field(default=None, name="from")
    to: int | None = None
    count: int | None = None
    items: list[Reply] = []
    delay: tuple[float, float] | None = None
    # welcome, authenticated, presence
    version: int | None = None
    connection: str | None = None
    capabilities: list[str] = []
    encoding: str = "json"
    ping_interval: float | None = None
    expires: int | None = None
    key_memory: str | None = None
    limits: dict[str, int | float | None] = {}


# As they are written; another spelling is read, too.
_TYPES: Final = frozenset(
    (
        "ack",
        "authenticated",
        "drain",
        "error",
        "history",
        "lost",
        "message",
        "ping",
        "pong",
        "presence",
        "subscribed",
        "unsubscribed",
        "welcome",
    )
)
_one: Final = msgspec.json.Decoder(Reply)
_many: Final = msgspec.json.Decoder(list[Reply])
_encode: Final = msgspec.json.Encoder().encode


def decode_replies(frame: bytes | str) -> list[Reply]:
    """Returns what a text frame says, in order: one message, or those of an array.

    Raises:
        DecodeError: it is no JSON of the protocol.
    """
    try:
        found = _many.decode(frame) if frame[:1] in (b"[", "[") else [_one.decode(frame)]
    except (msgspec.DecodeError, UnicodeDecodeError) as fault:
        found = _decode_leniently(frame, fault)
    except RecursionError as fault:
        raise DecodeError("not JSON that can be read: nested too deeply") from fault
    if '"$bytes"' in frame if isinstance(frame, str) else b'"$bytes"' in frame:
        found = [_restored(reply) for reply in found]
    for place, reply in enumerate(found):
        if reply.type not in _TYPES:
            found[place] = msgspec.structs.replace(reply, type=reply.type.lower())
    return found


def _decode_leniently(frame: bytes | str, fault: Exception) -> list[Reply]:
    """Reads lone surrogates and numbers beyond a double, which payloads may have and msgspec refuses."""
    try:
        plain = json.loads(frame)
        return msgspec.convert(plain if isinstance(plain, list) else [plain], list[Reply])
    except RecursionError as again:
        raise DecodeError("not JSON that can be read: nested too deeply") from again
    except (ValueError, msgspec.ValidationError) as again:
        raise DecodeError(f"not a message of the protocol: {fault}") from again


def _restored(reply: Reply) -> Reply:
    return msgspec.structs.replace(
        reply, data=restore_bytes(reply.data), items=[_restored(item) for item in reply.items]
    )


# -- messages -----------------------------------------------------------------------------------------


@lru_cache(maxsize=4096)
def _user(id: str, name: str) -> bytes:  # noqa: A002
    return _encode(Who(id, name))


def encode_body(
    topic: str,
    data: bytes | Raw,
    *,
    offset: int | None,
    timestamp: int,
    time: int | None,
    message_id: str,
    user_id: str,
    user_name: str,
) -> bytes:
    """Returns a ``message`` around the JSON in ``data``, open at its end: `finish_message` closes it."""
    return b'{"type":"message","topic":%b,"data":%b%b,"timestamp":%d%b,"messageId":%b,"user":%b' % (
        encode_topic(topic),
        bytes(data),
        b"" if offset is None else b',"offset":%d' % offset,
        timestamp,
        b"" if time is None else b',"time":%d' % time,
        _encode(message_id),
        _user(user_id, user_name),
    )


def finish_message(
    body: bytes,
    *,
    subscription: str | None = None,
    epoch: str | None = None,
    skipped: int = 0,
    retained: bool = False,
) -> bytes:
    """Returns the ``message`` that ``body`` begins.

    Arguments:
        subscription: the name or pattern that it is delivered for; None in a ``history``.
        epoch: of the topic, where the client cannot know it yet.
        skipped: how many older ones a conflating subscription did not get.
        retained: it is the value that was kept, and moves no position.
    """
    return b"%b%b%b%b%b}" % (
        body,
        b"" if subscription is None else b',"subscription":%b' % encode_topic(subscription),
        b"" if epoch is None else b',"epoch":%b' % _encode(epoch),
        b',"skipped":%d' % skipped if skipped else b"",
        b',"retained":true' if retained else b"",
    )


def finish_messages(bodies: Iterable[bytes], *, subscription: str, epoch: str | None = None) -> list[bytes]:
    """Returns what `finish_message` does of each: a run for the same subscription, whose end is made once."""
    end = finish_message(b"", subscription=subscription, epoch=epoch)
    return [body + end for body in bodies]


def encode_lost(
    topic: str,
    *,
    reason: str,
    from_: int | None = None,
    to: int | None = None,
    count: int | None = None,
    epoch: str | None = None,
    subscription: str | None = None,
) -> bytes:
    """Returns what stands where messages would have: an inclusive range, or a count without history.

    ``epoch`` is the topic's where the client may not know it: they may be the first of a pattern's topic.
    """
    lost: dict[str, object] = {"type": "lost", "topic": topic}
    if count is None:
        lost["from"], lost["to"] = from_, to
    else:
        lost["count"] = count
    if epoch is not None:
        lost["epoch"] = epoch
    lost["reason"] = reason
    if subscription is not None:
        lost["subscription"] = subscription
    return _encode(lost)


def _place(epoch: str | None, offset: int | None) -> bytes:
    if epoch is None or offset is None:
        return b""
    return b',"epoch":%b,"offset":%d' % (_encode(epoch), offset)


# -- answers ------------------------------------------------------------------------------------------


def encode_welcome(
    *,
    id: int | None,  # noqa: A002
    connection: str,
    user_id: str,
    user_name: str,
    capabilities: Sequence[str],
    encoding: str,
    ping_interval: float | None,
    expires: int | None,
    key_memory: str,
    limits: Mapping[str, int | float | None],
) -> bytes:
    """Returns the answer to ``hello``. ``ping_interval`` is in seconds, ``expires`` in ms since the epoch."""
    return _encode(
        {
            "type": "welcome",
            "id": id,
            "version": 2,
            "connection": connection,
            "user": Who(user_id, user_name),
            "capabilities": list(capabilities),
            "encoding": encoding,
            "pingInterval": ping_interval,
            "expires": expires,
            "keyMemory": key_memory,
            "limits": dict(limits),
        }
    )


def encode_authenticated(*, id: int | None, expires: int | None) -> bytes:  # noqa: A002
    """Returns the answer to ``auth``; ``expires`` is in ms since the epoch, None for never."""
    return _encode({"type": "authenticated", "id": id, "expires": expires})


def encode_subscribed(
    topic: str,
    *,
    id: int | None,  # noqa: A002
    timestamp: int,
    epoch: str | None = None,
    offset: int | None = None,
    recovered: bool | None = None,
    replayed: int | None = None,
    topics: Mapping[str, TopicPosition] | None = None,
    count: int | None = None,
) -> bytes:
    """Returns the answer to ``subscribe``.

    Without history ``epoch`` and ``offset`` are None; ``recovered`` and ``replayed`` without ``since``;
    ``topics`` is for a pattern, ``count`` (the connections that are subscribed) for a name.
    """
    answer: dict[str, object] = {"type": "subscribed", "id": id, "topic": topic}
    if epoch is not None:
        answer["epoch"], answer["offset"] = epoch, offset
    if topics is not None:
        answer["topics"] = topics
    if recovered is not None:
        answer["recovered"] = recovered
    if replayed is not None:
        answer["replayed"] = replayed
    if count is not None:
        answer["data"] = {"presenceCount": count}
    answer["timestamp"] = timestamp
    return _encode(answer)


def encode_unsubscribed(
    topic: str,
    *,
    timestamp: int,
    id: int | None = None,  # noqa: A002
    code: int = 2000,
    reason: str = "",
    resubscribe: bool = False,
) -> bytes:
    """Returns the end of a subscription, asked for (2000) or not; ``resubscribe`` asks to come again."""
    answer: dict[str, object] = {"type": "unsubscribed"}
    if id is not None:
        answer["id"] = id
    answer |= {
        "topic": topic,
        "code": code,
        "reason": reason,
        "resubscribe": resubscribe,
        "timestamp": timestamp,
    }
    return _encode(answer)


def encode_ack(
    topic: str,
    *,
    id: int | None,  # noqa: A002
    message_id: str,
    epoch: str | None = None,
    offset: int | None = None,
    duplicate: bool = False,
) -> bytes:
    """Returns what a publisher waits for; without history there are no ``epoch`` and ``offset``."""
    return b'{"type":"ack","id":%b,"topic":%b%b,"messageId":%b,"duplicate":%b}' % (
        b"null" if id is None else b"%d" % id,
        _encode(topic),
        _place(epoch, offset),
        _encode(message_id),
        b"true" if duplicate else b"false",
    )


def encode_history(
    topic: str,
    *,
    id: int | None,  # noqa: A002
    epoch: str | None,
    offset: int | None,
    items: Iterable[bytes],
) -> bytes:
    """Returns the answer to ``history``; ``items`` are finished messages, ``offset`` is the newest."""
    return b'{"type":"history","id":%b,"topic":%b%b,"items":[%b]}' % (
        b"null" if id is None else b"%d" % id,
        _encode(topic),
        _place(epoch, offset),
        b",".join(items),
    )


def encode_presence(topic: str, *, version: int, connections: int, users: int, timestamp: int) -> bytes:
    """Returns how many follow ``topic`` now."""
    return (
        b'{"type":"presence","topic":%b,"version":%d,"data":{"presenceCount":%d,"userCount":%d},"timestamp":%d}'
        % (
            _encode(topic),
            version,
            connections,
            users,
            timestamp,
        )
    )


def encode_drain(low: float, high: float) -> bytes:
    """Returns the request to come back after a delay between ``low`` and ``high`` ms, drawn by each client."""
    return _encode({"type": "drain", "delay": [low, high]})


def encode_ping() -> bytes:
    """Returns the heartbeat's question."""
    return b'{"type":"ping"}'


def encode_pong(*, timestamp: int, id: int | None = None) -> bytes:  # noqa: A002
    """Returns the answer to a client's ``ping``."""
    return b'{"type":"pong"%b,"timestamp":%d}' % (b"" if id is None else b',"id":%d' % id, timestamp)


def encode_error(
    reason: str,
    code: str,
    *,
    timestamp: int,
    id: int | None = None,  # noqa: A002
    topic: str | None = None,
    close: int | None = None,
    reconnect: bool | None = None,
    retry: bool = False,
    retry_after: float | None = None,
) -> bytes:
    """Returns an ``error``: as in v1, with the ``id`` of what was asked. ``retry_after`` is in seconds."""
    data: dict[str, object] = {"error": reason, "code": str(code), "retry": retry, "retryAfter": retry_after}
    if close is not None:
        data["close"] = close
        data["reconnect"] = bool(reconnect)
    message: dict[str, object] = {"type": "error"}
    if id is not None:
        message["id"] = id
    if topic is not None:
        message["topic"] = topic
    message["data"] = data
    message["timestamp"] = timestamp
    return _encode(message)
