"""What is said where a chosen field does not come."""

from __future__ import annotations

import pytest

from nbrealtime.widgets.missing import missing


@pytest.mark.parametrize(
    ("chosen", "there", "said"),
    [
        (["celcius"], [], ""),
        (["celsius"], ["celsius"], ""),
        (["celcius", "humidity"], ["celsius", "humidity"], ""),
        (["celcius"], ["celsius"], "lab:temp has no field celcius so far, only celsius"),
        (["a", "b"], ["c", "d"], "lab:temp has no fields a, b so far, only c, d"),
        (["x"], list("abcde"), "lab:temp has no field x so far, only a, b, c, d, …"),
    ],
)
def test_it_is_said_which_fields_there_are_instead(chosen, there, said):
    assert missing("lab:temp", chosen, there) == said
