"""Where a subscription begins: at a position, with the newest few, with the retained value."""

from __future__ import annotations

from .heard import offsets, values


def test_a_position_gets_everything_after_it_and_then_what_comes(bench):
    ada, bob = bench.join_v2("ada"), bench.join_v2("bob")
    epoch = bench.follow(ada, "a")["epoch"]
    bench.publish(ada, "a", *range(1, 1001))
    bench.heard(ada)
    number = bench.ask(bob, type="subscribe", topic="a", since={"epoch": epoch, "offset": 400})
    bench.publish(ada, "a", 1001)
    answer, *messages = bench.heard(bob)
    assert (answer["id"], answer["offset"], answer["recovered"], answer["replayed"]) == (
        number,
        400,
        True,
        600,
    )
    assert offsets(messages) == list(range(401, 1002))
    assert all("retained" not in message for message in messages)


def test_a_position_that_cannot_be_had_is_not_recovered(bench, store):
    ada = bench.join_v2()
    epoch = bench.follow(ada, "a")["epoch"]
    bench.publish(ada, "a", *range(10))
    bench.heard(ada)
    store.trim("a", 3)
    for since in (
        {"epoch": "foreign", "offset": 2},
        {"epoch": epoch, "offset": 11},
        {"epoch": epoch, "offset": 6},
    ):
        answer = bench.follow(bench.join_v2(), "a", since=since)
        assert (answer["recovered"], answer["offset"], answer["replayed"]) == (False, 10, 0)
    for offset in (7, 10):
        answer = bench.follow(bench.join_v2(), "a", since={"epoch": epoch, "offset": offset})
        assert (answer["recovered"], answer["offset"], answer["replayed"]) == (True, offset, 10 - offset)


def test_the_newest_few(bench):
    ada = bench.join_v2()
    bench.publish(ada, "a", 1, 2, 3)
    bench.ask(ada, type="subscribe", topic="a", since={"count": 2})
    answer, *messages = bench.heard(ada)
    assert (answer["recovered"], answer["replayed"], answer["offset"]) == (True, 2, 1)
    assert values(messages) == [2, 3]


def test_the_retained_value_moves_no_position(bench):
    ada, bob = bench.join_v2("ada"), bench.join_v2("bob")
    bench.publish(ada, "a", "kept", retain=True)
    bench.publish(ada, "a", "later")
    bench.ask(bob, type="subscribe", topic="a", since="last")
    answer, message = bench.heard(bob)
    assert answer["offset"] == 2
    assert "recovered" not in answer
    assert (message["data"], message["retained"], message["offset"]) == ("kept", True, 1)
