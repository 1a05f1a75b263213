"""The door lets those who come at once in by tens, so that the loop turns between them."""

from __future__ import annotations

import asyncio
import socket

from nbrealtime.server.door import _TOGETHER, Door
from nbrealtime.server.lobby import Lobby

CROWD = 6 * _TOGETHER


async def let_in() -> list[int]:
    """How many came in with each turn of the loop."""
    listener = socket.create_server(("127.0.0.1", 0), backlog=CROWD)
    listener.setblocking(False)
    crowd = [socket.create_connection(listener.getsockname()) for _ in range(CROWD)]
    inside: list[asyncio.Protocol] = []

    def protocol(_arrival: object) -> asyncio.Protocol:
        inside.append(asyncio.Protocol())
        return inside[-1]

    door = Door(listener, protocol, Lobby(2 * CROWD))
    steps = []
    async with asyncio.timeout(10):
        while len(inside) < CROWD:
            before = len(inside)
            await asyncio.sleep(0)
            steps.append(len(inside) - before)
    await door.close()
    for guest in crowd:
        guest.close()
    return steps


def test_a_crowd_is_let_in_by_tens():
    assert max(asyncio.run(let_in())) <= _TOGETHER
