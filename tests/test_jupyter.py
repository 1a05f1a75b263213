"""Where nbrealtime is installed, a Jupyter server sends a kernel's small messages without waiting."""

from __future__ import annotations

import asyncio
import json
import socket
from importlib import import_module
from pathlib import Path

import pytest
from tornado.httpserver import HTTPServer
from tornado.testing import bind_unused_port
from tornado.web import Application
from tornado.websocket import WebSocketHandler, websocket_connect

from nbrealtime.jupyter import send_at_once

CONFIG = Path(__file__).parents[1] / "nbrealtime" / "jupyter_server_config.json"


async def opened(handler: type[WebSocketHandler]) -> None:
    bound, port = bind_unused_port()
    server = HTTPServer(Application([("/", handler)]))
    server.add_socket(bound)
    client = await websocket_connect(f"ws://127.0.0.1:{port}/")
    await client.write_message("hello")
    assert await client.read_message() == "hello"
    client.close()
    server.stop()
    await server.close_all_connections()


@pytest.mark.parametrize("kind", ["plain", "awaited"])
def test_a_websocket_opens_as_before_and_without_nagles_algorithm(kind):
    seen: list[tuple[str, int]] = []

    class Handler(WebSocketHandler):
        def note(self) -> None:
            option = self.ws_connection.stream.socket.getsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY)
            seen.append((kind, option))

        if kind == "plain":

            def open(self) -> None:
                self.note()
        else:

            async def open(self) -> None:
                await asyncio.sleep(0)
                self.note()

        def on_message(self, message: str) -> None:
            self.write_message(message)

    send_at_once(Handler)
    send_at_once(Handler)
    asyncio.run(opened(Handler))
    assert [(name, bool(option)) for name, option in seen] == [(kind, True)]


def test_what_the_package_brings_names_an_extension_that_jupyter_can_load():
    config = json.loads(CONFIG.read_text())
    ((name, enabled),) = config["ServerApp"]["jpserver_extensions"].items()
    assert enabled
    module = import_module(name)
    assert module._jupyter_server_extension_points() == [{"module": name}]
    assert callable(module._load_jupyter_server_extension)
