"""What a client says in the v2 dialect: one Struct for every request, its decoder and its encoders.

The server decodes with `decode_requests`; a client says with the ``encode_*``
of this module. What the server answers is in `nbrealtime.wire.replies`.

The one rule: a request that cannot be read is answered, never a reason to hang
up; so decoding returns the fault in the request's place, with the ``id`` that
the answer has to repeat, and the other requests of the frame count.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from functools import lru_cache
from typing import Annotated, Any, Final, Literal, final

import msgspec
from msgspec import UNSET, Meta, Raw, UnsetType

from nbrealtime.errors import DecodeError
from nbrealtime.wire.messages import ErrorCode

__all__ = [
    "BATCH_BYTES",
    "SUBPROTOCOL",
    "VERSION",
    "Policy",
    "Position",
    "Request",
    "Since",
    "decode_requests",
    "encode_auth",
    "encode_batches",
    "encode_hello",
    "encode_history",
    "encode_ping",
    "encode_pong",
    "encode_publish",
    "encode_subscribe",
    "encode_topic",
    "encode_unsubscribe",
]

SUBPROTOCOL: Final = "nbrealtime.v2"
VERSION: Final = 2
BATCH_BYTES: Final = 256 * 1024
"""The most that a frame with several messages may have."""

_TYPES: Final = frozenset(("publish", "subscribe", "unsubscribe", "history", "ping", "pong", "auth", "hello"))

Policy = Literal["disconnect", "drop_oldest", "conflate"]

_Offset = Annotated[int, Meta(ge=0, le=2**63 - 1)]
_Count = Annotated[int, Meta(ge=0, le=2**31)]
_Id = Annotated[int, Meta(ge=-(2**63 - 1), le=2**63 - 1)]
# A day either side of the year 9999: what a date can say.
_Time = Annotated[int, Meta(ge=-(2**48), lt=2**48)]


class Position(msgspec.Struct, frozen=True):
    """A place in a topic's history: after the message ``offset`` of ``epoch``."""

    epoch: str
    offset: _Offset


class Since(msgspec.Struct, frozen=True, omit_defaults=True):
    """Where a subscription begins: ``epoch`` and ``offset``, or ``count``, or ``topics`` for a pattern."""

    epoch: str | None = None
    offset: _Offset | None = None
    count: _Count | None = None
    topics: dict[str, Position] | None = None

    @property
    def position(self) -> Position | None:
        """The position that it names, or None."""
        if self.epoch is None or self.offset is None:
            return None
        return Position(self.epoch, self.offset)


@final
class Request(msgspec.Struct, frozen=True, rename="camel", kw_only=True):
    """What a client says. ``type`` is lower case; ``topic`` is not checked yet; ``data`` is its JSON.

    Which fields mean something depends on the type. ``time`` is the publisher's own, in ms; ``limit``
    is of a ``history``; ``max_rate`` in messages/s.
    """

    type: str
    id: _Id | None = None
    topic: str | None = None
    data: Raw | UnsetType = UNSET
    # publish
    time: _Time | None = None
    key: Annotated[str, Meta(min_length=1, max_length=255)] | None = None
    ack: bool = False
    retain: bool = False
    echo: bool = True
    # subscribe, history
    since: Since | Literal["last"] | None = None
    presence: bool = False
    policy: Policy = "disconnect"
    max_rate: Annotated[float, Meta(gt=0)] | None = None
    limit: Annotated[int, Meta(ge=1)] = 100
    reverse: bool = False
    # hello, auth
    version: int = VERSION
    client: str | None = None
    token: str | None = None
    capabilities: list[str] = []
    encoding: str = "json"
    flush_ms: Annotated[float, Meta(ge=0, le=60_000)] = msgspec.field(default=0, name="flushMs")


class _Envelope(msgspec.Struct):
    """As much of a request that cannot be read as its answer needs."""

    id: Any = None
    topic: Any = None


