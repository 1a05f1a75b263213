"""Messages on their way to ipykernel's thread: all of them, and in order."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator

import numpy as np
import pytest
import zmq
from ipykernel.iostream import BackgroundSocket, IOPubThread

from nbrealtime.widgets.outlet import Outlet

Read = Callable[[], list[bytes]]


def wait_for(thread: IOPubThread) -> None:
    """Returns when ``thread`` has done what it was asked until now."""
    done = threading.Event()
    thread.schedule(done.set)
    assert done.wait(5)


def address(buffer: bytes | memoryview) -> int:
    """Where ``buffer`` lies in memory."""
    return np.frombuffer(buffer, np.uint8).ctypes.data


def stop(thread: IOPubThread) -> None:
    """Ends ``thread``, and before it what it does beside, of which it leaves a complaint otherwise."""
    beside = getattr(thread, "_event_pipe_gc_task", None)
    if beside is not None:
        ended = threading.Event()
        beside.add_done_callback(lambda _: ended.set())
        thread.schedule(beside.cancel)
        assert ended.wait(5)
    thread.stop()


@pytest.fixture
def context() -> Iterator[zmq.Context]:
    context = zmq.Context()
    yield context
    context.term()


@pytest.fixture
def thread(context) -> Iterator[IOPubThread]:
    """The thread with which ipykernel writes."""
    thread = IOPubThread(context.socket(zmq.XPUB))
    yield thread
    if thread.thread.is_alive():
        stop(thread)
    thread.close()


@pytest.fixture
def reader(context, thread) -> Iterator[zmq.Socket]:
    """What is written comes here."""
    # Within the process, where a message that was not copied arrives as the same bytes.
    thread.socket.bind("inproc://iopub")
    reader = context.socket(zmq.SUB)
    reader.subscribe(b"comm")
    reader.connect("inproc://iopub")
    assert thread.socket.poll(5000), "nobody subscribed"
    thread.socket.recv()  # what is sent from now on is read
    thread.start()
    wait_for(thread)
    yield reader
    reader.close()


@pytest.fixture
def read(reader) -> Read:
    """Reads the next message that was written."""

    def read() -> list[bytes]:
        assert reader.poll(5000), "nothing came"
        return reader.recv_multipart()

    return read


@pytest.fixture
def outlet(thread, read) -> Outlet:
    """One whose first message is written."""
    outlet = Outlet(BackgroundSocket(thread))
    outlet.write([b"comm", b"first"], True)
    assert read() == [b"comm", b"first"]
    wait_for(thread)
    return outlet


def test_a_message_is_handed_to_the_threads_loop(thread, outlet, read, monkeypatch):
    with monkeypatch.context() as patched:
        patched.setattr(thread, "send_multipart", pytest.fail)
        outlet.write([b"comm", b"", b"copied"], True)
        assert read() == [b"comm", b"", b"copied"]
        outlet.write([b"comm", bytes(1_000_000)], False)
        assert read() == [b"comm", bytes(1_000_000)]


def test_all_messages_are_rung_for_with_one_bell(outlet, read):
    bells = set()
    for said in (b"1", b"2", b"3"):
        outlet.write([b"comm", said], True)
        assert read() == [b"comm", said]
        bells.add(outlet._bell)
    outlet.give_way()
    assert bells == {outlet._bell}
    assert None not in bells


@pytest.mark.parametrize("copy", [False, True])
def test_what_is_large_is_written_from_where_it_lies_unless_a_copy_is_wanted(outlet, reader, copy):
    parts = [b"comm", bytes(1_000_000), bytes(1_000_000)]
    outlet.write(parts, copy)
    assert reader.poll(5000), "nothing came"
    _, *arrived = reader.recv_multipart(copy=False)
    copied = [address(frame.buffer) != address(part) for frame, part in zip(arrived, parts[1:], strict=True)]
    assert copied == [copy, copy]


def test_none_overtakes_the_comms_opening(thread, read):
    socket, held = BackgroundSocket(thread), threading.Event()
    thread.schedule(held.wait)
    socket.send_multipart([b"comm", b"open"])
    outlet = Outlet(socket)
    for said in (b"1", b"2"):
        outlet.write([b"comm", said], True)
    held.set()
    assert [read()[1] for _ in range(3)] == [b"open", b"1", b"2"]


def test_what_went_the_comms_way_is_written_before_the_loop_is_handed_more(thread, read, monkeypatch):
    outlet, held, began = Outlet(BackgroundSocket(thread)), threading.Event(), threading.Event()
    thread.schedule(held.wait)
    outlet.write([b"comm", b"1"], True)
    again = threading.Event()
    thread.schedule(lambda: (began.set(), again.wait()))
    outlet.write([b"comm", b"2"], True)
    held.set()
    assert began.wait(5)  # the first is written, the second waits
    monkeypatch.setattr(thread.io_loop.asyncio_loop, "call_soon_threadsafe", pytest.fail)
    outlet.write([b"comm", b"3"], True)
    again.set()
    assert [read()[1] for _ in range(3)] == [b"1", b"2", b"3"]
    monkeypatch.undo()


def test_one_of_the_comms_keeps_its_place_among_ours(thread, outlet, read):
    soon = thread.io_loop.asyncio_loop.call_soon_threadsafe
    first, second, began = threading.Event(), threading.Event(), threading.Event()
    # So that what ipykernel sends stands before what the loop is handed next.
    soon(first.wait)
    thread.schedule(bool)
    soon(lambda: (began.set(), second.wait()))
    first.set()
    assert began.wait(5)
    outlet.write([b"comm", b"1"], True)
    release = threading.Timer(0.05, second.set)
    release.start()
    outlet.give_way()
    outlet.socket.send_multipart([b"comm", b"the comm's"])
    outlet.write([b"comm", b"2"], True)
    assert [read()[1] for _ in range(3)] == [b"1", b"the comm's", b"2"]
    release.join()


def test_a_thread_that_has_ended_is_asked_as_ipykernel_asks_it(thread, outlet, monkeypatch):
    stop(thread)
    sent = []
    monkeypatch.setattr(BackgroundSocket, "send_multipart", lambda self, parts, copy: sent.append(parts[1]))
    outlet.write([b"comm", b"1"], True)
    outlet.give_way()
    outlet.write([b"comm", b"2"], True)
    assert sent == [b"1", b"2"]


@pytest.mark.parametrize("whose", ["thread", "class", "socket"])
def test_a_hand_on_the_sending_sees_every_message(thread, read, monkeypatch, whose):
    sent = []
    socket = BackgroundSocket(thread)
    if whose == "thread":
        monkeypatch.setattr(thread, "send_multipart", lambda parts, copy: sent.append(parts))
    elif whose == "class":
        monkeypatch.setattr(IOPubThread, "send_multipart", lambda self, parts, copy: sent.append(parts))
    else:
        with pytest.warns(DeprecationWarning, match="send_multipart"):
            socket.send_multipart = lambda parts, copy: sent.append(parts)
    outlet = Outlet(socket)
    assert not outlet.is_usual()
    for said in (b"1", b"2"):
        outlet.write([b"comm", said], True)
        wait_for(thread)
    assert [parts[1] for parts in sent] == [b"1", b"2"]


@pytest.mark.parametrize("whose", ["socket", "class"])
def test_a_hand_on_the_socket_behind_is_not_passed_over(thread, read, monkeypatch, whose):
    socket = BackgroundSocket(thread)
    assert Outlet(socket).is_usual()
    if whose == "socket":
        monkeypatch.setitem(vars(thread.socket), "send", thread.socket.send)
    else:
        usual = zmq.Socket.send
        monkeypatch.setattr(zmq.Socket, "send", lambda *args, **options: usual(*args, **options))
    assert not Outlet(socket).is_usual()


def test_a_socket_of_another_class_writes_in_its_own_way(thread, read, monkeypatch):
    class Checking(zmq.Socket):
        def send_multipart(self, parts, *args, **options):
            return super().send_multipart([*parts, b"checked"], *args, **options)

    monkeypatch.setattr(thread, "socket", Checking.shadow(thread.socket.underlying))
    outlet = Outlet(BackgroundSocket(thread))
    for said in (b"1", b"2"):
        outlet.write([b"comm", said], True)
        assert read() == [b"comm", said, b"checked"]
        wait_for(thread)


def test_a_socket_that_is_not_ipykernels_is_simply_asked():
    class Socket:
        def __init__(self) -> None:
            self.sent: list[tuple[list[bytes], bool]] = []

        def send_multipart(self, parts: list[bytes], copy: bool = True) -> None:
            self.sent.append((parts, copy))

    socket = Socket()
    outlet = Outlet(socket)
    outlet.write([b"comm"], True)
    outlet.give_way()
    outlet.write([b"comm"], False)
    assert socket.sent == [([b"comm"], True), ([b"comm"], False)]
