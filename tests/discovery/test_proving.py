"""The proof that an address is its entry's writer's: given, forged, late, broken."""

from __future__ import annotations

import asyncio
import socket
import threading
import time
from collections.abc import Callable

import pytest

from nbrealtime import discovery
from nbrealtime.server import serve

from .conftest import KEY


def both(entry: discovery.Entry, timeout: float = 5.0) -> bool:
    """What both faces of `verify` say."""
    blocking = discovery.verify(entry, timeout)
    assert asyncio.run(discovery.averify(entry, timeout)) is blocking
    return blocking


def test_the_writer_of_an_entry_proves_it() -> None:
    with serve() as server:
        assert server.entry is not None
        assert both(server.entry)


def test_another_key_is_not_proven() -> None:
    with serve() as server:
        assert not both(discovery.describe(server.url, "t", KEY, kind="kernel"))


def test_an_address_where_nobody_listens_proves_nothing() -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]
    assert not both(discovery.describe(f"ws://127.0.0.1:{port}", "t", KEY, kind="kernel"))


@pytest.mark.parametrize(
    "answer",
    [
        b"",
        b"HTTP/1.1 200 OK\r\n\r\n",
        b"HTTP/1.1 200 OK\r\n\r\nnull",
        b'HTTP/1.1 200 OK\r\n\r\n{"status":"ok"}',
        b'HTTP/1.1 200 OK\r\n\r\n{"proof":7}',
        b'HTTP/1.1 200 OK\r\n\r\n{"proof":"\xff"}',
        'HTTP/1.1 200 OK\r\n\r\n{"proof":"ä"}'.encode(),
        b'HTTP/1.1 200 OK\r\n\r\n{"proof":""}',
        b"\x00" * 200_000,
    ],
)
def test_an_answer_that_is_no_proof_is_none(answer: bytes) -> None:
    with _Answering(answer) as port:
        assert not both(discovery.describe(f"ws://127.0.0.1:{port}", "t", KEY, kind="kernel"))


def test_the_proof_must_come_with_success() -> None:
    def answer(request: bytes) -> bytes:
        nonce = request.split(b"nonce=")[1].split(b" ")[0].decode()
        return f'HTTP/1.1 {status} x\r\n\r\n{{"proof":"{discovery.proof(KEY, nonce)}"}}'.encode()

    with _Answering(answer) as port:
        entry = discovery.describe(f"ws://127.0.0.1:{port}/user/x/proxy/1/ws", "t", KEY, kind="kernel")
        status = 200
        assert both(entry)
        status = 500
        assert not both(entry)


def test_the_proof_is_asked_for_where_the_address_is() -> None:
    with _Answering(b"") as port:
        for path in ("", "/ws", "/user/x/proxy/1/ws"):
            discovery.verify(discovery.describe(f"ws://127.0.0.1:{port}{path}", "t", KEY, kind="kernel"))
        lines = [request.split(b"?")[0] for request in _Answering.requests]
    assert lines == [b"GET /health", b"GET /health", b"GET /user/x/proxy/1/health"]
    assert b"a token" not in b"".join(_Answering.requests)
    nonces = {request.split(b"nonce=")[1].split(b" ")[0] for request in _Answering.requests}
    assert len(nonces) == 3
    assert all(len(nonce) >= 32 for nonce in nonces)


def test_an_answer_that_trickles_in_does_not_keep_us() -> None:
    with _Answering(b"HTTP/1.1 200 OK\r\n\r\n", trickle=True) as port:
        begin = time.monotonic()
        assert not both(discovery.describe(f"ws://127.0.0.1:{port}", "t", KEY, kind="kernel"), 0.3)
        assert time.monotonic() - begin < 20


class _Answering:
    """Answers every request with the same bytes, or with what a function makes of the request."""

    requests: list[bytes]

    def __init__(self, answer: bytes | Callable[[bytes], bytes], *, trickle: bool = False) -> None:
        _Answering.requests = []
        self._answer = answer
        self._trickle = trickle
        self._over = threading.Event()
        self._listener = socket.create_server(("127.0.0.1", 0))
        self._thread = threading.Thread(target=self._run, daemon=True)

    def _run(self) -> None:
        while True:
            try:
                connection, _ = self._listener.accept()
            except OSError:
                return
            try:
                with connection:
                    request = connection.recv(65536)
                    _Answering.requests.append(request)
                    answer = self._answer if isinstance(self._answer, bytes) else self._answer(request)
                    connection.sendall(answer)
                    while self._trickle and not self._over.wait(0.05):
                        connection.sendall(b" ")
            except OSError:
                pass  # whoever asked has seen enough

    def __enter__(self) -> int:
        self._thread.start()
        return int(self._listener.getsockname()[1])

    def __exit__(self, *_: object) -> None:
        self._over.set()
        self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()
        self._thread.join(10)


@pytest.mark.parametrize(
    "url",
    [
        *("", "x", "wss://h", "ws://", "ws://h:99999", "ws://[", "ws://ä\r\nX: y"),
        *("ws://a..b", "ws://a\0b", f"ws://{'a' * 64}.b"),
    ],
)
def test_an_entry_without_a_plain_address_proves_nothing(url: str) -> None:
    assert not both(discovery.describe(url, "t", KEY, kind="kernel"))


def test_the_proof_is_an_hmac_under_the_entry_key() -> None:
    import hashlib
    import hmac

    assert discovery.proof("key", "nonce") == hmac.new(b"key", b"nonce", hashlib.sha256).hexdigest()
