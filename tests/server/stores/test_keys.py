"""The memory of keys: how long, how many, and what it is called when some were lost."""

from __future__ import annotations

from nbrealtime.hub.store import Committed
from nbrealtime.server.stores.keys import LINGER_MS, KeyMemory


class Memory:
    """A memory of one user's keys on topic "t", and its clock."""

    def __init__(self, seconds: float = 10.0, per_user: int = 10) -> None:
        self.keys = KeyMemory(seconds=seconds, per_user=per_user, name="m")
        self.now = 1000

    def remember(self, *keys: str) -> None:
        for key in keys:
            told = Committed("e", 1, key, self.now)
            self.keys.remember("u", self.keys.of("u", self.now), ("t", key), told, self.now)

    def knows(self, key: str) -> bool:
        return self.keys.find(self.keys.of("u", self.now), ("t", key), self.now) is not None

    @property
    def name(self) -> str:
        return self.keys.name_for("u")


def test_as_many_as_promised_are_remembered_for_as_long_as_promised():
    memory = Memory()
    names = [str(number) for number in range(10)]
    memory.remember(*names)
    memory.now += 9_999
    assert all(map(memory.knows, names))
    assert memory.name == "m"
    memory.now += 1
    assert not any(map(memory.knows, names))


def test_one_too_many_changes_the_name_once_for_many():
    memory = Memory()
    memory.remember(*map(str, range(11)))
    changed = memory.name
    assert changed != "m"
    memory.remember("11", "12")
    assert memory.name == changed
    assert memory.keys.changed == {"u"}
    assert memory.keys.marks() == {"u": changed.removeprefix("m")}


def test_who_was_told_the_old_name_just_before_can_still_rely_on_it():
    memory = Memory(seconds=300.0)
    memory.remember(*map(str, range(30)))
    assert all(map(memory.knows, map(str, range(30))))
    memory.now += LINGER_MS - 1
    assert memory.knows("0")
    memory.now += 1
    assert not memory.knows("0")
    assert memory.knows("29")


def test_keys_that_had_their_time_are_no_loss():
    memory = Memory()
    for _ in range(20):
        memory.remember(*(f"{memory.now}-{number}" for number in range(5)))
        memory.now += 10_000
    assert memory.name == "m"


def test_what_is_taken_back_is_new_again():
    memory = Memory()
    memory.remember("a", "b")
    memory.keys.forget("u", ("t", "a"))
    assert not memory.knows("a")
    assert memory.knows("b")


def test_users_whose_keys_had_their_time_are_dropped():
    memory = Memory(per_user=2)
    memory.remember("a", "b", "c")
    assert memory.name != "m"
    memory.now += 10_000
    memory.keys.sweep(memory.now)
    assert memory.keys.marks() == {}
    assert memory.name == "m"
