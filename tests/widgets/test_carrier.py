"""The hub's own way out of the kernel: what arrives is what the comm would have sent."""

from __future__ import annotations

import os
from datetime import UTC, datetime, timedelta

import numpy as np
import pytest
from comm.base_comm import BaseComm as OtherComm
from ipykernel.comm.comm import BaseComm
from jupyter_client.session import Session

from nbrealtime.widgets.carrier import Carrier
from nbrealtime.widgets.outlet import Outlet

CONTENT = {"type": "frames", "seq": 3, "parts": [{"key": "plot-1", "last": 0.25, "reason": "offline, “why”"}]}


class Socket:
    """Keeps what is written to it."""

    def __init__(self) -> None:
        self.messages: list[tuple[list[bytes], bool]] = []

    def send_multipart(self, parts, flags=0, copy=True, **options) -> None:
        self.messages.append((list(parts), copy))


class Kernel:
    def __init__(self, session: Session) -> None:
        self.session = session
        self.iopub_socket = Socket()
        self.cell = {"header": session.msg_header("execute_request")}

    def get_parent(self, channel=None):
        return self.cell


@pytest.fixture
def kernel(monkeypatch) -> Kernel:
    monkeypatch.setattr("ipykernel.comm.comm.Kernel.initialized", lambda: True)
    return Kernel(Session(key=b"a secret", username="ada"))


@pytest.fixture
def comm(kernel) -> BaseComm:
    class Comm(BaseComm):
        pass

    # Opening it sends already.
    Comm.kernel = kernel
    made = Comm(target_name="jupyter.widget", comm_id="c0ffee")
    kernel.iopub_socket.messages.clear()
    return made


class Clock:
    def __init__(self) -> None:
        self.now = 1_790_000_000.5

    def time(self) -> float:
        return self.now


@pytest.fixture
def clock(monkeypatch) -> Clock:
    clock = Clock()
    monkeypatch.setattr("nbrealtime.widgets.carrier.time.time", clock.time)
    return clock


@pytest.fixture
def steps(monkeypatch) -> list[str]:
    """What outlets are asked to do, in order; none of them does it."""
    steps: list[str] = []
    for step in ("write", "give_way", "close"):
        monkeypatch.setattr(Outlet, step, lambda self, *_, step=step: steps.append(step))
    return steps


def read(kernel: Kernel, index: int = -1):
    """What a reader makes of a message, which checks the signature as well."""
    parts, _ = kernel.iopub_socket.messages[index]
    reader = Session(key=kernel.session.key)
    topics, parts = reader.feed_identities(parts)
    message = reader.deserialize(parts)
    return topics, message


def test_it_sends_what_the_comm_would_have_sent(kernel, comm):
    buffers = [b"\x00\x01\x02", b"more"]
    comm.send(data={"method": "custom", "content": CONTENT}, buffers=buffers)
    assert Carrier(comm).send(CONTENT, buffers)
    (theirs_topics, theirs), (topics, ours) = read(kernel, 0), read(kernel, 1)
    assert topics == theirs_topics == [b"comm-c0ffee"]
    for message in (theirs, ours):
        message["buffers"] = [bytes(buffer) for buffer in message["buffers"]]
    for told in ("parent_header", "metadata", "content", "msg_type", "buffers"):
        assert ours[told] == theirs[told], told
    assert ours["content"]["data"]["content"] == CONTENT
    for told in ("username", "session", "version", "msg_type"):
        assert ours["header"][told] == theirs["header"][told], told
    assert set(ours["header"]) == set(theirs["header"])


def test_every_message_has_an_id_and_a_time_of_its_own(kernel, comm):
    carrier = Carrier(comm)
    for _ in range(3):
        assert carrier.send(CONTENT, [])
    headers = [read(kernel, index)[1]["header"] for index in range(3)]
    assert len({header["msg_id"] for header in headers}) == 3
    times = [header["date"] for header in headers]
    assert times == sorted(times)
    assert all(abs(datetime.now(UTC) - time) < timedelta(minutes=1) for time in times)


def test_it_belongs_to_the_cell_that_runs_in_the_second_in_which_it_is_sent(kernel, comm, clock):
    carrier = Carrier(comm)
    assert carrier.send(CONTENT, [])
    kernel.cell = {"header": kernel.session.msg_header("execute_request")}
    clock.now += 0.5
    assert carrier.send(CONTENT, [])
    assert read(kernel)[1]["parent_header"]["msg_id"] == kernel.cell["header"]["msg_id"]
    kernel.cell = {}
    clock.now += 1.0
    assert carrier.send(CONTENT, [])
    assert read(kernel)[1]["parent_header"] == {}


def test_without_a_key_nothing_is_signed(monkeypatch):
    monkeypatch.setattr("ipykernel.comm.comm.Kernel.initialized", lambda: True)
    kernel = Kernel(Session(key=b""))

    class Comm(BaseComm):
        pass

    Comm.kernel = kernel
    assert Carrier(Comm(target_name="jupyter.widget")).send(CONTENT, [])
    parts, _ = kernel.iopub_socket.messages[-1]
    assert parts[2] == b""


