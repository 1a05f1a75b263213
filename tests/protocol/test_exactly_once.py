"""Exactly once and in order, or an announced gap: whatever the network, the store and the server do.

``NBREALTIME_EXAMPLES=6000 pytest --timeout 0 tests/protocol`` looks for an hour: what takes several unlikely steps is found by
that, and not by the few examples of an ordinary run.
"""

from __future__ import annotations

import os

from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, rule

from nbrealtime.client.session import Options
from nbrealtime.wire.v2 import Since

from .setting import KEPT, PATTERN, QUIET, TOPICS
from .world import World

PEERS = st.integers(0, 2)
NAMES = st.sampled_from([*TOPICS, TOPICS[0], PATTERN, PATTERN, QUIET])
OPTIONS = st.sampled_from(
    [Options()] * 4
    + [Options(policy="drop_oldest"), Options(policy="conflate"), Options(max_rate=20.0)]
    + [Options(policy="conflate", max_rate=20.0), Options(policy="drop_oldest", max_rate=50.0)]
)
FEW = st.integers(0, 4)


class ProtocolMachine(RuleBasedStateMachine):
    """Three clients, one server: memory that is gone with it, answers at once."""

    durable = False
    at_once = True
    keys = 100_000

    @initialize()
    def begin(self):
        self.world = World(durable=self.durable, at_once=self.at_once, keys=self.keys)
        for peer in self.world.peers:
            peer.connect()

    # -- what users do

    @rule(
        peer=PEERS,
        topic=st.sampled_from([*TOPICS, QUIET]),
        burst=st.integers(1, 5),
        ack=st.sampled_from([True, True, False]),
        echo=st.sampled_from([True, True, True, False]),
        retain=st.booleans(),
    )
    def publish(self, peer, topic, burst, ack, echo, retain):
        for _ in range(burst):
            self.world.peers[peer].publish(topic, ack=ack, echo=echo, retain=retain)

    @rule(peer=PEERS, name=NAMES, options=OPTIONS, since=st.sampled_from([None, None, "last", 2, 100]))
    def subscribe(self, peer, name, options, since):
        count = since if isinstance(since, int) else None
        begin = since if count is None else Since(count=count)
        self.world.peers[peer].subscribe(name, options, begin, count)

    @rule(peer=PEERS, name=NAMES)
    def unsubscribe(self, peer, name):
        self.world.peers[peer].unsubscribe(name)

    # -- what happens by itself

    @rule(place=st.integers(0, 5), count=st.integers(1, 6))
    def server_hears(self, place, count):
        wires = self.world.wires
        for _ in range(count):
            if place < len(wires):
                self.world.hear(wires[place])

    @rule()
    def server_hears_everybody(self):
        for wire in list(self.world.wires):
            while wire.up:
                self.world.hear(wire)
        self.world.turn()

    @rule(peer=PEERS, count=st.integers(1, 6))
    def client_hears(self, peer, count):
        for _ in range(count):
            self.world.peers[peer].read()

    @rule()
    def server_turns(self):
        self.world.turn()

    @rule(count=st.integers(1, 3))
    def store_answers(self, count):
        for _ in range(count):
            self.world.answer()
        self.world.turn()

    @rule(milliseconds=st.sampled_from([1, 20, 300, 5_000, 61_000, 301_000, 25 * 3600 * 1000]))
    def time_passes(self, milliseconds):
        self.world.pass_time(milliseconds)

    # -- what goes wrong

    @rule(peer=PEERS, up=FEW, down=FEW)
    def cut(self, peer, up, down):
        self.world.cut(self.world.peers[peer], up=up, down=down)

    @rule(peer=PEERS)
    def connect(self, peer):
        self.world.peers[peer].connect()

    @rule(place=st.integers(0, 5))
    def server_notices(self, place):
        gone = [wire for wire in self.world.wires if wire.cut_off]
        if place < len(gone):
            self.world.notice(gone[place])

    @rule(place=st.integers(0, 5), blocked=st.booleans())
    def reader_is_slow(self, place, blocked):
        if place < len(self.world.wires):
            self.world.block(self.world.wires[place], blocked)

    @rule(done=st.integers(0, 3))
    def server_is_killed(self, done):
        self.world.restart(done)

    @rule(count=st.integers(1, 2))
    def store_fails(self, count):
        self.world.fail(count)

    @rule(count=st.integers(1, 3))
    def server_refuses(self, count):
        self.world.refusals = count

    # -- what goes wrong in several steps, which chance would seldom find

    @rule(
        peer=PEERS,
        topic=st.sampled_from(TOPICS),
        count=st.integers(KEPT - 2, KEPT + 3),
        settled=st.booleans(),
    )
    def some_is_missed(self, peer, topic, count, settled):
        """About as much as is kept, or a little more."""
        world, writer = self.world, self.world.peers[(peer + 1) % 3]
        if settled:
            world.settle()
        world.cut(world.peers[peer], up=0, down=0)
        writer.connect()
        self.say(writer, topic, count)
        world.work()
        world.peers[peer].connect()

    @rule(peer=PEERS, name=NAMES, count=st.integers(0, 4))
    def somebody_comes_for_the_newest(self, peer, name, count):
        listener = self.world.peers[peer]
        listener.unsubscribe(name)
        self.world.settle()
        listener.subscribe(name, Options(), Since(count=count), count)

    @rule(peer=PEERS, topic=st.sampled_from(TOPICS))
    def a_batch_fails_with_more_behind_it(self, peer, topic):
        world, writer = self.world, self.world.peers[peer]
        writer.connect()
        world.settle()
        world.fail(1)
        for _ in range(2):
            self.say(writer, topic, 1)
            for wire in list(world.wires):
                while wire.up:
                    world.hear(wire)
            world.turn()

    @rule(peer=PEERS, topic=st.sampled_from(TOPICS), policy=st.sampled_from(["drop_oldest", "conflate"]))
    def a_reader_is_overwhelmed(self, peer, topic, policy):
        world, reader = self.world, self.world.peers[peer]
        reader.unsubscribe(topic)
        reader.subscribe(topic, Options(policy=policy), None, None)
        world.settle()
        world.block(reader.wire, True)
        self.say(world.peers[(peer + 1) % 3], topic, 25)
        world.work()
        if reader.wire is not None:
            world.block(reader.wire, False)

    @rule(peer=PEERS, topic=st.sampled_from(TOPICS), count=st.integers(2, KEPT))
    def trimming_overtakes_a_reader(self, peer, topic, count):
        """It has read a page, and takes no more until some of what is left has gone."""
        world, reader, writer = self.world, self.world.peers[peer], self.world.peers[(peer + 1) % 3]
        reader.subscribe(topic, Options(), None, None)
        world.settle()
        world.cut(reader, up=0, down=0)
        self.say(writer, topic, KEPT)
        world.work()
        reader.connect()
        wire = reader.wire
        world.hear(wire)
        world.turn()
        reader.read()
        while wire.up:
            world.hear(wire)
        world.turn()
        world.answer()
        world.turn()
        world.block(wire, True)
        world.answer()
        self.say(writer, topic, count)
        world.work()
        world.block(wire, False)

    def say(self, writer, topic, count):
        for _ in range(count):
            writer.publish(topic, ack=True, echo=True, retain=False)

    # -- what must be

    @rule()
    def everything_settles(self):
        self.world.settle()

    def teardown(self):
        if hasattr(self, "world"):
            self.world.settle()


class DurableMachine(ProtocolMachine):
    """The same with a store that survives, and takes its time."""

    durable = True
    at_once = False


class ForgetfulMachine(DurableMachine):
    """The same with a server that remembers few keys."""

    keys = 8


QUICK = settings(
    max_examples=int(os.environ.get("NBREALTIME_EXAMPLES", "60")),
    stateful_step_count=40,
    suppress_health_check=list(HealthCheck),
)
TestInMemory = ProtocolMachine.TestCase
TestInMemory.settings = QUICK
TestDurable = DurableMachine.TestCase
TestDurable.settings = QUICK
TestForgetful = ForgetfulMachine.TestCase
TestForgetful.settings = QUICK
