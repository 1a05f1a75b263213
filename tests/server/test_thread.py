"""A server as its owner sees it: started, found, asked, stopped."""

from __future__ import annotations

import http.client
import json
import os
import socket
import subprocess
import sys
import threading

import pytest
from websockets.exceptions import ConnectionClosed
from websockets.sync.client import connect

from nbrealtime import discovery
from nbrealtime.errors import AddressInUse, ServerError
from nbrealtime.server import serve


def test_it_listens_when_serve_returns_and_no_more_when_close_does():
    server = serve()
    assert (server.url, server.http_url) == (
        f"ws://127.0.0.1:{server.port}",
        f"http://127.0.0.1:{server.port}",
    )
    assert repr(server) == f"Server('{server.url}')"
    with connect(f"{server.url}/ws?token={server.token('ada')}") as socket_:
        assert json.loads(socket_.recv(timeout=10))["type"] == "message"
        server.close()
        with pytest.raises(ConnectionClosed) as end:
            socket_.recv(timeout=10)
        assert end.value.rcvd.code == 1001
    assert server.closed
    assert "closed" in repr(server)
    with pytest.raises(OSError):
        socket.create_connection(("127.0.0.1", server.port), timeout=5)


def test_its_thread_has_a_name_and_ends():
    with serve() as server:
        [thread] = [thread for thread in threading.enumerate() if thread.name == "nbrealtime-server"]
        assert thread.daemon
    assert server.closed
    assert not thread.is_alive()


def test_closing_twice_and_from_several_threads_is_harmless():
    server = serve()
    threads = [threading.Thread(target=server.close) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(10)
    server.close()
    assert server.closed
    with pytest.raises(ServerError, match="closed"):
        server.stats()


def test_a_port_in_use_gets_a_sentence():
    with serve() as server, pytest.raises(AddressInUse, match=str(server.port)):
        serve(server.port)


def test_a_port_is_free_again_after_close():
    server = serve()
    with connect(f"{server.url}/ws?token={server.token('ada')}"):
        server.close()
    serve(server.port).close()


def test_a_host_that_is_not_ours_gets_a_sentence():
    with pytest.raises(ServerError, match=r"192\.0\.2\.1"):
        serve(host="192.0.2.1")
    with pytest.raises(ServerError, match="no-such-host"):
        serve(host="no-such-host.invalid")


def test_a_mistake_in_the_options_starts_nothing():
    before = threading.active_count()
    with pytest.raises(ValueError, match="web origin"):
        serve(origins=["nonsense"])
    with pytest.raises(ValueError, match="algorithms"):
        serve(algorithms=("none",))
    assert threading.active_count() == before


def test_it_is_found_while_it_runs_and_not_afterwards():
    with serve() as server:
        [entry] = discovery.entries()
        assert (entry.url, entry.pid) == (server.url, os.getpid())
        assert discovery.local() == server.entry == discovery.find()
        assert discovery.verify(entry)
        with connect(f"{entry.url}/ws?token={entry.token}"):
            pass
    assert discovery.entries() == []
    assert discovery.local() is None


def test_the_entry_never_holds_the_secret():
    with serve(secret="the secret that signs everything!") as server:
        [entry] = discovery.entries()
        with open(entry.path, encoding="utf-8") as file:
            assert "the secret" not in file.read()
        assert server.entry.key not in repr(server)


def test_unadvertised_it_is_not_found():
    with serve(advertise=False):
        assert discovery.entries() == []
        assert discovery.local() is None


def test_a_later_server_is_not_forgotten_with_an_earlier_one():
    first, second = serve(), serve()
    first.close()
    assert discovery.local() == second.entry
    second.close()


def test_stats_count_what_goes_in_and_out():
    with serve() as server, connect(f"{server.url}/ws?token={server.token('ada')}") as socket_:
        socket_.recv(timeout=10)
        socket_.send('{"type":"subscribe","topic":"a"}')
        socket_.recv(timeout=10), socket_.recv(timeout=10)
        stats = server.stats()
        assert stats["topics"] == [{"topic": "a", "subscribers": 1}]
        assert (stats["totalTopics"], stats["totalSubscribers"], stats["connections"]) == (1, 1, 1)
        assert (stats["messagesIn"], stats["messagesOut"]) == (1, 3)
        assert stats["uptime"] >= 0


@pytest.mark.parametrize("host", ["localhost", "0.0.0.0"])
def test_it_is_reached_under_a_name_that_a_client_can_use(host):
    with serve(host=host) as server, connect(f"{server.url}/ws?token={server.token('ada')}"):
        assert "0.0.0.0" not in server.url


def test_the_interpreter_ends_with_a_goodbye_and_without_an_entry():
    code = (
        "import sys; from nbrealtime.server import serve\n"
        "server = serve(); print(server.url, server.token('ada'), flush=True); sys.stdin.read()"
    )
    with subprocess.Popen(
        [sys.executable, "-c", code], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as process:
        url, token = process.stdout.readline().split()
        assert len(discovery.entries()) == 1
        with connect(f"{url}/ws?token={token}") as socket_:
            socket_.recv(timeout=10)
            process.stdin.close()
            with pytest.raises(ConnectionClosed) as end:
                socket_.recv(timeout=10)
            assert end.value.rcvd.code == 1001
        assert process.wait(10) == 0
    assert discovery.entries() == []


def test_a_forked_child_has_no_server_and_holds_nothing_of_it():
    code = (
        "import os, sys; from nbrealtime.server import serve\n"
        "server = serve(); reading, writing = os.pipe(); pid = os.fork()\n"
        "if pid == 0:\n"
        "    server.close(); os.write(writing, b'closed' if server.closed else b'open'); os.read(0, 1); os._exit(0)\n"
        "word = os.read(reading, 6); port = server.port; alive = server.stats()['connections'] == 0\n"
        "server.close(); serve(port).close(); print(word.decode(), alive, flush=True)\n"
        "os.close(0); os.kill(pid, 9); os.waitpid(pid, 0)"
    )
    done = subprocess.run(
        [sys.executable, "-W", "ignore", "-c", code],
        stdin=subprocess.PIPE,
        capture_output=True,
        text=True,
        timeout=30,
        check=False,
    )
    assert (done.stdout.split(), done.stderr, done.returncode) == (["closed", "True"], "", 0)


def test_no_token_is_logged(caplog):
    caplog.set_level("DEBUG")
    with serve() as server:
        token = server.token("ada")
        with connect(f"{server.url}/ws?token={token}") as socket_:
            socket_.recv(timeout=10)
        for path in (f"/ws/stats?token={token}", f"/nowhere?token={token}", f"/ws\x01?token={token}"):
            with socket.create_connection(("127.0.0.1", server.port), timeout=10) as raw:
                raw.sendall(f"GET {path} HTTP/1.1\r\nConnection: close\r\n\r\n".encode())
                while raw.recv(65536):
                    pass
        connection = http.client.HTTPConnection("127.0.0.1", server.port, timeout=10)
        connection.request("GET", "/ws/stats", headers={"Authorization": f"Bearer {token}x"})
        connection.getresponse().read()
        connection.close()
    ours = [record for record in caplog.records if not record.name.startswith("websockets.client")]
    assert token not in "\n".join(record.getMessage() + str(record.exc_info) for record in ours)
