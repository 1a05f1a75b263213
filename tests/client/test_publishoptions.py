"""The options of ``publish``, whoever it is called on."""

from __future__ import annotations

import inspect
from collections.abc import Callable
from typing import Any, get_overloads

import pytest

import nbrealtime as rt
from nbrealtime.client import Link
from nbrealtime.client.publishoptions import PublishOptions

PUBLISHES = (Link.publish, rt.Connection.publish, rt.LiveTopic.publish, rt.publish)
DEFAULTS = {"ack": False, "time": None, "retain": False, "echo": True, "on_full": None}


def options(publish: Callable[..., Any]) -> dict[str, Any]:
    parameters = inspect.signature(publish).parameters.values()
    return {each.name: each.default for each in parameters if each.kind is each.KEYWORD_ONLY}


@pytest.mark.parametrize("publish", PUBLISHES)
def test_help_and_completion_show_every_option_with_its_default(publish: Callable[..., Any]) -> None:
    assert options(publish) == DEFAULTS


def test_a_type_checker_knows_the_same_options() -> None:
    assert {"ack", *PublishOptions.__annotations__} == set(DEFAULTS)


@pytest.mark.parametrize("publish", PUBLISHES)
def test_ack_alone_decides_what_comes_back(publish: Callable[..., Any]) -> None:
    told = {inspect.signature(each).return_annotation for each in get_overloads(publish)}
    assert told == {"Receipt", "None", "Receipt | None"}
    assert all("options" in inspect.signature(each).parameters for each in get_overloads(publish))
