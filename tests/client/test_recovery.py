"""Our client and our server in v2, over real sockets that break: nothing lost, nothing twice."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Iterator
from typing import Any

import pytest

from nbrealtime.client import LinkState
from nbrealtime.client.session import backoff
from nbrealtime.errors import ConnectionClosed, PublishTimeout, PublishUncertain, Refused
from nbrealtime.server import Server, serve
from nbrealtime.testing import FaultyNetwork
from nbrealtime.wire.v2 import Position, Since

SECRET = "a secret of the client's tests, long enough"


@pytest.fixture(autouse=True)
def no_waiting(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(backoff, "delay_after", lambda failures, random: 0.02)


@pytest.fixture
def server() -> Iterator[Server]:
    with serve(secret=SECRET, advertise=False) as server:
        yield server


@pytest.fixture
def network(server: Server) -> Iterator[FaultyNetwork]:
    with FaultyNetwork(server.url) as network:
        yield network


def test_our_own_server_is_spoken_to_in_v2(server: Server, connect: Any) -> None:
    link = connect(server.url, server.token("ada", name="Ada"))
    assert link.wait_connected(10)
    assert link.status.protocol == 2
    assert link.status.user == "Ada"


def test_a_message_brings_its_place_and_its_publisher(server: Server, connect: Any, ear: Any) -> None:
    link = connect(server.url, server.token("ada", name="Ada"))
    link.subscribe("lab:temp", ear)
    receipt = link.publish("lab:temp", b"1", ack=True, time=1234.5).wait(10)
    ear.wait_for_data(1)
    message = ear.messages[0]
    assert (message.epoch, message.offset) == (receipt.epoch, receipt.offset) == (receipt.epoch, 1)
    assert message.id == receipt.message_id
    assert (message.user.id, message.user.name, message.time) == ("ada", "Ada", 1234.5)
    assert receipt.duplicate is False


def test_what_was_published_while_away_is_recovered(
    server: Server, network: FaultyNetwork, connect: Any, ear: Any
) -> None:
    away = connect(network.url, server.token("ada"), ear=ear)
    away.subscribe("lab:temp", ear)
    ear.wait_for_event("subscribed", 1)
    here = connect(server.url, server.token("bob"))
    here.publish("lab:temp", b"0", ack=True).wait(10)
    ear.wait_for_data(0)
    network.refuse()
    ear.wait_for_event("offline")
    for number in range(1, 2000):
        here.publish("lab:temp", b"%d" % number)
    here.publish("lab:temp", b"2000", ack=True).wait(10)
    network.restore()
    ear.wait(lambda ear: len(ear.messages) >= 2001)
    assert ear.data == list(range(2001))
    assert ear.recovered[-1] == (True, 2000)
    assert not [event for event in ear.events if event[0] == "gap"]


def test_what_no_history_reaches_back_to_is_a_gap(
    server: Server, network: FaultyNetwork, connect: Any, ear: Any
) -> None:
    away = connect(network.url, server.token("ada"), ear=ear)
    away.subscribe("lab:temp", ear)
    ear.wait_for_event("subscribed", 1)
    here = connect(server.url, server.token("bob"))
    here.publish("lab:temp", b"0", ack=True).wait(10)
    ear.wait_for_data(0)
    network.refuse()
    ear.wait_for_event("offline")
    for number in range(10_500):
        here.publish("lab:temp", b"%d" % number)
    here.publish("lab:temp", b'"newest"', ack=True).wait(20)
    network.restore()
    ear.wait_for_event("gap", "unrecoverable", 10_501)
    assert ear.recovered[-1][0] is False
    here.publish("lab:temp", b'"after"')
    ear.wait_for_data("after")
    assert ear.data == [0, "after"]


def test_a_pattern_recovers_each_topic_and_those_that_appeared_meanwhile(
    server: Server, network: FaultyNetwork, connect: Any, ear: Any
) -> None:
    away = connect(network.url, server.token("ada"), ear=ear)
    away.subscribe("lab:*", ear)
    ear.wait(lambda ear: bool(ear.events))
    here = connect(server.url, server.token("bob"))
    here.publish("lab:a", b"1", ack=True).wait(10)
    ear.wait_for_data(1)
    network.refuse()
    ear.wait_for_event("offline")
    here.publish("lab:a", b"2", ack=True).wait(10)
    here.publish("lab:b", b"3", ack=True).wait(10)
    network.restore()
    ear.wait(lambda ear: len(ear.messages) >= 3)
    here.publish("lab:b", b"4", ack=True).wait(10)
    ear.wait_for_data(4)
    assert sorted(ear.data) == [1, 2, 3, 4]
    assert {message.subscription for message in ear.messages} == {"lab:*"}
    assert not [event for event in ear.events if event[0] == "gap"]


def test_acknowledged_publishes_through_a_network_that_breaks_arrive_once_and_in_order(
    server: Server, network: FaultyNetwork, connect: Any, ear: Any, new_ear: Any
) -> None:
    mine = new_ear()
    link = connect(network.url, server.token("ada"), ear=mine)
    connect(server.url, server.token("bob")).subscribe("lab:temp", ear)
    ear.wait(lambda ear: bool(ear.events))
    mine.wait_for_state("connected")
    receipts = []
    for number in range(600):
        receipts.append(link.publish("lab:temp", b"%d" % number, ack=True))
        if number % 60 == 30:
            network.cut(after_bytes=number * 7 % 900 + 1)
        if number % 20 == 0:
            threading.Event().wait(0.01)
    for receipt in receipts:
        receipt.wait(20)
    ear.wait(lambda ear: len(ear.messages) >= 600)
    assert ear.data == list(range(600))
    assert [receipt.offset for receipt in receipts] == list(range(1, 601))
    assert link.status.uncertain == 0


def test_an_acknowledged_publish_waits_offline_however_many_there_are(
    server: Server, network: FaultyNetwork, connect: Any, ear: Any
) -> None:
    link = connect(network.url, server.token("ada"), ear=ear)
    ear.wait_for_state("connected")
    network.refuse()
    ear.wait_for_state("reconnecting")
    receipts = [link.publish("lab:temp", b"%d" % number, ack=True) for number in range(300)]
    network.restore()
    assert [receipt.wait(10).offset for receipt in receipts] == list(range(1, 301))


def test_a_receipt_can_be_awaited(server: Server, connect: Any) -> None:
    link = connect(server.url, server.token("ada"))

    async def publish() -> Any:
        return await link.publish("lab:temp", b"1", ack=True)

    receipt = asyncio.run(publish())
    assert receipt.done
    assert receipt.offset == 1


def test_a_server_that_lost_its_memory_makes_what_was_under_way_uncertain(connect: Any, ear: Any) -> None:
    with serve(secret=SECRET, advertise=False) as first, FaultyNetwork(first.url) as network:
        link = connect(network.url, first.token("ada"), ear=ear)
        ear.wait_for_state("connected")
        network.black_hole()
        receipt = link.publish("lab:temp", b"1", ack=True)
        with pytest.raises(TimeoutError):
            receipt.wait(0.2)
        network.refuse()
        ear.wait_for_state("reconnecting")
        waiting = link.publish("lab:temp", b"2", ack=True)
        first.close()
        with serve(secret=SECRET, advertise=False) as second:
            network.target = ("127.0.0.1", second.port)
            network.restore()
            with pytest.raises(PublishUncertain):
                receipt.wait(10)
            assert waiting.wait(10).offset == 1, "what was never written may wait any time"
        ear.wait(lambda ear: bool(ear.reports))
        assert ear.reports == ["1 message to lab:temp may or may not have arrived"]
        assert link.status.uncertain == 1


def test_a_refused_publish_fails_its_receipt(server: Server, connect: Any) -> None:
    link = connect(server.url, server.token("ada", topics=["lab:*"]))
    with pytest.raises(Refused) as caught:
        link.publish("other:x", b"1", ack=True).wait(10)
    assert caught.value.code == "forbidden"


def test_closing_fails_what_was_never_sent(
    server: Server, network: FaultyNetwork, connect: Any, ear: Any
) -> None:
    link = connect(network.url, server.token("ada"), ear=ear)
    ear.wait_for_state("connected")
    network.refuse()
    ear.wait_for_state("reconnecting")
    receipt = link.publish("lab:temp", b"1", ack=True)
    link.close()
    with pytest.raises(ConnectionClosed):
        receipt.wait(10)


def test_closing_waits_for_acknowledgements(server: Server, connect: Any) -> None:
    link = connect(server.url, server.token("ada"))
    receipts = [link.publish("lab:temp", b"%d" % number, ack=True) for number in range(1000)]
    link.close()
    assert [receipt.wait(10).offset for receipt in receipts] == list(range(1, 1001))


def test_a_full_offline_queue_refuses_or_gives_up_its_oldest(
    server: Server, network: FaultyNetwork, connect: Any, ear: Any, new_ear: Any
) -> None:
    strict = connect(network.url, server.token("ada"), ear=ear, queue_bytes=1000)
    other_ear = new_ear()
    giving = connect(network.url, server.token("bob"), ear=other_ear, queue_bytes=1000, on_full="drop_oldest")
    ear.wait_for_state("connected")
    other_ear.wait_for_state("connected")
    network.refuse()
    ear.wait_for_state("reconnecting")
    other_ear.wait_for_state("reconnecting")
    data = b'"' + b"x" * 300 + b'"'
    strict.publish("lab:temp", data, ack=True)
    strict.publish("lab:temp", data, ack=True)
    with pytest.raises(PublishTimeout):
        strict.publish("lab:temp", data, ack=True)
    receipts = [giving.publish("lab:temp", data, ack=True) for _ in range(6)]
    for receipt in receipts[:4]:
        with pytest.raises(PublishTimeout):
            receipt.wait(10)
    network.restore()
    for receipt in receipts[4:]:
        receipt.wait(10)


def test_history_is_a_request(server: Server, connect: Any) -> None:
    link = connect(server.url, server.token("ada"))
    receipts = [link.publish("lab:temp", b"%d" % number, ack=True) for number in range(10)]
    epoch = receipts[-1].wait(10).epoch
    page = link.history("lab:temp", limit=3, reverse=True).wait(10).page
    assert [message.data for message in page.messages] == [9, 8, 7]
    assert (page.epoch, page.offset) == (epoch, 10)
    page = link.history("lab:temp", since=Position(epoch, 8)).wait(10).page
    assert [(message.data, message.offset, message.epoch) for message in page.messages] == [
        (8, 9, epoch),
        (9, 10, epoch),
    ]
    with pytest.raises(Refused) as caught:
        link.history("lab:temp", since=Position("foreign", 8)).wait(10)
    assert caught.value.code == "unrecoverable"


def test_a_subscription_may_begin_in_the_past(server: Server, connect: Any, ear: Any, new_ear: Any) -> None:
    link = connect(server.url, server.token("ada"))
    for number in range(10):
        link.publish("lab:temp", b"%d" % number, ack=True).wait(10)
    link.subscribe("lab:temp", ear, since=Since(count=3))
    ear.wait_for_data(7, 8, 9)
    assert ear.recovered == [(True, 3)]
    late = new_ear()
    link.subscribe("lab:temp", late, since=Since(count=5))
    late.wait_for_data(5, 6, 7, 8, 9)
    link.publish("lab:temp", b"10")
    late.wait_for_data(5, 6, 7, 8, 9, 10)
    ear.wait_for_data(10)
    assert ear.data == [7, 8, 9, 10], "who was there before gets nothing twice"


def test_the_retained_value_is_marked_and_moves_no_position(server: Server, connect: Any, ear: Any) -> None:
    link = connect(server.url, server.token("ada"))
    link.publish("lab:setpoint", b"20", ack=True, retain=True).wait(10)
    link.publish("lab:setpoint", b"21", ack=True).wait(10)
    link.subscribe("lab:setpoint", ear, since="last")
    ear.wait_for_data(20)
    assert ear.messages[0].retained
    link.publish("lab:setpoint", b"22")
    ear.wait_for_data(20, 22)


def test_a_publisher_may_leave_itself_out(server: Server, connect: Any, ear: Any, new_ear: Any) -> None:
    link, other = connect(server.url, server.token("ada")), connect(server.url, server.token("bob"))
    theirs = new_ear()
    link.subscribe("lab:temp", ear)
    other.subscribe("lab:temp", theirs)
    ear.wait(lambda ear: bool(ear.events))
    theirs.wait(lambda ear: bool(ear.events))
    link.publish("lab:temp", b"1", echo=False)
    link.publish("lab:temp", b"2")
    theirs.wait_for_data(1, 2)
    ear.wait_for_data(2)
    assert ear.data == [2]


def test_a_token_from_a_function_is_renewed_before_it_expires(server: Server, connect: Any, ear: Any) -> None:
    fetched = []

    def fetch() -> str:
        fetched.append(None)
        return server.token("ada", ttl=3 if len(fetched) < 3 else 60)

    link = connect(server.url, fetch, ear=ear)
    link.subscribe("lab:temp", ear)
    ear.wait(lambda ear: bool(ear.events))
    deadline = threading.Event()
    while len(fetched) < 3:
        deadline.wait(0.05)
    link.publish("lab:temp", b"1")
    ear.wait_for_data(1)
    assert ("offline",) not in ear.events


def test_a_token_that_expires_and_cannot_be_renewed_ends_the_connection(
    server: Server, connect: Any, ear: Any
) -> None:
    link = connect(server.url, server.token("ada", ttl=1), ear=ear)
    ear.wait_for_state("connected")
    ear.wait_for_state("closed")
    assert "expired" in str(link.status.error)
    assert link.status.state is LinkState.CLOSED


def test_a_topic_that_may_be_heard_but_not_counted_is_heard(server: Server, connect: Any, ear: Any) -> None:
    link = connect(server.url, server.token("ada", topics=["lab:*"], allow=["subscribe", "publish"]))
    link.subscribe("lab:temp", ear)
    ear.wait_for_event("subscribed", 1)
    link.publish("lab:temp", b"1")
    ear.wait_for_data(1)
    assert not [event for event in ear.events if event[0] == "refused"]
