"""Asking a server what it carries: a real one, and answers that are none."""

from __future__ import annotations

import http.server
import threading
from collections.abc import Iterator
from typing import Any, ClassVar

import pytest

from nbrealtime.client import portal
from nbrealtime.client.target import Target, choose
from nbrealtime.errors import ConnectionFailed
from nbrealtime.live.stats import Neighbours, Stats, fetch_stats
from nbrealtime.server import Server
from nbrealtime.testing import running_server

from .fakes import Ear


class Answer(http.server.BaseHTTPRequestHandler):
    status = 200
    body = b"{}"
    seen: ClassVar[list[tuple[str, str | None]]]

    def do_GET(self) -> None:
        self.seen.append((self.path, self.headers.get("Authorization")))
        self.send_response(self.status)
        if self.status == 302:
            self.send_header("Location", f"http://localhost:{self.server.server_address[1]}/elsewhere")
        self.end_headers()
        self.wfile.write(self.body)

    def log_message(self, *_: Any) -> None:
        pass


@pytest.fixture
def answer() -> Iterator[type[Answer]]:
    """A server whose answer a test chooses; ``answer.url`` is its address."""

    class Own(Answer):
        seen: ClassVar[list[tuple[str, str | None]]] = []

    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Own)
    Own.url = f"ws://127.0.0.1:{server.server_address[1]}"  # type: ignore[attr-defined]
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    yield Own
    server.shutdown()
    server.server_close()
    thread.join()


@pytest.fixture
def server() -> Iterator[Server]:
    with running_server() as server:
        yield server


def target_of(server: Server) -> Target:
    return choose(server.url, server.token("ada"))


def test_a_server_lists_topics_with_their_subscribers(server: Server) -> None:
    from nbrealtime.live.connection import open_connection

    assert fetch_stats(target_of(server)) == Stats({}, ())
    with open_connection(server.url, server.token("ada")) as connection:
        for name in ("lab:temp", "lab:hum"):
            topic = connection.topic(name)
            connection.publish(name, 1)
            topic.wait(timeout=10)
        assert connection.fetch_topics() == {"lab:hum": 1, "lab:temp": 1}
        assert fetch_stats(target_of(server)).carrying == ("lab:hum", "lab:temp")
        assert fetch_stats(choose(server.url, server.token("bob", topics=["other"]))) == Stats({}, ())


def test_a_token_that_is_refused_is_told_and_not_shown(server: Server) -> None:
    with pytest.raises(ConnectionFailed, match="401") as caught:
        fetch_stats(choose(server.url, "not.a.token"))
    assert "not.a.token" not in str(caught.value)


def test_nobody_there(server: Server) -> None:
    target = target_of(server)
    server.close()
    with pytest.raises(ConnectionFailed, match="/ws/stats"):
        fetch_stats(target)


@pytest.mark.parametrize("body", [b"", b"[]", b"{", b'{"topics": 3}', b"\xff"])
def test_an_answer_that_lists_no_topics(answer: Any, body: bytes) -> None:
    answer.body = body
    with pytest.raises(ConnectionFailed):
        fetch_stats(choose(answer.url, "t"))


def test_rows_that_are_none_are_passed_over(answer: Any) -> None:
    answer.body = (
        b'{"topics": [3, {"topic": 4}, {"topic": "b"}, {"topic": "a", "subscribers": 2, "more": 1}]}'
    )
    assert fetch_stats(choose(answer.url, "t")) == Stats({"a": 2, "b": 0}, None)


def test_the_path_before_ws_is_kept_and_the_token_is_a_header(answer: Any) -> None:
    answer.body = b'{"topics": []}'
    fetch_stats(choose(f"{answer.url}/user/ada/proxy/8765/ws", "secret"))
    assert answer.seen == [("/user/ada/proxy/8765/ws/stats", "Bearer secret")]


def test_a_token_does_not_follow_a_redirection(answer: Any) -> None:
    answer.status = 302
    with pytest.raises(ConnectionFailed):
        fetch_stats(choose(answer.url, "secret"))
    assert all(token is None for path, token in answer.seen if path == "/elsewhere")


def neighbours(stats: Stats | None, heard: list[str]) -> Neighbours:
    found = Neighbours(lambda: choose("ws://127.0.0.1:1", "t"), lambda: heard)
    found._stats = stats
    return found


@pytest.mark.parametrize(
    ("stats", "heard", "hint"),
    [
        (None, [], ""),
        (None, ["lab:temp"], ""),
        (None, ["a"], "a carries data"),
        (Stats({"x": 1}, None), ["b", "a"], "a and b carry data"),
        (Stats({"x": 1}, ("a", "lab:temp")), ["b", "a"], "a and b carry data"),
        (None, list("abcdef"), "a, b, c, d and 2 more carry data"),
        (Stats({"x": 1}, ("lab:temp",)), [], "no other topic carries data"),
        (Stats({}, None), [], "the server has no other topic"),
        (Stats({"lab:temp": 1, "a": 1}, None), [], "the server's only other topic is a"),
        (Stats({"a": 1, "b": 1, "c": 1}, None), [], "the server's other topics are a, b and c"),
    ],
)
def test_a_hint_says_what_is_known(stats: Stats | None, heard: list[str], hint: str) -> None:
    assert neighbours(stats, heard).hint("lab:temp") == hint


def test_looking_around_asks_in_the_background_and_not_too_often(answer: Any) -> None:
    answer.body = b'{"topics": [{"topic": "a", "subscribers": 2}]}'
    found = Neighbours(lambda: choose(answer.url, "t"), list)
    done = Ear()
    for _ in range(3):
        found.refresh(lambda: done("answered"))
    done.wait(1)
    assert found.hint("lab:temp") == "the server's only other topic is a"
    assert len(answer.seen) == 1


def test_looking_around_in_vain_is_silent(answer: Any) -> None:
    answer.status = 500
    found = Neighbours(lambda: choose(answer.url, "t"), list)
    found.refresh(lambda: None)
    asked = portal.run(found._ask(lambda: None))
    asked.result(10)
    assert found.hint("lab:temp") == ""
