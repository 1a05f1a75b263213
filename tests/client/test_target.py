"""Where a connection goes, and with which token."""

from __future__ import annotations

import base64
import json
import os
from collections.abc import Callable
from typing import Any

import pytest

from nbrealtime import discovery
from nbrealtime.client.target import Place, choose, normalise
from nbrealtime.errors import AmbiguousServer, ConnectionFailed, NoServer, UntrustedServer
from nbrealtime.server import serve
from nbrealtime.testing import running_server


@pytest.mark.parametrize(
    ("given", "meant"),
    [
        ("ws://h:1", "ws://h:1/ws"),
        ("ws://h:1/", "ws://h:1/ws"),
        ("ws://h:1/ws", "ws://h:1/ws"),
        ("ws://h:1/ws/", "ws://h:1/ws"),
        ("http://h:1", "ws://h:1/ws"),
        ("https://h", "wss://h/ws"),
        ("wss://h:443", "wss://h/ws"),
        ("WS://H:80", "ws://h/ws"),
        ("ws://[::1]:7", "ws://[::1]:7/ws"),
        ("https://hub/user/x/proxy/1234/ws", "wss://hub/user/x/proxy/1234/ws"),
        ("https://hub/user/x/proxy/1234/", "wss://hub/user/x/proxy/1234/ws"),
        ("ws://h/realtime?flavour=plain", "ws://h/realtime?flavour=plain"),
        (" ws://h:1 ", "ws://h:1/ws"),
    ],
)
def test_an_address_is_understood(given: str, meant: str) -> None:
    assert normalise(given) == meant
    assert normalise(meant) == meant


@pytest.mark.parametrize(
    "given",
    ["", "h:1", "127.0.0.1:8750", "ftp://h", "ws://", "ws://h:99999", "ws://h:port", "ws://[::1", "ws:///ws"],
)
def test_what_is_no_address_is_a_value_error_that_shows_one(given: str) -> None:
    with pytest.raises(ValueError, match="write 'ws://host:port'"):
        normalise(given)


@pytest.mark.parametrize("given", ["ws://ada:geheim@h:1", "ws://ada:geheim@h:port", "ftp://ada:geheim@h"])
def test_an_address_with_a_password_is_refused_without_showing_it(given: str) -> None:
    with pytest.raises(ValueError, match="token") as caught:
        normalise(given)
    assert "geheim" not in str(caught.value)


def test_an_address_that_is_none_does_not_show_its_query() -> None:
    with pytest.raises(ValueError) as caught:
        normalise("h:1?token=geheim")
    assert "geheim" not in str(caught.value)


def test_without_anything_there_is_no_server() -> None:
    with pytest.raises(NoServer, match="%rtserver"):
        choose(None, None)


def test_the_environment_names_one(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("NBREALTIME_URL", "ws://elsewhere:1")
    monkeypatch.setenv("NBREALTIME_TOKEN", "from outside")
    assert choose(None, None).resolve() == Place("ws://elsewhere:1/ws", "from outside", None)
    assert choose(None, "mine").resolve().token == "mine"


def test_the_environments_token_is_for_its_address_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("NBREALTIME_URL", "ws://elsewhere:1")
    monkeypatch.setenv("NBREALTIME_TOKEN", "from outside")
    assert choose("http://elsewhere:1/ws", None).resolve().token == "from outside"
    assert choose("ws://stranger:1", None).resolve().token is None


def test_this_process_own_server_comes_before_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("NBREALTIME_URL", "ws://elsewhere:1")
    with running_server() as server:
        assert choose(None, None).resolve().url == f"{server.url}/ws"


def test_a_stopped_server_is_not_replaced_by_a_strangers() -> None:
    with serve() as stranger:
        discovery.set_local(None)
        with running_server():
            target = choose(None, None)
            target.resolve()
        with pytest.raises(NoServer):
            target.resolve()
        assert choose(None, None).resolve().url == f"{stranger.url}/ws"


def test_what_was_found_is_looked_up_again_each_time() -> None:
    with serve() as server:
        discovery.set_local(None)
        target = choose(None, None)
        assert target.may_block
        assert target.resolve() == Place(f"{server.url}/ws", server.entry.token, target.resolve().user)  # type: ignore[union-attr]
    with pytest.raises(NoServer):
        target.resolve()
    with serve() as other:
        discovery.set_local(None)
        assert target.resolve().url == f"{other.url}/ws"


def test_several_servers_are_listed() -> None:
    with serve() as one, serve() as two:
        discovery.set_local(None)
        with pytest.raises(AmbiguousServer) as caught:
            choose(None, None)
        assert one.url in str(caught.value)
        assert two.url in str(caught.value)
        # What the message says to type works.
        assert choose(two.url, None).resolve().token == two.entry.token  # type: ignore[union-attr]


def test_no_token_goes_to_an_address_that_cannot_prove_its_entry() -> None:
    with serve() as server:
        forged = discovery.advertise(server.url, "a token worth having", "00" * 32, kind="kernel")
        server._advertisement.close()  # type: ignore[union-attr]
        discovery.set_local(None)
        with pytest.raises(UntrustedServer) as caught:
            choose(None, None).resolve()
        forged.close()
    assert "worth having" not in str(caught.value)


def test_a_token_in_the_address_is_a_token() -> None:
    place = choose("ws://h:1?token=abc&x=1", None).resolve()
    assert place.token == "abc"
    assert place.url == "ws://h:1/ws?x=1"
    assert place.full_url == "ws://h:1/ws?x=1&token=abc"


def test_a_token_may_be_a_function_that_is_asked_each_time() -> None:
    tokens = iter(["first", "second"])
    target = choose("ws://h:1", lambda: next(tokens))
    assert target.may_block
    assert [target.resolve().token, target.resolve().token] == ["first", "second"]


@pytest.mark.parametrize("token", [lambda: 1 / 0, lambda: 7])
def test_a_function_that_brings_no_token_is_a_failed_connection(token: Callable[[], Any]) -> None:
    with pytest.raises(ConnectionFailed, match="token"):
        choose("ws://h:1", token).resolve()


def test_the_same_address_and_token_are_the_same_target() -> None:
    def fetch() -> str:
        return "t"

    assert choose("ws://h:1", "t").key == choose("http://h:1/ws", "t").key
    assert choose("ws://h:1", "t").key != choose("ws://h:1", "u").key
    assert choose("ws://h:1", fetch).key == choose("ws://h:1", fetch).key


@pytest.mark.parametrize(
    ("claims", "user"),
    [
        ({"sub": "u1", "name": "Ada"}, "Ada"),
        ({"userId": 7, "username": "grace"}, "grace"),
        ({"userId": 7}, "7"),
        ({}, None),
        ([], None),
    ],
)
def test_who_we_are_is_read_from_the_token(claims: Any, user: str | None) -> None:
    body = base64.urlsafe_b64encode(json.dumps(claims).encode()).rstrip(b"=").decode()
    assert choose("ws://h:1", f"x.{body}.y").resolve().user == user


@pytest.mark.parametrize("token", ["plain", "a.!!!.c", "a.b.c", "..", "a.b.c.d", "ä.ö.ü"])
def test_a_token_that_says_nothing_says_nobody(token: str) -> None:
    assert choose("ws://h:1", token).resolve().user is None


def test_the_environment_is_clean() -> None:
    assert "NBREALTIME_URL" not in os.environ
