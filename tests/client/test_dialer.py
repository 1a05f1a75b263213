"""How a socket is got, how long that may take, and what is said when there is none."""

from __future__ import annotations

import asyncio
import errno
import socket
import ssl
import threading
from collections.abc import Callable
from typing import Any

import pytest

from nbrealtime.client import dialer as module
from nbrealtime.client import portal
from nbrealtime.client.dialer import Dialer, explain
from nbrealtime.client.target import Place, Target
from nbrealtime.errors import ConnectionFailed, NoServer

from .clock import now, run


def target(token: Any = None) -> Target:
    return Target("k", "ws://x/ws", None, token)


async def never(*_: object, **__: object) -> Any:
    await asyncio.Event().wait()


# -- where it goes


def test_before_the_first_attempt_its_place_is_the_address() -> None:
    assert Dialer(target("t")).place == Place("ws://x/ws", None, None)


def test_what_is_known_needs_no_thread(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(portal, "blocking", never)
    dialer = Dialer(target("t"))
    assert run(dialer.find()) == dialer.place == Place("ws://x/ws", "t", None)


def test_a_function_that_fetches_the_token_runs_on_a_thread_of_its_own() -> None:
    threads: list[threading.Thread] = []

    def fetch() -> str:
        threads.append(threading.current_thread())
        return "fresh"

    assert asyncio.run(Dialer(target(fetch)).find()).token == "fresh"
    assert threads[0] is not threading.current_thread()
    assert threads[0].daemon, "the end of the process must not wait for it"


def test_asking_for_another_token_moves_nobody() -> None:
    tokens = iter(["first", "second"])
    dialer = Dialer(target(lambda: next(tokens)))

    async def check() -> None:
        await dialer.find()
        assert (await dialer.resolve()).token == "second"
        assert dialer.place.token == "first", "the socket that is open went there"

    asyncio.run(check())


def test_who_finds_nothing_stays_where_the_last_attempt_went() -> None:
    answers: list[Any] = ["first", 1 / 3]
    dialer = Dialer(target(lambda: answers.pop(0)))

    async def check() -> None:
        await dialer.find()
        with pytest.raises(ConnectionFailed):
            await dialer.find()
        assert dialer.place.token == "first"

    asyncio.run(check())


def test_a_function_that_never_returns_is_given_up_after_a_minute(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(portal, "blocking", never)

    async def check() -> None:
        with pytest.raises(ConnectionFailed) as caught:
            await Dialer(target(lambda: "t")).find()
        assert now() == 60
        assert "60 s" in explain(caught.value)
        assert caught.value.url == "ws://x/ws"

    run(check())


# -- the socket


class Opening:
    """Stands for `open_websocket`: remembers what was asked of it."""

    def __init__(self) -> None:
        self.asked: list[tuple[str, dict[str, Any]]] = []

    async def __call__(self, url: str, **options: Any) -> Any:
        self.asked.append((url, options))
        return "a socket"


@pytest.fixture
def opening(monkeypatch: pytest.MonkeyPatch) -> Opening:
    opening = Opening()
    monkeypatch.setattr(module, "open_websocket", opening)
    return opening


def nothing(*_: object) -> None:
    """Nobody listens."""


def open_it(dialer: Dialer, *, offers_v2: bool, tell: Callable[..., None] = nothing) -> Any:
    return dialer.open(offers_v2=offers_v2, on_frames=tell, on_writable=tell, on_socket=tell)


@pytest.mark.parametrize(
    ("offers_v2", "url", "subprotocol"),
    [(True, "ws://x/ws", "nbrealtime.v2"), (False, "ws://x/ws?token=secret", None)],
)
def test_with_the_offer_the_token_is_not_in_the_address(
    opening: Opening, offers_v2: bool, url: str, subprotocol: str | None
) -> None:
    dialer = Dialer(target("secret"))

    async def check() -> None:
        await dialer.find()
        assert await open_it(dialer, offers_v2=offers_v2, tell=nothing) == "a socket"

    run(check())
    ears = dict.fromkeys(("on_frames", "on_writable", "on_socket"), nothing)
    assert opening.asked == [(url, {"subprotocol": subprotocol, **ears})]


def test_a_handshake_that_is_never_answered_is_given_up(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "open_websocket", never)

    async def check() -> None:
        with pytest.raises(TimeoutError) as caught:
            await open_it(Dialer(target()), offers_v2=True)
        assert now() == 10
        assert explain(caught.value) == "no answer within 10 s"

    run(check())


# -- in words


@pytest.mark.parametrize(
    ("fault", "words"),
    [
        (
            ConnectionRefusedError(errno.ECONNREFUSED, "refused"),
            "nothing listens there: is the server running?",
        ),
        (TimeoutError(), "no answer within 10 s"),
        (TimeoutError(errno.ETIMEDOUT, "timed out"), "no answer within 10 s"),
        (socket.gaierror(-2, "Name or service not known"), "the host's name is not known"),
        (OSError(errno.EHOSTUNREACH, "No route to host"), "No route to host"),
        (OSError("of our own making"), "of our own making"),
        (ValueError("no address"), "no address"),
        (NoServer(), str(NoServer())),
    ],
    ids=lambda value: type(value).__name__ if isinstance(value, Exception) else "",
)
def test_a_fault_is_explained_for_people(fault: Exception, words: str) -> None:
    assert explain(fault) == words


@pytest.mark.parametrize(
    ("reason", "words"), [("CERTIFICATE_VERIFY_FAILED", "CERTIFICATE_VERIFY_FAILED"), (None, "many words")]
)
def test_what_is_not_secure_is_named_by_its_reason(reason: Any, words: str) -> None:
    fault = ssl.SSLCertVerificationError(1, "many words")
    fault.reason = reason
    assert explain(fault).startswith("no secure connection: ")
    assert explain(fault).endswith(words)
