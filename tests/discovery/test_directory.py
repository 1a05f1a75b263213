"""Entries in the runtime directory: left, found, outlived, foreign, forged, broken."""

from __future__ import annotations

import asyncio
import json
import os
import re
import socket
import stat
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import msgspec
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from nbrealtime import discovery
from nbrealtime.discovery.directory import _start_time
from nbrealtime.errors import AmbiguousServer, DiscoveryError, NoServer
from nbrealtime.server import serve

KEY = "5e" * 32
URL = "ws://127.0.0.1:1"


@pytest.fixture
def runtime() -> Path:
    return Path(os.environ["JUPYTER_RUNTIME_DIR"])


def advertise(url: str = URL) -> discovery.Advertisement:
    return discovery.advertise(url, "a token", KEY, kind="standalone")


def rewrite(advertisement: discovery.Advertisement, **changes: Any) -> None:
    """Another program's hand in an entry."""
    content = json.loads(advertisement.path.read_text())
    advertisement.path.write_text(json.dumps({**content, **changes}))


def test_an_entry_holds_what_a_client_needs(runtime: Path) -> None:
    advertisement = advertise()
    (entry,) = discovery.entries()
    assert (entry.url, entry.token, entry.key, entry.origin) == (URL, "a token", KEY, "standalone")
    assert entry.pid == os.getpid()
    assert entry.host == socket.gethostname()
    assert Path(entry.path) == advertisement.path
    assert entry.path.startswith(str(runtime / "nbrealtime-"))


def test_only_its_user_can_read_it(runtime: Path) -> None:
    before = os.umask(0)
    try:
        advertisement = advertise()
    finally:
        os.umask(before)
    assert stat.S_IMODE(advertisement.path.stat().st_mode) == 0o600
    assert list(runtime.iterdir()) == [advertisement.path], "nothing unfinished stays behind"


def test_an_entry_shows_neither_key_nor_token() -> None:
    entry = advertise().entry
    assert KEY not in f"{entry!r} {entry}"
    assert "a token" not in f"{entry!r} {entry}"


def test_it_goes_with_its_server() -> None:
    advertisement = advertise()
    advertisement.close()
    advertisement.close()
    assert discovery.entries() == []


