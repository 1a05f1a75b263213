"""What every store does, whatever it keeps things in."""

from __future__ import annotations

import pytest

from nbrealtime.hub.store import Committed, Position, Stored
from tests.server.stores.conftest import Bench, MakeBench, entry

DAY = 24 * 3600 * 1000


# -- positions


def test_offsets_are_dense_and_begin_with_one(bench: Bench):
    assert bench.say("lab:a", 1, 2) == [1, 2]
    assert bench.say("lab:b", 1) == [1]
    assert bench.say("lab:a", 3) == [3]


def test_a_batch_over_several_topics_is_told_in_its_order(bench: Bench):
    told = bench.publish(
        entry("a", message_id="m1"), entry("b", message_id="m2"), entry("a", message_id="m3")
    )
    assert [(t.message_id, t.offset, t.duplicate) for t in told] == [
        ("m1", 1, False),
        ("m2", 1, False),
        ("m3", 2, False),
    ]


def test_a_topic_begins_when_somebody_asks_for_its_position(bench: Bench):
    before = bench.store.position("lab:a", bench.now)
    assert before is not None
    assert before.offset == 0
    told = bench.publish(entry())[0]
    assert told == Committed(before.epoch, 1, "m", 1_000_000)
    assert bench.store.position("lab:a", bench.now) == Position(before.epoch, 1)


def test_the_position_is_that_of_confirmed_messages_only(make_bench: MakeBench, kind: str):
    bench = make_bench()
    commit = bench.store.publish([entry()], bench.now)
    position = bench.store.position("lab:a", bench.now)
    assert position is not None
    assert position.offset == (1 if kind == "memory" else 0)
    bench.wait(commit)
    assert bench.store.position("lab:a", bench.now) == Position(position.epoch, 1)


def test_batches_are_answered_in_their_order(bench: Bench):
    answered: list[int] = []
    commits = [bench.store.publish([entry()], bench.now) for _ in range(20)]
    for number, commit in enumerate(commits):
        commit.then(lambda _, number=number: answered.append(number))
    bench.wait(commits[-1])
    assert answered == list(range(20))
    assert [commit.result()[0].offset for commit in commits] == list(range(1, 21))


def test_every_topic_with_history_is_listed_with_its_position(make_bench: MakeBench):
    bench = make_bench({"quiet:*": 0})
    bench.say("lab:a", 1, 2)
    bench.say("quiet:a", 1)
    bench.store.position("lab:b", bench.now)
    topics = bench.store.topics(bench.now)
    assert {name: position.offset for name, position in topics.items()} == {"lab:a": 2, "lab:b": 0}
    bench.say("lab:b", 1)
    assert topics["lab:b"].offset == 1
    assert len(topics) == 2


def test_a_topic_without_history_has_no_positions(make_bench: MakeBench):
    bench = make_bench({"quiet:*": 0})
    told = bench.publish(entry("quiet:a", message_id="m7", at=5), entry("lab:a"))
    assert told[0] == Committed(None, None, "m7", 5)
    assert told[1].offset == 1
    assert bench.store.position("quiet:a", bench.now) is None
    with pytest.raises(ValueError, match="has no history"):
        bench.store.read("quiet:a", epoch=None, after=0, limit=1)


def test_a_batch_without_history_is_answered_at_once(make_bench: MakeBench):
    bench = make_bench(0)
    assert bench.store.publish([entry(), entry()], bench.now).done


def test_the_servers_own_topics_have_no_history(bench: Bench):
    assert bench.store.position("$sys/topics", bench.now) is None


# -- reading


def test_a_message_comes_back_as_it_was_published(bench: Bench):
    payload = '{"v": [1.50, "ü\\u0000\\ud83d\\ude00"],\n "x": "\N{GRINNING FACE}"}'.encode()
    bench.publish(entry(data=payload, at=999_077, time=-5, user="ü\x00", name='"A\\', message_id="m-1"))
    page = bench.page()
    assert page.items == (Stored("lab:a", bench.epoch(), 1, payload, 999_077, -5, "ü\x00", '"A\\', "m-1"),)


def test_reading_begins_after_a_position_and_ends_with_the_limit(bench: Bench):
    bench.say("lab:a", *range(1, 11))
    assert bench.values(after=3, limit=4) == [b"4", b"5", b"6", b"7"]
    assert bench.values(after=8) == [b"9", b"10"]
    assert bench.values(after=10) == []
    assert bench.values(after=99) == []
    assert bench.values(limit=0) == []


