"""A connection that was turned away is freed at once, not when Python next looks for circles."""

from __future__ import annotations

import asyncio
import gc
import weakref
from typing import Any

import pytest
from websockets.frames import Frame, Opcode

from nbrealtime.errors import UnknownKey
from nbrealtime.server import Config
from nbrealtime.server.service import Service

HEAD = b"GET /ws HTTP/1.1\r\nHost: x\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Version: 13\r\n"
KEY = b"Sec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\n"
OFFER = b"Sec-WebSocket-Protocol: nbrealtime.v2\r\n"
V2 = HEAD + KEY + OFFER + b"\r\n"


def text(message: bytes) -> bytes:
    return Frame(Opcode.TEXT, message).serialize(mask=True)


@pytest.fixture
def no_collector() -> Any:
    """Nothing but the counting of references frees anything."""
    gc.collect()
    gc.disable()
    yield
    gc.enable()


def watch(service: Service) -> asyncio.Queue[str]:
    """What of the connections is freed from now on, by its name."""
    freed: asyncio.Queue[str] = asyncio.Queue()
    make = service.websocket_protocol

    def made() -> asyncio.Protocol:
        connection: Any = make()
        weakref.finalize(connection, freed.put_nowait, "connection")
        weakref.finalize(connection._core, freed.put_nowait, "core")
        return connection

    service.websocket_protocol = made  # type: ignore[method-assign]
    return freed


async def visit(service: Service, *parts: bytes, stays: bool = True) -> None:
    """Says the parts, and reads to the end unless it leaves."""
    reader, writer = await asyncio.open_connection("127.0.0.1", service.port)
    for part in parts:
        writer.write(part)
    if stays:
        await reader.read()
    else:
        await reader.readuntil(b"\r\n\r\n")
    writer.close()


VISITS: dict[str, tuple[bytes, ...]] = {
    "no token": (HEAD + KEY + b"\r\n",),
    "no handshake": (HEAD + OFFER + b"\r\n",),
    "no key": (HEAD + b"Sec-WebSocket-Key: none\r\n" + OFFER + b"\r\n",),
    "no request": (HEAD + KEY + b"no header\r\n\r\n",),
    "no hello in time": (V2,),
    "a bad hello": (V2, text(b'{"type":"hello","id":1,"version":2,"client":"c","token":"no"}')),
    "no frame": (V2, b"\xff\xff\xff\xff"),
}


@pytest.mark.usefixtures("no_collector")
@pytest.mark.parametrize("visitor", [*VISITS, "gone"])
def test_who_was_turned_away_leaves_nothing_behind(visitor: str) -> None:
    async def main() -> None:
        hello_seconds = 0.05 if visitor == "no hello in time" else 10
        service = Service(Config(hello_seconds=hello_seconds, close_seconds=0.05), key="k")
        await service.start()
        freed = watch(service)
        await visit(service, *VISITS.get(visitor, (V2,)), stays=visitor != "gone")
        async with asyncio.timeout(5):
            assert {await freed.get(), await freed.get()} == {"connection", "core"}
        await service.stop(1)

    asyncio.run(main())


@pytest.mark.usefixtures("no_collector")
def test_who_is_ended_while_his_key_is_looked_for_leaves_nothing_behind(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    async def main() -> None:
        service = Service(Config(), key="k")
        await service.start()
        freed, looking = watch(service), asyncio.Event()

        def admit(request: object, *, final: bool = False) -> None:
            raise UnknownKey("its key is not known")

        async def fetch() -> None:
            looking.set()
            await asyncio.Event().wait()

        monkeypatch.setattr(service.admissions, "admit", admit)
        monkeypatch.setattr(service.authority, "fetch", fetch)
        _, writer = await asyncio.open_connection("127.0.0.1", service.port)
        writer.write(V2)
        async with asyncio.timeout(5):
            await looking.wait()
            for connection in service.roster.everybody():
                connection.abort()
            del connection
            assert {await freed.get(), await freed.get()} == {"connection", "core"}
        writer.close()
        await service.stop(1)

    asyncio.run(main())
