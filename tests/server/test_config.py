from __future__ import annotations

import pytest

from nbrealtime.server import Config


def test_the_secret_is_random_unless_it_is_given():
    assert Config().secret != Config().secret
    assert len(Config().secret) >= 32


@pytest.mark.parametrize(
    "options",
    [
        {"secret": ""},
        {"port": -1},
        {"port": 70000},
        {"heartbeat": 0},
        {"origins": "https://a"},
        {"algorithms": "HS256"},
    ],
)
def test_what_makes_no_sense_is_a_mistake(options):
    with pytest.raises((ValueError, TypeError)):
        Config(**options)


def test_default_grants_are_checked_when_the_server_starts():
    with pytest.raises(ValueError, match="pattern"):
        _ = Config(default_grants=[{"match": "a*b"}]).grants
