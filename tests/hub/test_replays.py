"""How histories are read for those who come back: in turns, a bounded number of pages at a time."""

from __future__ import annotations

from nbrealtime.hub.replays import _MOST_READING

from .conftest import Bench
from .heard import values
from .stores import PatientStore

CROWD = 5 * _MOST_READING


def come_back(bench: Bench, store: PatientStore, crowd: int = CROWD):
    """So many subscribers that missed three messages, whose reads are not answered yet."""
    ada = bench.join_v2()
    bench.publish(ada, "t", 0)
    bench.heard(ada)
    position = store.position("t", bench.now)
    bench.publish(ada, "t", 1, 2, 3)
    bench.heard(ada)
    store.is_patient = True
    back = [bench.join_v2(f"user{n}") for n in range(crowd)]
    for session in back:
        bench.ask(
            session, type="subscribe", topic="t", since={"epoch": position.epoch, "offset": position.offset}
        )
    # The retained value of each, which is asked for first.
    store.answer(crowd)
    bench.hub.flush(bench.now)
    return back


def test_a_crowd_that_comes_back_has_few_pages_on_their_way(bench, store):
    come_back(bench, store)
    assert store.reading == _MOST_READING


def test_everybody_of_a_crowd_gets_what_was_missed(bench, store):
    back = come_back(bench, store)
    got = {session: [] for session in back}
    most = 0
    while store.waiting:
        most = max(most, store.reading)
        store.answer(1)
        for session in back:
            got[session] += values(bench.heard(session))
    assert most == _MOST_READING
    assert all(found == [1, 2, 3] for found in got.values())


def test_those_who_leave_while_they_wait_keep_nobody_waiting(bench, store):
    back = come_back(bench, store)
    for session in back[: _MOST_READING + 5]:
        bench.hub.close(session, bench.now)
    stayed = back[_MOST_READING + 5 :]
    got = {session: [] for session in stayed}
    while store.waiting:
        store.answer(1)
        for session in stayed:
            got[session] += values(bench.heard(session))
    assert all(found == [1, 2, 3] for found in got.values())


def test_a_topic_that_begins_anew_while_a_crowd_reads_keeps_nobody_waiting(bench, store):
    back = come_back(bench, store)
    store.forget("t")
    while store.waiting:
        store.answer(1)
        for session in back:
            bench.heard(session)
    assert store.reading == 0
    assert not bench.hub.pending


def test_a_replay_is_paced_by_who_reads_it(bench):
    ada, bob = bench.join_v2("ada"), bench.join_v2("bob")
    bench.publish(ada, "a", *range(5000))
    bench.hub.flush()
    bench.ask(bob, type="subscribe", topic="a", since={"count": 5000})
    for _ in range(20):
        bench.hub.flush()
    waiting = bob.outbox.size
    assert 0 < waiting < 400_000, "a page or so, not the whole history"
    assert len(values(bench.heard(bob))) == 5000


def test_trimming_that_overtakes_a_replay_ends_it(make_bench):
    store = PatientStore()
    bench = make_bench(None, store)
    ada = bench.join_v2()
    bench.publish(ada, "a", *range(600))
    bench.hub.flush()
    store.answer()
    bench.ask(ada, type="subscribe", topic="a", since={"count": 600})
    store.answer()
    bench.hub.flush()
    store.answer()
    bench.hub.flush()
    assert ada.outbox.size
    ada.outbox.clear()
    store.trim("a", 10)
    bench.hub.drained(ada)
    bench.hub.flush()
    store.answer()
    [message] = bench.heard(ada)
    assert (message["type"], message["code"], message["resubscribe"]) == ("unsubscribed", 2002, True)


def test_a_replay_is_conflated_too(bench):
    ada, bob = bench.join_v2("ada"), bench.join_v2("bob")
    bench.publish(ada, "a", *range(1, 1001))
    bench.hub.flush()
    bench.ask(bob, type="subscribe", topic="a", since={"count": 1000}, policy="conflate")
    answer, message = bench.heard(bob)
    assert answer["replayed"] == 1000
    assert (message["offset"], message["skipped"]) == (1000, 999)
