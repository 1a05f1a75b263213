"""Why something was not done."""

from __future__ import annotations

from dataclasses import dataclass

from msgspec import UNSET

from nbrealtime.errors import InvalidTopic
from nbrealtime.wire.messages import ErrorCode
from nbrealtime.wire.topics import check_pattern, check_topic, is_pattern

__all__ = ["Refusal", "check_name", "check_subject"]


@dataclass(frozen=True, slots=True)
class Refusal:
    """A sentence for a person, a code for a program; ``retry_after`` is in seconds."""

    reason: str
    code: ErrorCode
    retry: bool = False
    retry_after: float | None = None


def check_name(topic: object) -> str | Refusal:
    """Returns a topic's name, or says why it is none."""
    if topic is UNSET or topic is None or topic == "":
        return Refusal("Topic is required", ErrorCode.BAD_REQUEST)
    if isinstance(topic, str) and is_pattern(topic):
        try:
            check_pattern(topic)
        except InvalidTopic as fault:
            return Refusal(str(fault), ErrorCode.BAD_REQUEST)
        reason = "patterns are not served here: name one topic, without *"
        return Refusal(reason, ErrorCode.BAD_REQUEST)
    try:
        return check_topic(topic)
    except InvalidTopic as fault:
        return Refusal(str(fault), ErrorCode.BAD_REQUEST)


def check_subject(topic: object) -> str | Refusal:
    """Returns a topic's name or a pattern, or says why it is neither."""
    if topic is None or topic == "":
        return Refusal("Topic is required", ErrorCode.BAD_REQUEST)
    try:
        return check_pattern(topic)
    except InvalidTopic as fault:
        return Refusal(str(fault), ErrorCode.BAD_REQUEST)
