"""What is true: for every topic the lists of messages that were committed, one list for each epoch.

The one rule: it knows what the store said that it committed, and asks nobody what they believe.
"""

from __future__ import annotations

from collections.abc import Sequence

from nbrealtime.hub.store import Committed, Entry


class Life:
    """One epoch of a topic: what was committed in it, in order."""

    def __init__(self, epoch: str) -> None:
        self.epoch = epoch
        self.entries: list[Entry] = []
        self.over = False


class Truth:
    """Everything that was ever committed."""

    def __init__(self) -> None:
        self.lives: dict[str, list[Life]] = {}
        self.places: dict[str, tuple[str, str | None, int | None]] = {}
        self.serials: dict[tuple[str, str], int] = {}

    def commit(self, entries: Sequence[Entry], told: Sequence[Committed]) -> None:
        """Holds what a store says it did against what it may do."""
        for entry, one in zip(entries, told, strict=True):
            value = entry.data.decode()
            place = (entry.topic, one.epoch, one.offset)
            if one.duplicate:
                assert self.places[value] == place, "a duplicate repeats its original"
                continue
            assert value not in self.places, f"{value} is committed twice"
            self.places[value] = place
            if entry.key is not None:
                who, _, serial = value.strip('"').partition("#")
                last = self.serials.get((entry.topic, who), 0)
                assert int(serial) > last, f"{value} is committed after a later one of the same publisher"
                self.serials[entry.topic, who] = int(serial)
            if one.epoch is None:
                continue
            lives = self.lives.setdefault(entry.topic, [])
            if not lives or lives[-1].epoch != one.epoch:
                assert all(life.epoch != one.epoch for life in lives), "an epoch does not come back"
                lives.append(Life(one.epoch))
            lives[-1].entries.append(entry)
            assert one.offset == len(lives[-1].entries), "offsets are dense"

    def newest(self, topic: str) -> tuple[str | None, int]:
        """The newest position; no epoch is known where nothing was committed."""
        lives = self.lives.get(topic)
        return (lives[-1].epoch, len(lives[-1].entries)) if lives else (None, 0)

    def number(self, topic: str) -> int:
        """How many epochs the topic has had."""
        return len(self.lives.get(topic, ()))

    def at(self, topic: str, epoch: str | None, offset: int) -> Entry:
        """What was committed there."""
        for life in self.lives.get(topic, ()):
            if life.epoch == epoch:
                assert 1 <= offset <= len(life.entries), f"{topic} has no {offset} yet"
                return life.entries[offset - 1]
        raise AssertionError(f"{topic} has no epoch {epoch}")
