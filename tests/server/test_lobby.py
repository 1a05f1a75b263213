"""The lobby, with a clock that is only a number."""

from __future__ import annotations

from nbrealtime.server.lobby import Lobby


class Guest:
    def turn_away(self):
        pass


def test_a_full_lobby_has_no_room_until_somebody_leaves():
    lobby = Lobby(2)
    first, second = Guest(), Guest()
    lobby.enter(first, 1.0)
    assert lobby.room.is_set()
    lobby.enter(second, 2.0)
    assert not lobby.room.is_set()
    assert lobby.oldest == (first, 1.0)
    lobby.leave(first)
    lobby.leave(first)
    assert lobby.room.is_set()
    assert lobby.oldest == (second, 2.0)
    assert (first in lobby, second in lobby, len(lobby)) == (False, True, 1)
    assert lobby.guests() == [second]