def test_reading_ends_where_it_is_told_to(bench: Bench):
    bench.say("lab:a", *range(1, 11))
    assert bench.values(after=3, until=5) == [b"4", b"5"]
    assert bench.values(after=3, until=99) == [str(n).encode() for n in range(4, 11)]
    assert bench.values(after=5, until=5) == []


def test_in_reverse_the_newest_come_first(bench: Bench):
    bench.say("lab:a", *range(1, 11))
    assert bench.values(limit=3, reverse=True) == [b"10", b"9", b"8"]
    assert bench.values(after=8, reverse=True) == [b"10", b"9"]
    assert bench.values(until=4, limit=2, reverse=True) == [b"4", b"3"]


def test_a_page_ends_before_it_has_too_many_bytes_but_has_one_message(bench: Bench):
    bench.publish(*[entry(data=b"%d" % n * 100) for n in range(1, 8)])
    for reverse in (False, True):
        assert len(bench.values(max_bytes=50, reverse=reverse)) == 1
        assert len(bench.values(max_bytes=250, reverse=reverse)) == 2
        assert len(bench.values(max_bytes=10_000, reverse=reverse)) == 7
    assert bench.values(max_bytes=300, after=2)[0] == b"3" * 100


def test_a_page_says_what_is_kept_and_what_is_newest(bench: Bench):
    page = bench.page()
    assert (page.position.offset, page.first, page.items) == (0, 1, ())
    bench.say("lab:a", 1, 2, 3)
    page = bench.page(after=2)
    assert (page.position, page.first, len(page.items)) == (Position(bench.epoch(), 3), 1, 1)


def test_a_foreign_epoch_gets_nothing_but_hears_what_there_is(bench: Bench):
    bench.say("lab:a", 1, 2, 3)
    page = bench.page(epoch="another", after=1)
    assert (page.position, page.first, page.items) == (Position(bench.epoch(), 3), 1, ())
    assert bench.values(epoch=bench.epoch(), after=1) == [b"2", b"3"]


def test_what_is_older_than_wanted_does_not_count_as_kept(bench: Bench):
    for second in range(5):
        bench.now += 1000
        bench.say("lab:a", second)
    page = bench.page(not_before=bench.now - 2000)
    assert (page.first, [item.data for item in page.items]) == (3, [b"2", b"3", b"4"])
    page = bench.page(not_before=bench.now - 2000, reverse=True, limit=2)
    assert (page.first, [item.data for item in page.items]) == (3, [b"4", b"3"])
    page = bench.page(not_before=bench.now + 1)
    assert (page.first, page.items) == (6, ())


# -- bounds


def test_only_the_newest_messages_are_kept(make_bench: MakeBench):
    bench = make_bench(10)
    for value in range(1, 41):
        bench.say("lab:a", value)
    page = bench.page()
    assert (page.first, page.position.offset) == (31, 40)
    assert [item.offset for item in page.items] == list(range(31, 41))
    assert bench.values(after=30) == bench.values()
    assert bench.values(after=38) == [b"39", b"40"]


def test_what_is_too_old_is_gone_for_readers(make_bench: MakeBench):
    bench = make_bench({"lab:*": {"seconds": 10}})
    bench.say("lab:a", 1)
    bench.now += 6000
    bench.say("lab:a", 2)
    bench.now += 6000
    bench.say("lab:a", 3)
    page = bench.page()
    assert (page.first, [item.data for item in page.items]) == (2, [b"2", b"3"])
    bench.now += 20_000
    assert bench.store.position("lab:a", bench.now) == Position(page.position.epoch, 3)
    page = bench.page()
    assert (page.first, page.items) == (4, ())
    assert bench.say("lab:a", 4) == [4]


def test_messages_are_kept_up_to_a_size(make_bench: MakeBench):
    bench = make_bench({"lab:*": {"bytes": 4000}})
    bench.publish(*[entry(data=b"x" * 800) for _ in range(10)])
    assert [item.offset for item in bench.page().items] == [7, 8, 9, 10]
    bench.publish(entry(data=b"x" * 9000))
    page = bench.page()
    assert (page.first, page.items, page.position.offset) == (12, (), 11)


