"""The heartbeat with a clock that is only a number."""

from __future__ import annotations

from nbrealtime.server.heartbeat import Heartbeat


class Peer:
    def __init__(self, heart, now=0.0, answers=True, excuse=False):
        self.pulse = heart.start(now)
        self.answers = answers
        self.excuse = excuse
        self.pings = 0
        self.gone = False

    def ping(self):
        self.pings += 1
        if self.answers:
            self.pulse.answered = True

    def excused(self):
        return self.excuse

    def give_up(self):
        self.gone = True


def run(heart, peers, start, end):
    """Ticks on time from start to end; returns when the next one is due."""
    when = start
    while when <= end:
        when = heart.tick(when, [peer for peer in peers if not peer.gone])
    return when


def test_who_answers_is_pinged_every_interval_and_stays():
    heart = Heartbeat(30, 2, 0)
    peer = Peer(heart)
    run(heart, [peer], 1, 301)
    assert (peer.pings, peer.gone) == (10, False)


def test_who_missed_one_ping_is_given_up_when_the_next_is_due():
    heart = Heartbeat(30, 2, 0)
    peer = Peer(heart, answers=False)
    run(heart, [peer], 1, 59)
    assert (peer.pings, peer.gone) == (1, False)
    run(heart, [peer], 60, 60)
    assert (peer.pings, peer.gone) == (1, True)


def test_who_could_not_answer_yet_is_given_another_interval():
    heart = Heartbeat(30, 2, 0)
    peer = Peer(heart, answers=False, excuse=True)
    run(heart, [peer], 1, 100)
    assert not peer.gone
    peer.excuse = False
    run(heart, [peer], 101, 120)
    assert peer.gone


def test_a_loop_that_was_late_blames_nobody_and_gives_everybody_that_much_longer():
    heart = Heartbeat(30, 2, 0)
    silent, fine = Peer(heart, answers=False), Peer(heart)
    when = run(heart, [silent, fine], 1, 31)
    # The interpreter was held from second 32 to second 72: nothing could be read.
    heart.tick(when + 40, [silent, fine])
    assert not silent.gone
    run(heart, [silent, fine], when + 41, 60 + 39)
    assert not silent.gone
    run(heart, [silent, fine], 60 + 40, 60 + 42)
    assert silent.gone
    assert not fine.gone


def test_a_little_late_is_on_time():
    heart = Heartbeat(30, 2, 0)
    peer = Peer(heart, answers=False)
    now = 0.0
    while now < 60:
        now = heart.tick(now, [peer]) + 1.5
    heart.tick(now, [peer])
    assert peer.gone


def test_a_rest_is_no_lateness():
    heart = Heartbeat(30, 2, 0)
    run(heart, [], 1, 5)
    heart.rest(1000)
    peer = Peer(heart, 1000, answers=False)
    run(heart, [peer], 1001, 1061)
    assert peer.gone


def test_short_intervals_are_watched_closely_enough():
    assert Heartbeat(0.2, 2, 0).period <= 0.02
    assert Heartbeat(30, 2, 0).period == 1.0


# -- v2 connections, which are asked with a message


def talker(heart, now=0.0, answers=True, excuse=False):
    peer = Peer(heart, now, answers, excuse)
    peer.pulse = heart.start(now, spoken=True)
    return peer


def talk(heart, peer, start, end, every=None):
    """Ticks on time; the peer speaks every so many seconds by itself, and answers each ping within one."""
    when, asked = start, 0
    while when <= end and not peer.gone:
        if every is not None and when % every < 1:
            peer.pulse.heard = when
        if peer.answers and peer.pings > asked:
            asked, peer.pulse.heard = peer.pings, when
        when = heart.tick(when, [peer])
    return when


def test_who_speaks_by_himself_is_never_asked():
    heart = Heartbeat(30, 2, 0, ping_interval=25)
    peer = talker(heart)
    talk(heart, peer, 1, 300, every=20)
    assert (peer.pings, peer.gone) == (0, False)


def test_who_is_silent_is_asked_once_an_interval_and_stays_if_he_answers():
    heart = Heartbeat(30, 2, 0, ping_interval=25)
    peer = talker(heart)
    talk(heart, peer, 1, 260)
    assert (peer.pings, peer.gone) == (10, False)


def test_who_is_gone_is_asked_once_and_found_within_one_and_a_half_intervals():
    heart = Heartbeat(30, 2, 0, ping_interval=25)
    peer = talker(heart, answers=False)
    talk(heart, peer, 1, 37)
    assert (peer.pings, peer.gone) == (1, False)
    assert talk(heart, peer, 38, 60) <= 39
    assert peer.gone


def test_the_loops_lateness_is_given_to_silent_v2_connections_too():
    heart = Heartbeat(30, 2, 0, ping_interval=25)
    peer = talker(heart, answers=False)
    when = talk(heart, peer, 1, 31)
    heart.tick(when + 40, [peer])
    assert heart.lateness >= 40
    talk(heart, peer, when + 41, 37 + 40)
    assert not peer.gone
    talk(heart, peer, 38 + 40, 41 + 40)
    assert peer.gone


def test_who_could_not_be_heard_is_excused():
    heart = Heartbeat(30, 2, 0, ping_interval=25)
    peer = talker(heart, answers=False, excuse=True)
    talk(heart, peer, 1, 200)
    assert not peer.gone


def test_what_is_switched_off_asks_nobody():
    heart = Heartbeat(None, 2, 0)
    first, second = Peer(heart, answers=False), talker(heart, answers=False)
    run(heart, [first, second], 1, 300)
    assert (first.pings, first.gone, second.pings, second.gone) == (0, False, 0, False)


def test_on_a_server_silence_is_asked_about_and_then_ends(start, join):
    server = start(ping_interval=0.3, heartbeat=0.1)
    ada, bob = join(server, "ada"), join(server, "bob")
    assert bob.hear_type("ping") == {"type": "ping"}
    bob.say(type="pong")
    ada.hear_type("ping")
    error = ada.hear_error("heartbeat")
    assert (error["close"], error["reconnect"]) == (4012, True)
    assert ada.ended() == 4012
    bob.say(type="pong")
    while bob.hear()["type"] != "ping":
        pass
