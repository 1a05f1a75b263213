from __future__ import annotations

import math

import pytest

from nbrealtime.server import Config


def test_the_secret_is_random_unless_it_is_given():
    assert Config().secret != Config().secret
    assert len(Config().secret) >= 32


@pytest.mark.parametrize(
    ("option", "values", "sentence"),
    [
        ("host", (None, 5), "host is a text, "),
        ("port", (-1, 70000, 1.5, True, None, "a"), "port is a whole number between 0 and 65535, not "),
        ("secret", (5, None), "secret is a text or bytes"),
        ("secret", ("", b""), "secret must not be empty"),
        (
            "heartbeat",
            (0, -1, "a", math.nan, math.inf),
            "heartbeat is a number above 0, or None for none, not ",
        ),
        ("rate", (0, "a", True), "rate is a number above 0, or None for none, not "),
        ("hello_seconds", (0, None), "hello_seconds is a number above 0, not "),
        ("origins", ("https://a",), "origins and algorithms are lists "),
        ("algorithms", ("HS256",), "origins and algorithms are lists "),
    ],
)
def test_what_makes_no_sense_is_a_mistake(option, values, sentence):
    for value in values:
        with pytest.raises((ValueError, TypeError), match=f"^{sentence}"):
            Config(**{option: value})


def test_default_grants_are_checked_when_the_server_starts():
    with pytest.raises(ValueError, match="pattern"):
        _ = Config(default_grants=[{"match": "a*b"}]).grants