def test_the_longest_idle_topics_give_way_when_everything_is_too_much(make_bench: MakeBench, kind: str):
    bench = make_bench(total_bytes=1_000_000 if kind == "sqlite" else 400_000)
    first: dict[str, str] = {}
    for number in range(40):
        name = f"lab:{number}"
        first[name] = bench.epoch(name)
        bench.publish(*[entry(name, data=b"x" * 4000, at=bench.now) for _ in range(10)])
        bench.now += 2000
        bench.settle()
    kept = [name for name in first if name in bench.store.topics(bench.now)]
    assert 2 < len(kept) < 30
    assert kept == list(first)[-len(kept) :]
    assert len(bench.values("lab:39")) == 10
    # When one returns it begins anew.
    assert bench.epoch("lab:0") != first["lab:0"]
    assert bench.say("lab:0", 1) == [1]


def test_a_topic_that_is_held_keeps_its_position_when_its_messages_give_way(make_bench: MakeBench, kind: str):
    bench = make_bench(total_bytes=1_000_000 if kind == "sqlite" else 400_000)
    epochs = {name: bench.epoch(name) for name in ("held", "left", "long:gone")}
    for name in epochs:
        bench.store.hold(name)
        bench.say(name, 1, 2, 3)
    bench.store.release("long:gone")
    bench.now += DAY
    bench.store.position("held", bench.now)
    bench.store.release("left")
    for number in range(40):
        bench.publish(*[entry(f"lab:{number}", data=b"x" * 4000, at=bench.now) for _ in range(10)])
        bench.now += 2000
        bench.settle()
    for name in ("held", "left"):
        page = bench.page(name)
        assert (page.position, page.first, page.items) == (Position(epochs[name], 3), 4, ())
        assert bench.say(name, 4) == [4]
    assert bench.epoch("long:gone") != epochs["long:gone"]


def test_a_topic_is_forgotten_a_day_after_its_last_message_is_gone(make_bench: MakeBench):
    bench = make_bench({"lab:*": {"seconds": 60}})
    epoch = bench.epoch()
    bench.say("lab:a", 1)
    for _ in range(30):
        bench.now += DAY // 30 - 1000
        bench.store.topics(bench.now)
        bench.store.position("lab:b", bench.now)
        bench.settle()
    assert bench.store.position("lab:a", bench.now) == Position(epoch, 1)
    bench.now += 2 * DAY
    for _ in range(5):
        bench.now += 2000
        bench.store.position("lab:b", bench.now)
        bench.settle()
    assert bench.epoch() != epoch
    assert bench.say("lab:a", 2) == [1]
    assert bench.values() == [b"2"]


def test_a_topic_that_is_held_is_never_forgotten(make_bench: MakeBench):
    bench = make_bench({"lab:*": {"seconds": 60}})
    bench.store.hold("lab:a")
    bench.say("lab:a", 1)
    for _ in range(5):
        bench.now += DAY
        bench.store.position("lab:b", bench.now)
        bench.settle()
    assert bench.say("lab:a", 2) == [2]


def test_beyond_a_number_of_topics_the_longest_idle_gives_way(make_bench: MakeBench):
    bench = make_bench(topics=3)
    epoch = bench.epoch("a")
    bench.store.hold("a")
    for name in ("a", "b", "c", "d", "e"):
        bench.now += 1
        bench.say(name, 1)
    assert set(bench.store.topics(bench.now)) == {"a", "d", "e"}
    assert bench.epoch("a") == epoch
    assert bench.say("b", 2) == [1]
    assert bench.values("b") == [b"2"]


def test_the_clock_may_step_back(bench: Bench):
    bench.say("lab:a", 1)
    bench.now -= 500_000
    assert bench.say("lab:a", 2) == [2]
    assert bench.values() == [b"1", b"2"]


# -- keys


def test_a_key_that_comes_again_is_told_what_its_original_was(bench: Bench):
    original = bench.publish(entry(data=b"1", key="k", message_id="m1"))[0]
    again = bench.publish(entry(data=b"2", key="k", message_id="m2"))[0]
    assert again == Committed(original.epoch, 1, "m1", 1_000_000, True)
    assert bench.values() == [b"1"]


def test_a_key_may_come_twice_in_one_batch(bench: Bench):
    told = bench.publish(entry(key="k"), entry(key="k"), entry(key="other"))
    assert [(t.offset, t.duplicate) for t in told] == [(1, False), (1, True), (2, False)]


