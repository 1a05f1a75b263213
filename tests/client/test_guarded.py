"""Somebody else's function, called on the client thread."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from nbrealtime.client.guarded import guarded

from .clock import run


def test_a_function_gets_its_arguments() -> None:
    told: list[Any] = []
    guarded(lambda *arguments: told.append(arguments), 1, "two")
    assert told == [(1, "two")]


def test_a_fault_is_handed_to_the_loop_with_the_name_of_who_made_it() -> None:
    def misbehave(what: str) -> None:
        raise RuntimeError(what)

    async def call() -> dict[str, Any]:
        contexts: list[dict[str, Any]] = []
        asyncio.get_running_loop().set_exception_handler(lambda _, context: contexts.append(context))
        guarded(misbehave, "a fault in a sink")
        (context,) = contexts
        return context

    context = run(call())
    assert str(context["exception"]) == "a fault in a sink"
    assert "misbehave" in context["message"]


def test_who_wants_to_end_the_program_is_not_held_up() -> None:
    def interrupt() -> None:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        guarded(interrupt)
