"""The functions of ``import nbrealtime as rt``, against a real server in this process."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import textwrap
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import psutil
import pytest

import nbrealtime as rt
from nbrealtime.live import connection
from nbrealtime.server import Server
from nbrealtime.testing import FaultyNetwork, running_server

REPOSITORY = Path(__file__).parents[1]


@pytest.fixture
def server() -> Iterator[Server]:
    with running_server() as server:
        yield server
        rt.close_all()


@pytest.fixture(autouse=True)
def _no_default(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(connection, "_default", None)


def heard(topic: rt.LiveTopic, trait: str, value: Any) -> None:
    """Wait until a trait has a value."""
    there = threading.Event()
    topic.observe(lambda change: there.set() if change.new == value else None, trait)
    if getattr(topic, trait) != value:
        assert there.wait(10), f"{trait} is {getattr(topic, trait)!r}"


def test_what_is_published_arrives(server: Server) -> None:
    temp = rt.subscribe("lab:temp")
    rt.publish("lab:temp", 21.5)
    assert temp.wait(timeout=10).data == 21.5
    assert (temp.value, temp.state, temp.count) == (21.5, "live", 1)
    rt.publish("lab:temp", {"x": np.array([1.0, np.nan]), "raw": b"\x00"})
    assert temp.wait(timeout=10).data == {"x": [1.0, None], "raw": b"\x00"}


def test_subscribing_twice_is_the_same_topic(server: Server) -> None:
    assert rt.subscribe("lab:temp") is rt.subscribe("lab:temp")
    with pytest.raises(ValueError, match="notify_hz"):
        rt.subscribe("lab:temp", notify_hz=3)


def test_without_a_server_it_is_said_what_to_type() -> None:
    for use in (rt.connect, lambda: rt.subscribe("lab:temp"), lambda: rt.publish("lab:temp", 1), rt.topics):
        with pytest.raises(rt.NoServer, match="%rtserver"):
            use()
    assert repr(rt.status()) == "No server in this process"


def test_a_connection_elsewhere_is_used_when_there_is_none_here() -> None:
    with running_server() as server:
        url, token = server.url, server.token("ada")
        rt.connect(url, token)
        temp = rt.subscribe("lab:temp")
        rt.publish("lab:temp", 1)
        assert temp.wait(timeout=10).data == 1
        rt.close_all()


def test_publishing_with_ack_returns_a_receipt(server: Server) -> None:
    assert rt.publish("lab:run", 1) is None
    receipt = rt.publish("lab:run", 2, ack=True)
    assert isinstance(receipt, rt.Receipt)
    assert receipt.wait(10).offset == 2
    run = rt.subscribe("lab:run", since=1)
    assert run.wait(timeout=10).data == 2
    assert run.publish(3, ack=True).wait(10).offset == 3


def test_a_subscription_to_a_pattern_takes_its_options(server: Server) -> None:
    gaps: list[rt.Gap] = []
    lab = rt.subscribe("lab:**", policy="conflate", max_rate=50, on_gap=gaps.append)
    heard(lab, "state", "live")
    rt.publish("lab:a:x", 1)
    assert lab.wait(timeout=10).topic == "lab:a:x"
    assert gaps == []


def test_a_connection_may_bound_what_waits(server: Server) -> None:
    with FaultyNetwork(server.url) as network:
        away = rt.connect(network.url, server.token("bob"), queue_bytes=1000)
        assert away.wait_connected(10)
        network.refuse()
        heard(away, "state", "reconnecting")
        away.publish("lab:run", "x" * 600, ack=True)
        with pytest.raises(rt.PublishTimeout):
            away.publish("lab:run", "y" * 600, ack=True)
        kept = away.publish("lab:run", "z" * 600, ack=True, on_full="drop_oldest")
        network.restore()
        away.reconnect()
        assert kept.wait(10).offset == 1
    with pytest.raises(ValueError, match="on_full"):
        rt.connect(server.url, server.token("bob"), on_full="panic")  # type: ignore[arg-type]


def test_topics_are_those_with_subscribers(server: Server) -> None:
    assert rt.topics() == {}
    for name in ("lab:temp", "lab:hum"):
        heard(rt.subscribe(name), "state", "live")
    assert rt.topics() == {"lab:hum": 1, "lab:temp": 1}


def test_topics_are_also_those_with_a_history(server: Server) -> None:
    rt.publish("lab:run", 1, ack=True).wait(10)
    assert rt.topics() == {"lab:run": 0}
    catalog = rt.subscribe("$sys/topics")
    catalog.wait(timeout=10)
    assert rt.topics() == {"lab:run": 0}


def test_status_names_what_is_open(server: Server) -> None:
    temp = rt.subscribe("lab:temp")
    overview = rt.status()
    assert overview.topics == (temp,)
    assert overview.connections == (temp.connection,)
    assert overview.server == server.url
    assert "LiveTopic 'lab:temp'" in repr(overview)
    assert "Server running at ws://127.0.0.1:" in repr(overview)


def test_a_topic_that_hears_nothing_says_which_carry_data_though_nobody_follows_them(server: Server) -> None:
    mistyped = rt.subscribe("lab:tmp")
    heard(mistyped, "state", "live")
    rt.publish("lab:temp", 1)
    assert rt.connect().wait_connected(10)
    began = mistyped.feed._began
    mistyped.feed._clock = lambda: began + 12
    said = threading.Event()
    mistyped.feed.watch(lambda: said.set() if "lab:temp" in repr(mistyped) else None)
    assert "has heard nothing for 12 s" in repr(mistyped)  # and asks the server
    assert said.wait(10)
    assert repr(mistyped) == "LiveTopic 'lab:tmp': live, has heard nothing for 12 s; lab:temp carries data"


def test_close_all_closes_topics_and_connections_and_not_the_server(server: Server) -> None:
    temp = rt.subscribe("lab:temp")
    other = rt.connect()
    rt.close_all()
    rt.close_all()
    assert (temp.state, temp.connection.state, other.state, server.closed) == (
        "closed",
        "closed",
        "closed",
        False,
    )
    assert rt.status().connections == ()
    again = rt.subscribe("lab:temp")
    rt.publish("lab:temp", 2)
    assert again.wait(timeout=10).data == 2


def test_a_hundred_thousand_publishes_right_after_connecting_lose_none(server: Server) -> None:
    total = rt.subscribe("lab:many")
    for at in range(100_000):
        rt.publish("lab:many", at)
    assert total.wait(n=100_000, timeout=50).data == 99_999
    assert total.count == 100_000
    assert len(total.to_numpy()) == 100_000
    assert np.array_equal(total.to_numpy()["value"], np.arange(100_000))


def test_callbacks_that_publish_subscribe_and_close_leave_everything_in_order(server: Server) -> None:
    ping, pong = rt.subscribe("lab:ping"), rt.subscribe("lab:pong")
    done = threading.Event()

    @ping.on_message
    def answer(message: rt.Message) -> None:
        rt.publish("lab:pong", message.data + 1)

    @pong.on_message
    def serve(message: rt.Message) -> None:
        if message.data >= 50:
            extra = rt.subscribe("lab:extra")
            extra.close()
            ping.close()
            done.set()
        else:
            rt.publish("lab:ping", message.data + 1)

    heard(ping, "state", "live")
    heard(pong, "state", "live")
    rt.publish("lab:ping", 0)
    assert done.wait(20)
    assert (ping.errors, pong.errors) == ((), ())
    assert pong.state == "live"


def test_topics_opened_and_closed_by_many_threads_while_data_comes(server: Server) -> None:
    stop = threading.Event()
    failures: list[BaseException] = []

    def publish() -> None:
        at = 0
        while not stop.is_set():
            rt.publish(f"lab:t{at % 5}", at)
            at += 1

    def open_and_close(number: int) -> None:
        try:
            for at in range(60):
                topic = rt.subscribe(f"lab:t{(number + at) % 5}")
                topic.on_message(lambda message: None)
                topic.observe(lambda change: None)
                repr(topic)
                topic.to_numpy()
                topic.pause()
                topic.resume()
                topic.close()
        except rt.ConnectionClosed as error:
            failures.append(error)

    publisher = threading.Thread(target=publish)
    workers = [threading.Thread(target=open_and_close, args=(number,)) for number in range(4)]
    for thread in (publisher, *workers):
        thread.start()
    for thread in workers:
        thread.join()
    stop.set()
    publisher.join()
    assert failures == []
    assert rt.status().topics == ()
    last = rt.subscribe("lab:last")
    rt.publish("lab:last", "still here")
    assert last.wait(timeout=20).data == "still here"


def test_a_connection_that_is_lost_and_returns_leaves_no_gap_and_nothing_broken() -> None:
    with running_server() as server, FaultyNetwork(server.url) as network:
        away = rt.connect(network.url, server.token("ada"))
        temp = away.topic("lab:temp")
        heard(temp, "state", "live")
        away.publish("lab:temp", 4)
        assert temp.wait(timeout=10).data == 4
        network.refuse()
        heard(temp, "state", "offline")
        rt.connect(server.url, server.token("bob")).publish("lab:temp", 5, ack=True).wait(10)
        network.restore()
        away.reconnect()
        assert temp.wait(timeout=10).data == 5
        assert (temp.gaps, temp.count, temp.state) == (0, 2, "live")
        rt.close_all()
        away.close()


def test_a_refused_topic_says_why() -> None:
    with running_server() as server:
        token = server.token("bob", topics=["lab:*"])
        with rt.connect(server.url, token) as bob:
            secret = bob.topic("secret")
            heard(secret, "state", "refused")
            assert secret.error
            with pytest.raises(rt.Refused):
                secret.wait(timeout=5)


# Sensors: real child processes.


def test_a_sensor_feeds_this_kernels_server_once_and_ends_with_close(server: Server) -> None:
    cpu = rt.subscribe("host:cpu")
    with rt.sensor("host", hz=50) as sensor:
        assert rt.sensor("host", hz=50) is sensor
        assert sensor.running
        assert rt.status().sensors == (sensor,)
        cpu.wait(n=3, timeout=30)
        assert "feeds ws://" in repr(sensor)
        assert isinstance(cpu.value, dict)
        arguments = psutil.Process(sensor.pid).cmdline()
        assert not any("ey" in argument and argument.count(".") == 2 for argument in arguments)
    assert not sensor.running
    assert rt.status().sensors == ()
    assert repr(sensor) == "Sensor 'host': ended"
    sensor.close()


def test_nothing_is_started_where_one_feeds_already(server: Server) -> None:
    mark = rt.subscribe("sensor:host")
    heard(mark, "state", "live")
    sensor = rt.sensor("host")
    assert (sensor.pid, sensor.running) == (None, False)
    assert "fed by another process" in repr(sensor)
    sensor.close()


def test_a_sensor_follows_to_another_server() -> None:
    with running_server():
        first = rt.sensor("host")
        rt.close_all()
        assert not first.running
    with running_server():
        second = rt.sensor("host")
        cpu = rt.subscribe("host:cpu")
        cpu.wait(timeout=30)
        assert second is not first
        rt.close_all()


@pytest.mark.parametrize(("name", "hz"), [("weather", 20), ("host", 0), ("host", 1000)])
def test_a_sensor_that_there_is_not(server: Server, name: str, hz: float) -> None:
    with pytest.raises(ValueError, match=r"sensor|hz"):
        rt.sensor(name, hz=hz)


def test_a_sensor_dies_with_its_process_however_that_ends(tmp_path: Path) -> None:
    program = textwrap.dedent(
        """
        import time
        import nbrealtime as rt
        server = rt.serve(advertise=False)
        rt.connect(server.url, server.token("ada"))
        print(rt.sensor("host").pid, flush=True)
        rt.subscribe("host:cpu").wait(timeout=30)
        print("fed", flush=True)
        time.sleep(60)
        """
    )
    environment = {**os.environ, "PYTHONPATH": str(REPOSITORY)}
    process = subprocess.Popen(
        [sys.executable, "-c", program], stdout=subprocess.PIPE, text=True, env=environment, cwd=tmp_path
    )
    assert process.stdout is not None
    child = psutil.Process(int(process.stdout.readline()))
    assert process.stdout.readline() == "fed\n"
    process.send_signal(signal.SIGKILL)
    process.wait(10)
    process.stdout.close()
    child.wait(10)


# What ends, and what is cheap.


def test_a_script_that_closes_nothing_ends_at_once(tmp_path: Path) -> None:
    program = textwrap.dedent(
        """
        import time
        import nbrealtime as rt
        server = rt.serve(advertise=False)
        away = rt.connect(server.url, server.token("ada"))
        temp = away.topic("lab:temp")
        temp.on_message(lambda message: time.sleep(30))
        away.publish("lab:temp", 1)
        temp.wait(timeout=10)
        print("done", flush=True)
        """
    )
    environment = {**os.environ, "PYTHONPATH": str(REPOSITORY)}
    done = subprocess.run(
        [sys.executable, "-c", program],
        capture_output=True,
        text=True,
        env=environment,
        cwd=tmp_path,
        timeout=20,
    )
    assert (done.returncode, done.stdout, done.stderr) == (0, "done\n", "")


def test_subscribing_loads_no_widgets(tmp_path: Path) -> None:
    program = "import nbrealtime as rt, sys; rt.subscribe; print('ipywidgets' in sys.modules, 'IPython' in sys.modules)"
    environment = {**os.environ, "PYTHONPATH": str(REPOSITORY)}
    done = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, env=environment, cwd=tmp_path
    )
    assert done.stdout == "False False\n"


@pytest.mark.skipif(not hasattr(os, "fork"), reason="forks")
@pytest.mark.filterwarnings("ignore:This process.*is multi-threaded:DeprecationWarning")
def test_a_fork_drops_everything_and_can_begin_anew(server: Server) -> None:
    temp = rt.subscribe("lab:temp")
    heard(temp, "state", "live")
    reading, writing = os.pipe()
    url, token = server.url, server.token("child")
    child = os.fork()
    if child == 0:
        try:
            assert rt.status().connections == ()
            away = rt.connect(url, token)
            topic = away.topic("lab:temp")
            topic.on_message(lambda message: None)
            away.publish("lab:temp", "from the child")
            topic.wait(timeout=10)
            os.write(writing, b"fine")
        finally:
            os._exit(0)
    os.close(writing)
    assert os.read(reading, 100) == b"fine"
    os.close(reading)
    os.waitpid(child, 0)
    assert temp.wait(timeout=10).data == "from the child"