def test_a_repeat_waits_for_an_original_that_is_being_committed(bench: Bench):
    first = bench.store.publish([entry(key="k")], bench.now)
    second = bench.store.publish([entry(key="k")], bench.now)
    told = bench.wait(second)[0]
    assert first.done
    assert (told.offset, told.duplicate) == (1, True)


def test_keys_are_of_a_user_and_a_topic(bench: Bench):
    told = bench.publish(
        entry(key="k"), entry(key="k", user="bob"), entry("lab:b", key="k"), entry(key="k", user="ada")
    )
    assert [t.duplicate for t in told] == [False, False, False, True]


def test_a_key_is_forgotten_after_its_time(bench: Bench):
    bench.publish(entry(key="k", at=bench.now))
    bench.now += 299_999
    assert bench.publish(entry(key="k", at=bench.now))[0].duplicate
    bench.now += 1
    memory = bench.store.key_memory("ada")
    told = bench.publish(entry(key="k", at=bench.now))[0]
    assert (told.offset, told.duplicate) == (2, False)
    assert bench.store.key_memory("ada") == memory


def test_keys_are_remembered_without_history_too(make_bench: MakeBench):
    bench = make_bench(0)
    told = bench.publish(entry(key="k", message_id="m1"), entry(key="k", message_id="m2"))
    assert told[1] == Committed(None, None, "m1", 1_000_000, True)


def test_the_memory_has_another_name_when_keys_were_lost(make_bench: MakeBench):
    bench = make_bench(keys_per_user=10)
    before, others = bench.store.key_memory("ada"), bench.store.key_memory("bob")
    bench.publish(entry(user="bob", key="mine", at=bench.now))
    for number in range(10):
        bench.publish(entry(key=str(number), at=bench.now))
    assert bench.store.key_memory("ada") == before
    assert bench.publish(entry(key="0", at=bench.now))[0].duplicate
    bench.publish(entry(key="one more", at=bench.now))
    assert bench.store.key_memory("ada") != before
    assert bench.store.key_memory("bob") == others
    assert bench.publish(entry(user="bob", key="mine", at=bench.now))[0].duplicate


def test_what_it_promises_of_keys_can_be_asked(make_bench: MakeBench):
    store = make_bench(keys_per_user=7, key_seconds=5.0).store
    assert (store.key_seconds, store.keys_per_user) == (5.0, 7)


# -- retained values


def test_the_newest_retained_value_is_kept(bench: Bench):
    assert bench.retained() is None
    bench.publish(entry(data=b"1", retain=True, message_id="m1", time=7), entry(data=b"2"))
    assert bench.retained() == Stored("lab:a", bench.epoch(), 1, b"1", 1_000_000, 7, "ada", "Ada", "m1")
    bench.publish(entry(data=b"3", retain=True), entry(data=b"4", retain=True))
    kept = bench.retained()
    assert kept is not None
    assert (kept.data, kept.offset) == (b"4", 4)


def test_null_clears_the_retained_value_and_is_a_message_too(bench: Bench):
    bench.publish(entry(data=b"1", retain=True))
    bench.publish(entry(data=b"null", retain=True))
    assert bench.retained() is None
    assert bench.values() == [b"1", b"null"]
    bench.publish(entry(data=b"1", retain=True), entry(data=b"null"))
    assert bench.retained() is not None


def test_a_retained_value_survives_trimming(make_bench: MakeBench):
    bench = make_bench(5)
    bench.publish(entry(data=b'"kept"', retain=True))
    bench.say("lab:a", *range(50))
    kept = bench.retained()
    assert kept is not None
    assert kept.data == b'"kept"'
    assert bench.page().first == 47


def test_values_are_retained_without_history_too(make_bench: MakeBench):
    bench = make_bench(0)
    bench.publish(entry(data=b"1", retain=True))
    kept = bench.retained()
    assert kept is not None
    assert (kept.data, kept.epoch, kept.offset) == (b"1", None, None)


def test_a_duplicate_retains_nothing(bench: Bench):
    bench.publish(entry(data=b"1", key="k", retain=True))
    bench.publish(entry(data=b"2", key="k", retain=True))
    kept = bench.retained()
    assert kept is not None
    assert kept.data == b"1"


# -- the end


def test_closing_twice_is_harmless(bench: Bench):
    bench.say("lab:a", 1)
    bench.store.close()
    bench.store.close()
