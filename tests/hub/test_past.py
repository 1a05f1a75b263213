"""``history`` answers with what was kept."""

from __future__ import annotations

import json

from nbrealtime.hub import Limits

from .heard import code, offsets


def test_history_is_a_request(bench):
    ada = bench.join_v2()
    bench.publish(ada, "a", *range(1, 201))
    bench.ask(ada, type="history", topic="a")
    [answer] = bench.heard(ada)
    assert (answer["offset"], offsets(answer["items"])) == (200, list(range(1, 101)))
    since = {"epoch": answer["epoch"], "offset": 197}
    bench.ask(ada, type="history", topic="a", since=since, reverse=True)
    [answer] = bench.heard(ada)
    assert offsets(answer["items"]) == [200, 199, 198]
    assert set(answer["items"][0]) == {"type", "topic", "data", "offset", "timestamp", "messageId", "user"}
    for bad in ({"epoch": "foreign", "offset": 1}, {"epoch": answer["epoch"], "offset": 201}):
        bench.ask(ada, type="history", topic="a", since=bad)
        assert code(bench.heard(ada)) == "unrecoverable"


def test_asking_for_the_history_of_nothing_brings_nothing_into_being(bench, store):
    ada = bench.join_v2()
    bench.ask(ada, type="history", topic="nothing")
    [answer] = bench.heard(ada)
    assert answer["items"] == []
    assert "nothing" not in store.topics(1)


def test_an_answer_of_history_is_bounded_in_bytes(make_bench, store):
    bench = make_bench(Limits(message_bytes=10_000), store)
    ada = bench.join_v2()
    bench.publish(ada, "a", *["x" * 1000] * 50)
    bench.ask(ada, type="history", topic="a")
    bench.hub.flush()
    frame = ada.outbox.take()
    assert len(frame) <= 10_001
    assert len(json.loads(frame)["items"]) > 5