def test_the_runtime_directory_is_made_if_there_is_none(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("JUPYTER_RUNTIME_DIR", str(tmp_path / "not" / "there"))
    assert discovery.entries() == []
    advertise()
    assert len(discovery.entries()) == 1
    assert stat.S_IMODE((tmp_path / "not" / "there").stat().st_mode) == 0o700


def test_none_running_says_what_to_type() -> None:
    with pytest.raises(NoServer, match="%rtserver"):
        discovery.find()


def test_the_only_one_is_found() -> None:
    advertise()
    assert discovery.find().url == URL


def test_several_are_listed_with_what_to_type() -> None:
    advertise("ws://127.0.0.1:1")
    advertise("ws://127.0.0.1:2")
    with pytest.raises(AmbiguousServer, match=r"rt\.connect") as caught:
        discovery.find()
    assert set(caught.value.servers) == {"ws://127.0.0.1:1", "ws://127.0.0.1:2"}


def test_several_are_told_apart_by_where_each_was_started() -> None:
    notebook = advertise("ws://127.0.0.1:1")
    rewrite(notebook, birthplace={"notebook": "/data/rig.ipynb"})
    rewrite(advertise("ws://127.0.0.1:10"), birthplace={"program": "nbrealtime serve", "directory": "/data"})
    with pytest.raises(AmbiguousServer) as caught:
        discovery.find()
    pid = os.getpid()
    said = re.sub(r"up \d+ m?s", "up …", str(caught.value))
    assert f"\n  ws://127.0.0.1:1   /data/rig.ipynb (pid {pid}, up …)\n" in said
    assert f"\n  ws://127.0.0.1:10  nbrealtime serve in /data (pid {pid}, up …)\n" in said
    assert not {"a token", KEY} & set(caught.value.places)
    assert "a token" not in said
    assert KEY not in said


def test_an_older_releases_entry_does_not_say_where_but_how_long() -> None:
    for port in (1, 2):
        advertisement = advertise(f"ws://127.0.0.1:{port}")
        content = json.loads(advertisement.path.read_text())
        del content["birthplace"], content["since"]
        advertisement.path.write_text(json.dumps(content))
        os.utime(advertisement.path, (time.time() - 300, time.time() - 300))
    with pytest.raises(AmbiguousServer) as caught:
        discovery.find()
    assert f"\n  ws://127.0.0.1:1  (pid {os.getpid()}, up 5 min)\n" in str(caught.value)


def test_an_entry_says_when_its_server_started() -> None:
    before = time.time()
    entry = advertise().entry
    assert entry.since == pytest.approx(before, abs=5)
    assert entry.age(entry.since + 7) == 7
    # Whoever set the clock back meanwhile.
    assert entry.age(entry.since - 7) == 0


def test_nobody_knows_how_long_an_older_releases_server_ran_when_it_has_ended() -> None:
    advertisement = advertise()
    old = msgspec.structs.replace(advertisement.entry, since=None)
    assert old.age(time.time() + 60) == pytest.approx(60, abs=5)
    advertisement.close()
    assert old.age(time.time()) is None


def test_this_process_own_comes_first() -> None:
    advertise("ws://127.0.0.1:1")
    advertise("ws://127.0.0.1:2")
    own = discovery.describe("ws://127.0.0.1:3", "t", KEY, kind="kernel")
    discovery.set_local(own)
    try:
        assert discovery.find() is own
    finally:
        discovery.set_local(None)


# -- stale ----------------------------------------------------------------------------------------------


def _dead_pid() -> int:
    child = subprocess.Popen([sys.executable, "-c", ""])
    child.wait()
    return child.pid


@pytest.mark.parametrize(
    "changes",
    [
        pytest.param(lambda: {"pid": _dead_pid()}, id="the process is gone"),
        pytest.param(lambda: {"pid": 1}, id="another process has its pid"),
        pytest.param(lambda: {"started": 1.0}, id="it started at another time"),
        pytest.param(lambda: {"boot": "0000"}, id="the machine was restarted"),
        pytest.param(lambda: {"pid": 0}, id="no process has this number"),
        pytest.param(lambda: {"pid": -1}, id="nor this one"),
        pytest.param(lambda: {"pid": 2**40}, id="nor this one either"),
    ],
)
def test_a_dead_entry_is_removed(changes: Callable[[], dict[str, Any]]) -> None:
    advertisement = advertise()
    rewrite(advertisement, **changes())
    assert discovery.entries() == []
    assert not advertisement.path.exists()


def test_a_process_of_which_only_the_remains_are_left_is_dead() -> None:
    child = subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE)
    advertisement = advertise()
    started = _start_time(child.pid)
    rewrite(advertisement, pid=child.pid, started=started)
    assert len(discovery.entries()) == 1
    child.kill()
    deadline = time.monotonic() + 20
    while discovery.entries() and time.monotonic() < deadline:
        os.waitid(os.P_PID, child.pid, os.WEXITED | os.WNOWAIT)  # dead, and not reaped
    assert not advertisement.path.exists()
    child.communicate()


def test_what_a_killed_process_leaves_is_removed() -> None:
    program = (
        "from nbrealtime import discovery; import os\n"
        "print(discovery.advertise('ws://127.0.0.1:1', 't', 'k', kind='kernel').path, flush=True)\n"
        "os._exit(9)"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=False)
    left = Path(done.stdout.strip())
    assert left.exists()
    with pytest.raises(NoServer):
        discovery.find()
    assert not left.exists()


def test_another_process_entry_is_alive_as_long_as_that_is() -> None:
    program = (
        "from nbrealtime import discovery\n"
        "a = discovery.advertise('ws://127.0.0.1:1', 't', 'k', kind='kernel')\n"
        "print('ready', flush=True)\n"
        "input()\n"
        "a.close()"
    )
    child = subprocess.Popen(
        [sys.executable, "-c", program], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    )
    assert child.stdout is not None
    child.stdout.readline()
    assert discovery.find().pid == child.pid
    child.communicate("\n")
    assert discovery.entries() == []


@pytest.mark.skipif(not hasattr(os, "fork"), reason="no fork on this system")
@pytest.mark.filterwarnings("ignore:This process:DeprecationWarning")
def test_a_forked_child_does_not_remove_the_parents_entry() -> None:
    advertisement = advertise()
    discovery.set_local(advertisement.entry)
    child = os.fork()
    if child == 0:
        advertisement.close()
        os._exit(0 if discovery.local() is None else 1)
    assert os.waitpid(child, 0)[1] == 0
    assert discovery.local() is not None
    discovery.set_local(None)
    assert len(discovery.entries()) == 1