def test_large_buffers_are_written_from_where_they_lie(kernel, comm):
    carrier = Carrier(comm)
    carrier.send(CONTENT, [bytes(kernel.session.copy_threshold - 1)])
    carrier.send(CONTENT, [bytes(kernel.session.copy_threshold)])
    assert [copy for _, copy in kernel.iopub_socket.messages] == [True, False]


def test_what_json_does_not_know_is_written_as_ipykernel_writes_it(kernel, comm):
    said = {
        "n": np.float32(0.5),
        "k": np.int64(7),
        "gap": float("nan"),
        "name": np.str_("east"),
        "at": (1, 2),
    }
    assert Carrier(comm).send(said, [])
    told = {"n": 0.5, "k": 7, "gap": None, "name": "east", "at": [1, 2]}
    assert read(kernel)[1]["content"]["data"]["content"] == told


@pytest.mark.parametrize("what", [object(), "half a character: \ud83d", "of a file's name: \udce9"])
def test_what_it_cannot_write_is_left_to_the_comm(kernel, comm, what):
    carrier = Carrier(comm)
    assert not carrier.send({"what": what}, [])
    assert kernel.iopub_socket.messages == []
    assert carrier.send(CONTENT, [])


def test_what_the_comm_sends_meanwhile_keeps_its_place(kernel, comm, steps, clock):
    carrier = Carrier(comm)
    carrier.send(CONTENT, [])
    carrier.send({"what": object()}, [])
    carrier.send(CONTENT, [])
    kernel.cell, kernel.session.debug = {}, True
    clock.now += 1.0
    carrier.send(CONTENT, [])
    assert steps == ["write", "give_way", "write", "give_way"]


def test_another_outlet_writes_behind_the_one_before(kernel, comm, steps, clock, monkeypatch):
    carrier = Carrier(comm)
    carrier.send(CONTENT, [])
    kernel.cell = {}
    clock.now += 1.0
    monkeypatch.setattr(Outlet, "is_usual", lambda self: False)
    carrier.send(CONTENT, [])
    assert steps == ["write", "give_way", "close", "write"]


def test_who_is_closed_lets_the_comm_have_the_last_word(comm, steps):
    carrier = Carrier(comm)
    carrier.close()
    assert not carrier.send(CONTENT, [])
    carrier = Carrier(comm)
    carrier.send(CONTENT, [])
    carrier.close()
    assert not carrier.send(CONTENT, [])
    assert steps == ["write", "give_way", "close"]


def test_who_is_closed_while_it_sends_does_not_fail(kernel, comm, steps, monkeypatch):
    carrier = Carrier(comm)

    def get_parent(channel):
        carrier.close()  # as another thread may
        return kernel.cell

    monkeypatch.setattr(kernel, "get_parent", get_parent)
    assert carrier.send(CONTENT, [])
    assert not carrier.send(CONTENT, [])
    assert steps == ["write"]


def test_a_date_follows_a_clock_that_was_put_back(kernel, comm, clock):
    carrier = Carrier(comm)
    dates = []
    for clock.now in (1_790_000_000.5, 1_790_000_001.0, 1_790_000_000.9, 1_789_999_999.9):
        carrier.send(CONTENT, [])
        dates.append(kernel.session.unpack(kernel.iopub_socket.messages[-1][0][3])["date"])
    assert dates == [f"2026-09-21T{time}+00:00" for time in ("14:13:20", "14:13:21", "14:13:20", "14:13:19")]


@pytest.mark.parametrize(
    "change",
    ["packer", "pack", "metadata", "debug", "adapt", "patched", "forked", "send", "serialize", "sign"],
)
def test_a_session_with_ways_of_its_own_is_left_to_the_comm(kernel, comm, change):
    session = kernel.session
    if change == "packer":
        session.packer = session.unpacker = "pickle"
    elif change == "pack":
        session.pack = lambda what: b"{}"
    elif change == "metadata":
        session.metadata = {"lab": "north"}
    elif change == "debug":
        session.debug = True
    elif change == "adapt":
        session.adapt_version = 4
    elif change == "patched":
        session.send = lambda *arguments, **options: None
    elif change == "forked":
        session.pid = os.getpid() + 1
    else:
        kernel.session = type("Careful", (Session,), {change: lambda *arguments, **options: b""})(
            key=session.key
        )
    assert not Carrier(comm).send(CONTENT, [])
    assert kernel.iopub_socket.messages == []


def test_a_session_whose_class_was_patched_is_left_to_the_comm(kernel, comm, monkeypatch):
    monkeypatch.setattr(Session, "send", lambda *arguments, **options: None)
    assert not Carrier(comm).send(CONTENT, [])


def test_another_kernels_session_is_left_to_the_comm(kernel, comm):
    kernel.session = object()
    assert not Carrier(comm).send(CONTENT, [])


def test_a_comm_that_is_not_ipykernels_is_left_alone(kernel):
    class Elsewhere(OtherComm):
        def publish_msg(self, *arguments, **options):
            pass

    class Patched(BaseComm):
        def publish_msg(self, *arguments, **options):
            pass

    Elsewhere.kernel = Patched.kernel = kernel
    for comm in (Elsewhere(target_name="jupyter.widget"), Patched(target_name="jupyter.widget")):
        assert not Carrier(comm).send(CONTENT, [])
    assert kernel.iopub_socket.messages == []
