from __future__ import annotations

import pytest

from nbrealtime.hub import Limits


def test_the_defaults_are_the_documented_ones():
    limits = Limits()
    assert (limits.message_bytes, limits.topics, limits.connections) == (2**20, 256, 1000)
    assert limits.outbox_bytes == 4 * 2**20


@pytest.mark.parametrize("name", ["message_bytes", "topics", "connections", "outbox_bytes"])
def test_a_limit_below_one_is_a_mistake(name):
    with pytest.raises(ValueError, match=name):
        Limits(**{name: 0})
