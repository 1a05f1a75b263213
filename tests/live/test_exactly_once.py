"""Nothing lost and nothing twice, as users see it: real servers, a network that fails, and SIGKILL."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
import textwrap
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

import nbrealtime as rt
from nbrealtime.live.connection import Connection, open_connection
from nbrealtime.server import Server, serve
from nbrealtime.server.stores.history import History
from nbrealtime.testing import FaultyNetwork, running_server
from nbrealtime.widgets.audience import Viewing
from nbrealtime.widgets.plots.part import PlotPart, Source

from .fakes import Ear

REPOSITORY = Path(__file__).parents[2]
SECRET = "only for tests, and long enough to sign with"
WIDE = Viewing(width=800)
KEPT = History().messages // 2


@pytest.fixture
def server() -> Iterator[Server]:
    with running_server() as server:
        yield server
        rt.close_all()


@pytest.fixture
def network(server: Server) -> Iterator[FaultyNetwork]:
    with FaultyNetwork(server.url) as network:
        yield network
        rt.close_all()


def connect(server: Server, url: str | None = None, user: str = "ada", **options: Any) -> Connection:
    return open_connection(url or server.url, server.token(user), **options)


def until(topic: rt.LiveTopic, ready: Callable[[], bool], timeout: float = 30.0) -> None:
    """Wait until something holds that changes with the topic."""
    there = threading.Event()
    unwatch = topic.feed.watch(there.set)
    deadline = time.monotonic() + timeout
    while not ready():
        left = deadline - time.monotonic()
        assert left > 0, f"never came: {topic!r}, gaps {topic.gaps}"
        there.wait(min(left, 0.25))
        there.clear()
    unwatch()


# A network that fails.


def test_reconnecting_while_others_publish_loses_nothing_and_doubles_nothing(
    server: Server, network: FaultyNetwork
) -> None:
    source, away = connect(server), connect(server, network.url, "bob")
    run = away.topic("lab:run")
    ear, states = Ear(), Ear()
    run.on_message(ear)
    away.link.listen(lambda status: states(status.state.value))
    until(run, lambda: run.state == "live")
    enough = threading.Event()
    published = []

    def publish() -> None:
        while not enough.wait(0.002):
            # Never more than the server keeps: what is away for longer than that is told of a gap.
            for _ in range(5 if len(published) - run.count < KEPT else 0):
                source.publish("lab:run", len(published))
                published.append(len(published))

    publisher = threading.Thread(target=publish)
    publisher.start()
    for cut in range(1, 7):
        network.cut(after_bytes=700)
        states.wait_until(lambda heard, cut=cut: heard.count("reconnecting") >= cut)
        away.reconnect()
        count = run.count
        until(run, lambda count=count: run.count > count)
    enough.set()
    publisher.join()
    total = len(published)
    until(run, lambda: run.count >= total)
    assert [message.data for message in ear.wait(total)] == published
    assert [message.offset for message in ear.heard] == list(range(1, total + 1))
    assert run.to_numpy()["value"].tolist() == published
    assert (run.gaps, run.count, run.offset) == (0, total, total)


def test_acknowledged_publishes_through_cuts_arrive_once_and_in_order(
    server: Server, network: FaultyNetwork
) -> None:
    here, away = connect(server), connect(server, network.url, "bob")
    run = here.topic("lab:run")
    until(run, lambda: run.state == "live")
    assert away.wait_connected(10)
    receipts = []
    for at in range(1000):
        receipts.append(away.publish("lab:run", at, ack=True))
        if at % 250 == 100:
            receipts[-1].wait(20)
            network.cut(after_bytes=500)
    for receipt in receipts:
        receipt.wait(20)
    until(run, lambda: run.count >= 1000)
    assert [message.data for message in run.history(1000)] == list(range(1000))
    assert run.to_numpy()["value"].tolist() == list(range(1000))
    assert [receipt.offset for receipt in receipts] == list(range(1, 1001))


def test_topics_of_a_pattern_that_first_appear_while_away_are_there_afterwards(
    server: Server, network: FaultyNetwork
) -> None:
    source, away = connect(server), connect(server, network.url, "bob")
    lab = away.topic("lab:*")
    until(lab, lambda: lab.state == "live")
    source.publish("lab:a", 1, ack=True).wait(10)
    until(lab, lambda: lab.count == 1)
    network.refuse()
    until(lab, lambda: lab.state == "offline")
    for name, value in [("lab:a", 2), ("lab:new", 3), ("shop:x", 4), ("lab:a", 5)]:
        source.publish(name, value, ack=True).wait(10)
    network.restore()
    away.reconnect()
    until(lab, lambda: lab.count == 4)
    assert lab.topics == ("lab:a", "lab:new")
    assert lab.by_topic("lab:a").to_numpy()["value"].tolist() == [1, 2, 5]
    assert lab.by_topic("lab:new").to_numpy()["value"].tolist() == [3]
    assert (lab.gaps, lab.state) == (0, "live")


def test_a_plot_fills_in_what_was_missed(server: Server, network: FaultyNetwork) -> None:
    source, away = connect(server), connect(server, network.url, "bob")
    temp = away.topic("lab:temp")
    until(temp, lambda: temp.state == "live")
    part = PlotPart([Source(temp.name, temp.feed)], window=60)
    began = time.time() - 30
    for second in range(10):
        source.publish("lab:temp", second, time=began + second)
    until(temp, lambda: temp.count == 10)
    part.frame(time.time(), WIDE)
    network.refuse()
    until(temp, lambda: temp.state == "offline")
    for second in range(10, 20):
        source.publish("lab:temp", second, time=began + second)
    network.restore()
    away.reconnect()
    until(temp, lambda: temp.count == 20)
    header, _ = part.frame(time.time(), WIDE)
    assert [(entry["n"], entry["interval"]) for entry in header["data"]] == [(10, pytest.approx(1.0))]
    assert header["newest"] == pytest.approx(began + 19, abs=0.001)
    assert part.state == "live"


# A server that is restarted.


def restarted(port: int, **options: Any) -> Server:
    """A server on the same port with the same secret, as soon as that is free."""
    deadline = time.monotonic() + 10
    while True:
        try:
            return serve(port, secret=SECRET, advertise=False, **options)
        except rt.AddressInUse:
            assert time.monotonic() < deadline
            time.sleep(0.05)


def test_a_restart_in_memory_is_a_gap_that_is_told_and_a_plot_goes_on() -> None:
    server = serve(secret=SECRET, advertise=False)
    with connect(server) as here:
        temp = here.topic("lab:temp")
        told = Ear()
        temp.on_gap(told)
        until(temp, lambda: temp.state == "live")
        part = PlotPart([Source(temp.name, temp.feed)], window=60)
        now = time.time()
        here.publish("lab:temp", 1, ack=True, time=now - 20).wait(10)
        until(temp, lambda: temp.count == 1)
        epoch = temp.position.epoch
        server.close()
        until(temp, lambda: temp.state == "offline")
        server = restarted(server.port)
        here.reconnect()
        until(temp, lambda: temp.state == "live")
        (gap,) = told.wait(1)
        assert (gap.topic, gap.missed, gap.reason) == ("lab:temp", None, "unrecoverable")
        here.publish("lab:temp", 2, ack=True, time=now).wait(10)
        until(temp, lambda: temp.count == 2)
        assert (temp.gaps, temp.offset, temp.value) == (1, 1, 2)
        assert temp.position.epoch != epoch
        header, _ = part.frame(time.time(), WIDE)
        assert [entry["n"] for entry in header["data"]] == [2]
    server.close()


_CHILD = """
import sys, time
import nbrealtime as rt
server = rt.serve(int(sys.argv[1]), secret=sys.argv[2], store=sys.argv[3], advertise=False)
print("listening", flush=True)
sys.stdin.read()
"""


def child(port: int, store: str) -> subprocess.Popen[str]:
    """A server in a process of its own, to be killed."""
    process = subprocess.Popen(
        [sys.executable, "-c", textwrap.dedent(_CHILD), str(port), SECRET, store],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
        env={**os.environ, "PYTHONPATH": str(REPOSITORY)},
    )
    assert process.stdout is not None
    assert process.stdout.readline() == "listening\n"
    return process


def kill(process: subprocess.Popen[str]) -> None:
    process.kill()
    process.wait(10)
    assert process.stdin is not None
    assert process.stdout is not None
    process.stdin.close()
    process.stdout.close()


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


def test_a_server_on_a_file_that_is_killed_and_started_again_loses_nothing(tmp_path: Path) -> None:
    with serve(secret=SECRET, advertise=False) as signer:
        tokens = signer.token("ada"), signer.token("bob")
    store, port = f"sqlite:///{tmp_path}/lab.db", free_port()
    process = child(port, store)
    try:
        with (
            open_connection(f"ws://127.0.0.1:{port}", tokens[0]) as source,
            open_connection(f"ws://127.0.0.1:{port}", tokens[1]) as away,
        ):
            lab, run = away.topic("lab:*"), away.topic("lab:run")
            ear = Ear()
            run.on_message(ear)
            until(run, lambda: run.state == "live")
            receipts = []
            for part in range(3):
                for at in range(200):
                    receipts.append(source.publish("lab:run", part * 200 + at, ack=True))
                    if at == 100:
                        receipts[-1].wait(20)
                        kill(process)
                        process = child(port, store)
                        source.reconnect()
                        away.reconnect()
            for receipt in receipts:
                receipt.wait(30)
            until(run, lambda: run.count >= 600)
            assert [message.data for message in ear.wait(600)] == list(range(600))
            assert (run.gaps, lab.gaps, run.offset) == (0, 0, 600)
            until(lab, lambda: lab.count >= 600)
            assert lab.by_topic("lab:run").to_numpy()["value"].tolist() == list(range(600))
            assert [message.data for message in run.history(3, reverse=True)] == [599, 598, 597]
    finally:
        kill(process)


# Where a stream begins.


def test_a_stream_begins_where_it_is_told(server: Server) -> None:
    with connect(server) as source:
        for value in range(5):
            receipt = source.publish("lab:temp", value, ack=True, retain=value == 2)
        receipt.wait(10)
    for since, values, offset in [("last", [2], None), (3, [2, 3, 4], 5), ({"count": 1}, [4], 5)]:
        with connect(server, user="bob") as here:
            temp = here.topic("lab:temp", since=since)
            ear = Ear()
            temp.on_message(ear)
            assert [message.data for message in ear.wait(len(values))] == values
            assert (temp.offset, temp.gaps, ear.heard[0].retained) == (offset, 0, since == "last")
            third = temp.history()[2]
    with connect(server, user="bob") as here:
        later = here.topic("lab:temp", since=third)
        until(later, lambda: later.count == 2)
        assert later.to_numpy()["value"].tolist() == [3, 4]
    with connect(server, user="bob") as here:
        told = Ear()
        lost = here.topic("lab:temp", since={"epoch": "another", "offset": 3}, on_gap=told)
        assert told.wait(1)[0].reason == "unrecoverable"
        assert (lost.gaps, lost.count) == (1, 0)


def test_a_history_is_there_for_who_never_subscribed(server: Server) -> None:
    with connect(server) as here:
        for value in range(5):
            receipt = here.publish("lab:temp", value, ack=True)
        receipt.wait(10)
        lab = here.topic("lab:*")
        temp = lab.by_topic("lab:temp")
        assert [message.data for message in temp.history()] == [0, 1, 2, 3, 4]
        assert [message.data for message in temp.history(2, reverse=True)] == [4, 3]
        assert [message.data for message in temp.history(since=temp.history()[2])] == [3, 4]
        assert lab.by_topic("lab:none").history() == []
        with pytest.raises(rt.Refused, match="position"):
            temp.history(since={"epoch": "another", "offset": 1})


def test_a_history_of_large_messages_comes_whole(server: Server) -> None:
    with connect(server) as here:
        for value in range(8):
            here.publish("lab:big", f"{value}" * 300_000, ack=True).wait(10)
        assert [message.data[0] for message in here.topic("lab:big").history()] == list("01234567")


# Who and what is there.


def test_topics_are_those_with_subscribers_or_a_history(server: Server) -> None:
    with connect(server) as here, open_connection(server.url, server.token("bob", topics=["lab:*"])) as bob:
        here.publish("lab:run", 1, ack=True).wait(10)
        shop = here.topic("shop:till")
        until(shop, lambda: shop.state == "live")
        assert here.fetch_topics() == {"lab:run": 0, "shop:till": 1}
        assert bob.fetch_topics() == {"lab:run": 0}


def test_a_connection_says_who_it_is_as_the_server_does(server: Server) -> None:
    with open_connection(server.url, server.token("ada", name="Ada L.")) as here:
        assert here.wait_connected(10)
        temp = here.topic("lab:temp")
        until(temp, lambda: temp.state == "live")
        assert here.user == "Ada L."
        here.publish("lab:temp", 1)
        message = temp.wait(timeout=10)
        assert (message.user.id, message.user.name) == ("ada", "Ada L.")


def test_a_function_that_fetches_tokens_renews_them_without_an_interruption(server: Server) -> None:
    fetched = Ear()

    def fetch() -> str:
        fetched(len(fetched.heard))
        return server.token("ada", ttl=2)

    with open_connection(server.url, fetch) as here:
        states = Ear()
        temp = here.topic("lab:temp")
        until(temp, lambda: temp.state == "live")
        here.observe(states, "state")
        fetched.wait(4, timeout=20)
        here.publish("lab:temp", "still here", ack=True).wait(10)
        assert temp.wait(timeout=10).data == "still here"
        assert (states.heard, temp.gaps) == ([], 0)


def test_the_publishers_time_is_what_is_plotted(server: Server) -> None:
    with connect(server) as here:
        temp = here.topic("lab:temp")
        until(temp, lambda: temp.state == "live")
        measured = time.time() - 3600
        here.publish("lab:temp", 21.5, time=measured)
        message = temp.wait(timeout=10)
        assert message.time == pytest.approx(measured, abs=0.001)
        assert message.timestamp > measured + 3000
        assert temp.to_numpy()["t"][0] == pytest.approx(measured, abs=0.001)


def test_who_wants_no_echo_gets_none(server: Server) -> None:
    with connect(server) as here, connect(server, user="bob") as bob:
        mine, his = here.topic("lab:temp"), bob.topic("lab:temp")
        for topic in (mine, his):
            until(topic, lambda topic=topic: topic.state == "live")
        here.publish("lab:temp", 1, echo=False)
        here.publish("lab:temp", 2)
        until(his, lambda: his.count == 2)
        until(mine, lambda: mine.count == 1)
        assert (mine.value, mine.gaps) == (2, 0)


# Readers that are too slow, or want less.


def test_what_a_slow_subscription_drops_is_a_gap_of_its_topic_and_the_rest_comes_in_order(
    server: Server,
) -> None:
    with connect(server) as source, connect(server, user="bob") as here:
        told = Ear()
        lab = here.topic("lab:*", policy="drop_oldest", max_rate=20, on_gap=told)
        until(lab, lambda: lab.state == "live")
        for at in range(30):
            source.publish("lab:frames", {"at": at, "frame": "x" * 400_000}, ack=True)
        until(lab, lambda: lab.value is not None and lab.value["at"] == 29)
        ats = [int(at) for at in lab.by_topic("lab:frames").to_numpy()["at"]]
        assert ats == sorted(set(ats))
        assert lab.gaps == len(told.wait(lab.gaps)) > 0
        assert {(gap.topic, gap.reason) for gap in told.heard} == {("lab:frames", "slow")}
        assert sum(gap.missed for gap in told.heard) + lab.count == 30


def test_a_conflating_subscription_gets_the_newest_and_no_gap(server: Server) -> None:
    with connect(server) as source, connect(server, user="bob") as here:
        fast = here.topic("lab:fast", policy="conflate", max_rate=20)
        ear = Ear()
        fast.on_message(ear)
        until(fast, lambda: fast.state == "live")
        for at in range(500):
            source.publish("lab:fast", at)
        heard = ear.wait_until(lambda heard: bool(heard) and heard[-1].data == 499)
        assert len(heard) + sum(message.skipped for message in heard) == 500
        assert len(heard) < 100
        assert fast.gaps == 0


def test_each_topic_of_a_pattern_that_went_with_its_server_is_a_gap() -> None:
    server = serve(secret=SECRET, advertise=False)
    with connect(server) as here:
        told = Ear()
        lab = here.topic("lab:*", on_gap=told)
        until(lab, lambda: lab.state == "live")
        for name in ("lab:a", "lab:b"):
            here.publish(name, 1, ack=True).wait(10)
        until(lab, lambda: lab.count == 2)
        server.close()
        until(lab, lambda: lab.state == "offline")
        server = restarted(server.port)
        here.reconnect()
        assert {gap.topic for gap in told.wait(2)} == {"lab:a", "lab:b"}
        until(lab, lambda: lab.state == "live")
        assert (lab.gaps, lab.by_topic("lab:a").gaps, lab.by_topic("lab:b").gaps) == (2, 1, 1)
    server.close()