_one: Final = msgspec.json.Decoder(Request)
_many: Final = msgspec.json.Decoder(list[Request])
_raws: Final = msgspec.json.Decoder(list[Raw])
_envelope: Final = msgspec.json.Decoder(_Envelope)
_encode: Final = msgspec.json.Encoder().encode


def decode_requests(frame: bytes | str) -> list[Request | DecodeError]:
    """Returns what a text frame asks for, in order: one request, or those of an array.

    What cannot be read stands in its place as the `DecodeError` to answer with; nothing is raised.
    """
    try:
        # A frame is nearly always an object or an array without white space before it.
        if frame[:1] in (b"[", "["):
            found: list[Any] = _many.decode(frame)
        else:
            found = [_one.decode(frame)]
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as fault:
        return _decode_singly(frame, fault)
    for place, request in enumerate(found):
        if request.type not in _TYPES:
            found[place] = _known(request)
        elif request.since is not None:
            found[place] = _checked(request)
    return found


def _decode_singly(frame: bytes | str, fault: Exception) -> list[Request | DecodeError]:
    """Reads a frame that has a fault: request by request if it is an array."""
    if not isinstance(fault, RecursionError) and frame.lstrip()[:1] in (b"[", "["):
        try:
            parts = _raws.decode(frame)
        except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as again:
            return [_fault(frame, again)]
        return [_decode_one(bytes(part)) for part in parts]
    return [_fault(frame, fault)]


def _decode_one(part: bytes) -> Request | DecodeError:
    try:
        request = _one.decode(part)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as fault:
        return _fault(part, fault)
    known = _known(request)
    return known if isinstance(known, DecodeError) else _checked(known)


def _known(request: Request) -> Request | DecodeError:
    kind = request.type.lower()
    if kind in _TYPES:
        return _checked(msgspec.structs.replace(request, type=kind))
    shown = kind if len(kind) <= 40 else f"{kind[:40]}…"
    return DecodeError(
        f"unknown message type {json.dumps(shown)}",
        ErrorCode.UNKNOWN_TYPE,
        id=request.id,
        topic=request.topic,
    )


def _checked(request: Request) -> Request | DecodeError:
    """A ``since`` says one thing."""
    since = request.since
    if isinstance(since, Since):
        said = (since.epoch is not None) + (since.count is not None) + (since.topics is not None)
        if said != 1 or (since.epoch is None) is not (since.offset is None):
            return DecodeError(
                'since is "last", {"epoch": …, "offset": …}, {"count": …} or {"topics": {…}}',
                id=request.id,
                topic=request.topic,
            )
    return request


def _fault(frame: bytes | str, fault: Exception) -> DecodeError:
    number = topic = None
    try:
        envelope = _envelope.decode(frame)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        pass
    else:
        # A bool is an int to Python, not to the protocol.
        number = envelope.id if type(envelope.id) is int and abs(envelope.id) < 2**63 else None
        topic = envelope.topic if isinstance(envelope.topic, str) else None
    if isinstance(fault, RecursionError):
        reason = "not JSON that can be read: nested too deeply"
    elif isinstance(fault, msgspec.ValidationError):
        reason = f"not a message of the protocol: {fault}"
    else:
        reason = f"not JSON: {fault}"
    return DecodeError(reason, id=number, topic=topic)


# -- what a client says -------------------------------------------------------------------------------


@lru_cache(maxsize=4096)
def encode_topic(text: str) -> bytes:
    """Returns a topic's name, or a pattern, as JSON; remembered, since a stream says the same one in every message."""
    return _encode(text)


def encode_hello(
    *,
    id: int,  # noqa: A002 - the protocol's word
    client: str,
    token: str | None = None,
    capabilities: Sequence[str] = (),
    encoding: str = "json",
    flush_ms: float | None = None,
) -> bytes:
    """Returns the first message of a v2 connection."""
    hello: dict[str, object] = {"type": "hello", "id": id, "version": VERSION, "client": client}
    if token is not None:
        hello["token"] = token
    hello["capabilities"] = list(capabilities)
    hello["encoding"] = encoding
    if flush_ms is not None:
        hello["flushMs"] = flush_ms
    return _encode(hello)


