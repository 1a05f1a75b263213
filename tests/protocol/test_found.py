"""What the state machine has found, each in a few lines."""

from __future__ import annotations

from nbrealtime.client.session import Options

from .setting import PATTERN
from .world import World


def test_a_pattern_is_told_when_a_topic_it_followed_is_gone_with_the_server() -> None:
    world = World(durable=False, at_once=True, peers=2)
    listener, publisher = world.peers
    listener.connect()
    listener.subscribe(PATTERN, Options(), None, None)
    publisher.publish("lab:a", ack=False, echo=True, retain=False)
    world.settle()
    listener.lose()
    publisher.publish("lab:a", ack=False, echo=True, retain=False)
    for wire in list(world.wires):
        while wire.up:
            world.hear(wire)
    world.turn()
    world.restart(0)
    world.settle()


def test_a_publish_does_not_overtake_one_that_failed_after_its_connection_was_gone() -> None:
    world = World(durable=True, at_once=False, peers=1)
    [writer] = world.peers
    writer.connect()
    world.settle()
    world.fail(1)
    [wire] = world.wires
    for _ in range(2):
        writer.publish("lab:a", ack=True, echo=True, retain=False)
        world.hear(wire)
        world.turn()
    writer.lose()
    world.notice(wire)
    world.answer()
    world.settle()
