"""The bytes of a client that opens a connection and says something."""

from __future__ import annotations

from websockets.frames import Frame, Opcode
from websockets.http11 import Request

from nbrealtime.server.connection.core import Core


def request(target: str = "/ws", *, subprotocol: str | None = None) -> bytes:
    """The head of a request that asks for an upgrade."""
    offered = "" if subprotocol is None else f"Sec-WebSocket-Protocol: {subprotocol}\r\n"
    return (
        f"GET {target} HTTP/1.1\r\nHost: x\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n{offered}"
        "Sec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\nSec-WebSocket-Version: 13\r\n\r\n"
    ).encode()


def text(message: bytes | str, *, fin: bool = True) -> bytes:
    """A text frame, or the first part of one."""
    content = message.encode() if isinstance(message, str) else message
    return Frame(Opcode.TEXT, content, fin=fin).serialize(mask=True)


def frame(opcode: Opcode, content: bytes = b"", *, fin: bool = True) -> bytes:
    return Frame(opcode, content, fin=fin).serialize(mask=True)


def opened(message_bytes: int | None = 2**20) -> Core:
    """A core whose client has its upgrade."""
    core = Core(message_bytes)
    core.receive_data(request())
    [asked] = core.events_received()
    assert isinstance(asked, Request)
    core.send_response(core.accept(asked))
    core.data_to_send()
    return core