def encode_subscribe(
    topic: str,
    *,
    id: int,  # noqa: A002
    since: Since | Position | Mapping[str, Position] | Literal["last"] | None = None,
    presence: bool = False,
    policy: Policy | None = None,
    max_rate: float | None = None,
) -> bytes:
    """Returns the request for a topic's, or a pattern's, messages.

    ``since`` may be a position, a mapping of a pattern's topics to theirs, ``"last"`` or a `Since`.
    """
    request: dict[str, object] = {"type": "subscribe", "id": id, "topic": topic}
    if since is not None:
        request["since"] = {"topics": since} if isinstance(since, Mapping) else since
    if presence:
        request["presence"] = True
    if policy is not None:
        request["policy"] = policy
    if max_rate is not None:
        request["maxRate"] = max_rate
    return _encode(request)


def encode_unsubscribe(topic: str, *, id: int) -> bytes:  # noqa: A002
    """Returns the request to end a subscription."""
    return _encode({"type": "unsubscribe", "id": id, "topic": topic})


def encode_publish(
    topic: str,
    data: bytes | Raw,
    *,
    id: int | None = None,  # noqa: A002
    time: int | None = None,
    key: str | None = None,
    ack: bool = False,
    retain: bool = False,
    echo: bool = True,
) -> bytes:
    """Returns a ``publish`` of the JSON in ``data``; ``time`` is the publisher's, in ms."""
    return b'{"type":"publish",%b"topic":%b,"data":%b%b%b%b%b%b}' % (
        b"" if id is None else b'"id":%d,' % id,
        encode_topic(topic),
        bytes(data),
        b"" if time is None else b',"time":%d' % time,
        b"" if key is None else b',"key":%b' % _encode(key),
        b',"ack":true' if ack else b"",
        b',"retain":true' if retain else b"",
        b"" if echo else b',"echo":false',
    )


def encode_history(
    topic: str,
    *,
    id: int,  # noqa: A002
    since: Position | None = None,
    limit: int | None = None,
    reverse: bool = False,
) -> bytes:
    """Returns the request for what a topic has kept after ``since`` (exclusive)."""
    request: dict[str, object] = {"type": "history", "id": id, "topic": topic}
    if since is not None:
        request["since"] = since
    if limit is not None:
        request["limit"] = limit
    if reverse:
        request["reverse"] = True
    return _encode(request)


def encode_auth(token: str, *, id: int) -> bytes:  # noqa: A002
    """Returns the renewal of a connection's token."""
    return _encode({"type": "auth", "id": id, "token": token})


def encode_ping() -> bytes:
    """Returns the heartbeat's question, which either side may ask."""
    return b'{"type":"ping"}'


def encode_pong() -> bytes:
    """Returns the answer to the server's ``ping``."""
    return b'{"type":"pong"}'


def encode_batches(messages: Sequence[bytes], limit: int = BATCH_BYTES) -> list[bytes]:
    """Returns the frames' payloads that carry ``messages``: arrays of at most ``limit`` bytes.

    One that stands alone is sent as it is; only such a one may be larger than the limit.
    """
    count = len(messages)
    if count == 1:
        return [messages[0]]
    # Nearly always they fit into one array, and nobody has to look at them one by one: there are one comma less
    # than messages, and two brackets.
    if count and sum(map(len, messages)) + count + 1 <= limit:
        return [b"[%b]" % b",".join(messages)]
    payloads: list[bytes] = []
    group: list[bytes] = []
    size = 1
    for message in messages:
        if group and size + len(message) + 1 > limit:
            payloads.append(_join(group))
            group, size = [], 1
        group.append(message)
        size += len(message) + 1
    if group:
        payloads.append(_join(group))
    return payloads


def _join(group: list[bytes]) -> bytes:
    return group[0] if len(group) == 1 else b"[%b]" % b",".join(group)
