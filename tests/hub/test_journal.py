from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from nbrealtime.hub import Grants, Session, User
from nbrealtime.hub.journal import Journal


def people(count):
    return [Session(User(str(number), ""), Grants()) for number in range(count)]


@given(
    groups=st.lists(st.lists(st.integers(0, 4), unique=True), min_size=1, max_size=4),
    writes=st.lists(st.tuples(st.integers(0, 3), st.binary(min_size=1, max_size=3)), max_size=30),
    posts=st.sets(st.integers(0, 30)),
)
def test_everybody_gets_what_was_written_to_them_in_order(groups, writes, posts):
    sessions = people(5)
    recipients = [tuple(sessions[number] for number in group) for group in groups]
    journal = Journal()
    expected = dict.fromkeys(sessions, b"")
    deliveries = counted = 0
    for place, (group, frame) in enumerate(writes):
        to = recipients[group % len(recipients)]
        journal.write(to, frame)
        deliveries += len(to)
        for session in to:
            expected[session] += frame
        if place in posts:
            counted += journal.post()[1]
            assert journal.size == 0
    touched, count = journal.post()
    assert len(set(touched)) == len(touched)
    assert counted + count == deliveries
    assert {session: session.outbox.take() for session in sessions} == expected


def test_an_empty_journal_posts_nothing():
    assert Journal().post() == ((), 0)


def test_what_is_written_together_is_as_if_written_one_by_one():
    [one, other] = people(2)
    together, singly = Journal(), Journal()
    for is_batch, count in ((False, 3), (True, 2), (True, 0), (True, 1)):
        tuples = one.data if is_batch else one.alone
        parts = [b"%d" % number for number in range(count)]
        (together.write_batch if is_batch else together.write)(tuples, *parts)
        for part in parts:
            (singly.write_batch if is_batch else singly.write)(tuples, part)
    assert together.size == singly.size == 6
    assert together.post() == singly.post() == ((one,), 6)
    assert one.outbox.take() == 2 * b"012[0,1,0]"
    together.write_batch(other.data, b"1", b"2")
    assert together.post() == ((other,), 2)
    assert other.outbox.take() == b"[1,2]"


@pytest.mark.parametrize("others", [0, 1])
def test_what_is_told_to_one_alone_is_not_held_back_and_what_is_given_is(others):
    told, given, *rest = people(2 + others)
    journal = Journal()
    journal.write(given.data, b"1")
    for one in rest:
        journal.write(one.data, b"1")
    journal.post()
    journal.write(told.alone, b"1")
    for one in rest:
        journal.write(one.data, b"1")
    journal.post()
    assert [session.urgent for session in (told, given, *rest)] == [True, False] + [False] * others