# -- foreign ----------------------------------------------------------------------------------------------


def test_another_hosts_entry_is_left_alone() -> None:
    advertisement = advertise()
    rewrite(advertisement, host="elsewhere", pid=1, boot="another")
    assert discovery.entries() == []
    assert advertisement.path.exists()


def test_another_containers_entry_is_left_alone() -> None:
    advertisement = advertise()
    rewrite(advertisement, namespace="pid:[1]", pid=_dead_pid())
    assert discovery.entries() == []
    assert advertisement.path.exists()


@pytest.mark.skipif(not hasattr(os, "getuid") or os.getuid() != 0, reason="only root can give files away")
def test_another_users_entry_is_refused() -> None:
    advertisement = advertise()
    os.chown(advertisement.path, 12345, 12345)
    assert discovery.entries() == []
    assert advertisement.path.exists()


@pytest.mark.skipif(not hasattr(os, "getuid") or os.getuid() != 0, reason="only root can give files away")
def test_no_token_is_left_in_another_users_directory(runtime: Path) -> None:
    os.chown(runtime, 12345, 12345)
    with pytest.raises(DiscoveryError, match="another user"):
        advertise()
    assert list(runtime.iterdir()) == []


def test_an_entry_that_others_can_write_is_refused() -> None:
    advertisement = advertise()
    advertisement.path.chmod(0o622)
    assert discovery.entries() == []


def test_a_link_is_not_followed(runtime: Path, tmp_path: Path) -> None:
    advertisement = advertise()
    elsewhere = tmp_path / "elsewhere.json"
    advertisement.path.rename(elsewhere)
    advertisement.path.symlink_to(elsewhere)
    assert discovery.entries() == []


# -- broken -----------------------------------------------------------------------------------------------


def test_what_is_no_file_is_passed_over(runtime: Path) -> None:
    (runtime / "nbrealtime-directory.json").mkdir()
    os.mkfifo(runtime / "nbrealtime-pipe.json")
    (runtime / "nbrealtime-dangling.json").symlink_to(runtime / "nowhere")
    (runtime / "kernel-1.json").write_text("{}")
    advertise()
    assert discovery.find().url == URL


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=60, deadline=None)
@given(
    st.one_of(
        st.binary(max_size=200),
        st.recursive(
            st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5),
            lambda inner: (
                st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3)
            ),
        ).map(lambda value: json.dumps(value).encode()),
        st.sampled_from(
            (
                "host",
                "boot",
                "pid",
                "started",
                "url",
                "key",
                "token",
                "origin",
                "namespace",
                "since",
                "birthplace",
            )
        ).flatmap(
            lambda field: st.sampled_from((None, [], {}, 1e400, -1, "", "\0", True)).map(
                lambda value: json.dumps({**_an_entry(), field: value}).encode()
            )
        ),
        st.just(b"[" * 50_000),
        st.just(b" " * 100_000),
    )
)
def test_no_content_breaks_the_listing(runtime: Path, content: bytes) -> None:
    path = runtime / "nbrealtime-broken.json"
    path.write_bytes(content)
    path.chmod(0o600)
    for entry in discovery.entries():
        discovery.verify(entry, timeout=0.2)
        assert str(entry.birthplace).isprintable()
        entry.age(time.time())


def _an_entry() -> dict[str, Any]:
    entry = discovery.describe(URL, "t", KEY, kind="kernel")
    return {field: value for field, value in msgspec.to_builtins(entry).items() if field != "path"}


# -- forged -----------------------------------------------------------------------------------------------


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


@pytest.mark.parametrize("url", ["", "x", "wss://h", "ws://", "ws://h:99999", "ws://[", "ws://ä\r\nX: y"])
def test_an_entry_without_a_plain_address_proves_nothing(url: str) -> None:
    assert not both(discovery.describe(url, "t", KEY, kind="kernel"))


def test_the_proof_is_an_hmac_under_the_entry_key() -> None:
    import hashlib
    import hmac

    assert discovery.proof("key", "nonce") == hmac.new(b"key", b"nonce", hashlib.sha256).hexdigest()
