"""What an operator does: looks who is here, removes somebody, drains before a stop."""

from __future__ import annotations

import threading
import time

import pytest
from websockets.exceptions import InvalidStatus

from nbrealtime.errors import ServerError


def test_connections_tell_who_is_here(start, join, call):
    server = start()
    assert server.connections() == []
    ada = join(server, "ada", name="Ada Lovelace")
    ada.say(type="subscribe", id=2, topic="lab:a")
    ada.hear_type("subscribed")
    bob = call(server, f"?token={server.token('bob')}", subprotocols=None)
    bob.hear()
    call(server)  # has not said yet who it is
    first, second = server.connections()
    assert (first["user"], first["name"], first["version"], first["topics"]) == ("ada", "Ada Lovelace", 2, 1)
    assert (second["user"], second["version"], second["topics"]) == ("bob", 1, 0)
    assert first["connection"] != second["connection"]
    assert first["address"].startswith("127.0.0.1:")
    assert time.time() - 60 < first["since"] <= time.time()


@pytest.mark.parametrize("spoken", [True, False])
def test_a_user_is_removed_with_every_connection_and_told_to_stay_away(start, join, call, spoken):
    server = start()

    def enter(user):
        if spoken:
            return join(server, user)
        talker = call(server, f"?token={server.token(user)}", subprotocols=None)
        talker.hear()
        return talker

    first, second, ada = enter("eve"), enter("eve"), enter("ada")
    assert server.kick("eve") == 2
    for one in (first, second):
        error = one.hear_error("removed")
        assert (error["close"], error["reconnect"]) == (4503, False)
        assert one.ended() == 4503
    ada.hears_nothing()
    assert server.kick("eve") == 0


def test_one_connection_is_removed_by_its_name(start, join):
    server = start()
    first, second = join(server, "eve"), join(server, "eve")
    assert server.kick(server.connections()[0]["connection"]) == 1
    first.hear_error("removed")
    second.hears_nothing()


def test_a_drain_is_announced_and_ends_who_stays(start, join, call):
    server = start()
    ada = join(server)
    bob = call(server, f"?token={server.token('bob')}", subprotocols=None)
    bob.hear()
    draining = threading.Thread(target=server.drain, args=(0.5,))
    draining.start()
    assert ada.hear_type("drain")["delay"] == [0, 500]
    # Who stays is served.
    ada.say(type="publish", id=3, topic="a", data=1, ack=True)
    assert ada.hear_type("ack")["id"] == 3
    for one in (ada, bob):
        error = one.hear_error("draining")
        assert (error["close"], error["reconnect"]) == (4001, True)
        assert one.ended() == 4001
    draining.join(10)
    assert not draining.is_alive()


def test_nobody_is_let_in_during_a_drain(start, join, call):
    server = start()
    ada, key = join(server), server.token("bob")
    draining = threading.Thread(target=server.drain, args=(20,))
    draining.start()
    ada.hear_type("drain")
    bob = call(server)
    assert bob.hear_error("draining")["close"] == 4001
    with pytest.raises(InvalidStatus) as refusal:
        call(server, f"?token={key}", subprotocols=None)
    assert refusal.value.response.status_code == 503
    # Everybody has gone: nothing is waited for.
    ada.socket.close()
    draining.join(10)
    assert not draining.is_alive()


def test_a_drain_without_anybody_is_over_at_once_and_a_second_one_does_nothing(start):
    server = start()
    server.drain(20)
    server.drain(20)


def test_a_closed_server_has_no_operator(start):
    server = start()
    server.close()
    for act in (server.connections, lambda: server.kick("ada"), server.drain):
        with pytest.raises(ServerError, match="closed"):
            act()
    with pytest.raises(ValueError, match="negative"):
        server.drain(-1)
