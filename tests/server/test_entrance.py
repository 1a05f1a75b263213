"""What stands in the entrance is bounded in time, in bytes and in number."""

from __future__ import annotations

import asyncio
import socket

import pytest

from nbrealtime.hub import Limits
from nbrealtime.server import Config
from nbrealtime.server import service as service_module
from nbrealtime.server.service import Service


async def ask(port, *parts):
    """Sends the parts and returns everything until the server closes."""
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    for part in parts:
        writer.write(part)
        await writer.drain()
    answer = await reader.read()
    writer.close()
    return answer


async def until(condition):
    """Lets the loop turn until the condition holds; the test's own bound ends it otherwise."""
    while not condition():  # noqa: ASYNC110 - sockets of the same loop, and no event says that they closed
        await asyncio.sleep(0)


@pytest.fixture
def run():
    """Runs a coroutine function with a started service."""

    def runner(check, **options):
        async def main():
            service = Service(Config(**options), key="k")
            await service.start()
            try:
                await asyncio.wait_for(check(service), 20)
            finally:
                await service.stop(1)

        asyncio.run(main())

    return runner


def test_a_head_that_does_not_come_in_time_is_refused(run):
    async def check(service):
        assert (await ask(service.port, b"GET /health HTTP/1.1\r\n")).startswith(b"HTTP/1.1 408")
        assert (await ask(service.port)).startswith(b"HTTP/1.1 408")

    run(check, head_seconds=0.05)


def test_a_body_that_does_not_come_in_time_is_refused(run):
    async def check(service):
        token = service.authority.issue("ada")
        head = f"POST /ws/publish HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer {token}\r\nContent-Length: 100\r\n\r\n"
        reader, writer = await asyncio.open_connection("127.0.0.1", service.port)
        writer.write(head.encode() + b'{"topic"')
        assert (await reader.readline()).startswith(b"HTTP/1.1 408")
        writer.close()

    run(check, request_seconds=0.05)


def test_a_large_head_is_refused_before_it_ends(run):
    async def check(service):
        answer = await ask(service.port, b"GET /health HTTP/1.1\r\nX: " + b"x" * 20_000)
        assert answer.startswith(b"HTTP/1.1 431")
        assert b'{"error"' in answer

    run(check)


def test_an_idle_http_connection_is_closed(run):
    async def check(service):
        reader, writer = await asyncio.open_connection("127.0.0.1", service.port)
        writer.write(b"GET /health HTTP/1.1\r\nHost: x\r\n\r\n")
        assert b"200 OK" in await reader.read()
        writer.close()

    run(check, idle_seconds=0.05)


def test_too_many_sockets_are_turned_away_unheard_and_the_rest_go_on(run, monkeypatch):
    monkeypatch.setattr(service_module, "_SPARE_TRANSPORTS", 2)

    async def check(service):
        waiting = [socket.create_connection(("127.0.0.1", service.port)) for _ in range(3)]
        await until(lambda: len(service.lobby) == 3)
        assert (await ask(service.port)).startswith(b"HTTP/1.1 503")
        for one in waiting:
            one.close()
        await until(lambda: not len(service.lobby))
        assert b"200 OK" in await ask(
            service.port, b"GET /health HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n"
        )

    run(check, limits=Limits(connections=1))


def test_nothing_is_left_behind(run):
    async def check(service):
        for request in (
            b"GET /health HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n",
            b"GET /ws HTTP/1.1\r\nUpgrade: websocket\r\n\r\n",
        ):
            await ask(service.port, request)
        await until(lambda: not len(service.roster) and not service._http.count)
        assert not len(service.lobby)
        assert not service.hub.sessions

    run(check)
