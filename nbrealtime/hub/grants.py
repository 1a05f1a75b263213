"""What a token may do: the ``topics`` claim, and the rules that stand above it.

Used by the server to read a token's claim, and by the hub before every
subscribe and publish.

The one rule: grants only add. What no grant names is refused, and two things no
wildcard reaches: the server's own topics (``$…``), which nobody publishes to,
and a person's own (``user:<id>`` and below), which others read only with a
grant that spells the id out.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from nbrealtime.errors import InvalidTopic
from nbrealtime.wire.topics import Pattern

__all__ = ["Action", "Grant", "Grants"]


class Action(StrEnum):
    """What a grant allows on the topics that it matches."""

    SUBSCRIBE = "subscribe"
    PUBLISH = "publish"
    PRESENCE = "presence"
    HISTORY = "history"


_EVERY_ACTION: Final = frozenset(Action)
_OWN: Final = "user:"


@dataclass(frozen=True, slots=True)
class Grant:
    """``allow`` on every topic that ``match`` stands for."""

    match: Pattern
    allow: frozenset[Action] = _EVERY_ACTION

    def spells_out(self, owner: str) -> bool:
        """Whether it names the topics of ``owner`` literally, not through a wildcard."""
        text = self.match.text
        return text == _OWN + owner or text.startswith((f"{_OWN}{owner}:", f"{_OWN}{owner}/"))


class Grants:
    """Everything that one token may do."""

    __slots__ = ("_everything", "_grants")

    def __init__(self, grants: Iterable[Grant] = (), *, everything: bool = False) -> None:
        self._grants = tuple(grants)
        self._everything = everything

    def __repr__(self) -> str:
        if self._everything:
            return "Grants(everything=True)"
        return f"Grants({list(self._grants)!r})"

    @classmethod
    def usual(cls) -> Grants:
        """What a token without the claim has: everything but ``$…`` and other people's ``user:…``."""
        return cls(everything=True)

    @classmethod
    def parse(cls, claim: object) -> Grants:
        """Reads a ``topics`` claim: a list of ``{"match": pattern, "allow": [action, …]}``.

        Without ``allow`` a grant allows every action.

        Raises:
            ValueError: the claim is not such a list; the message says where.
        """
        if not isinstance(claim, list | tuple):
            raise ValueError('the claim "topics" must be a list of {"match": …, "allow": […]}')
        return cls(_parse_grant(item) for item in claim)

    def allows(self, action: Action, topic: str, user: str) -> bool:
        """Whether ``user`` may do ``action`` on ``topic``, a valid name."""
        publishing = action is Action.PUBLISH
        if publishing and topic.startswith("$"):
            return False
        owner = _owner(topic)
        if self._everything:
            return not topic.startswith("$") and (owner is None or owner == user)
        for grant in self._grants:
            if action not in grant.allow or not grant.match.matches(topic):
                continue
            # Others may be allowed to write to somebody, through a wildcard too; reading is what is private.
            if publishing or owner is None or owner == user or grant.spells_out(owner):
                return True
        return False

    def allows_pattern(self, action: Action, pattern: Pattern, user: str) -> bool:
        """Whether ``user`` may do ``action`` on every name that ``pattern`` can match.

        It is granted if one grant contains it all; what several grants cover together is refused.
        """
        text = pattern.text
        if action is Action.PUBLISH:
            return False
        # With a wildcard in the owner's place it is everybody's, which no pattern reaches.
        owner = _owner(text)
        mine = owner is None or owner == user
        if self._everything:
            return not text.startswith("$") and mine
        return any(
            action in grant.allow
            and grant.match.contains(pattern)
            and (mine or (owner is not None and "*" not in owner and grant.spells_out(owner)))
            for grant in self._grants
        )


def _owner(topic: str) -> str | None:
    """Whose ``user:<id>`` the topic is or lies under, or None."""
    if not topic.startswith(_OWN):
        return None
    # The id is one segment. A user whose id has a separator owns nothing here: "a:b" could
    # otherwise not be told from what lies below "a".
    return topic[len(_OWN) :].replace("/", ":").split(":", 1)[0]


def _parse_grant(item: object) -> Grant:
    if not isinstance(item, Mapping) or not isinstance(item.get("match"), str):
        raise ValueError('every item of the claim "topics" needs a "match"')
    try:
        match = Pattern(item["match"])
    except InvalidTopic as fault:
        raise ValueError(f'the claim "topics" has a bad pattern: {fault}') from fault
    allow = item.get("allow")
    if allow is None:
        return Grant(match)
    if isinstance(allow, str) or not isinstance(allow, Iterable):
        raise ValueError('"allow" in the claim "topics" must be a list')
    # An action that this version does not know grants nothing, and does not spoil the rest.
    return Grant(match, frozenset(Action(name) for name in allow if name in _NAMES))


_NAMES: Final = frozenset(action.value for action in Action)
