from __future__ import annotations

from nbrealtime.hub import Grants, Session, User
from nbrealtime.hub.topic import Topic


def test_the_recipients_are_the_same_tuple_until_somebody_comes_or_goes():
    topic = Topic("a")
    ada, bob = (Session(User(name, name), Grants()) for name in ("ada", "bob"))
    assert topic.recipients == ()
    assert topic.add(ada)
    first = topic.recipients
    assert not topic.add(ada)
    assert not topic.remove(bob)
    assert topic.recipients is first
    assert topic.add(bob)
    assert topic.recipients == (ada, bob)
    assert first == (ada,), "what was published before is not delivered to who came after"
    assert topic.remove(ada)
    assert (topic.recipients, topic.count) == ((bob,), 1)
