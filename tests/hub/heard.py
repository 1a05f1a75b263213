"""What was heard, in short."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

Messages = Iterable[dict[str, Any]]


def values(messages: Messages) -> list[Any]:
    """The payloads of those that are messages of a topic."""
    return [message["data"] for message in messages if message["type"] == "message"]


def offsets(messages: Messages) -> list[int]:
    """Their offsets."""
    return [message["offset"] for message in messages if message["type"] == "message"]


def code(messages: Messages) -> str:
    """The code of an error that is the only thing that was heard."""
    [message] = messages
    assert message["type"] == "error", message
    found: str = message["data"]["code"]
    return found
