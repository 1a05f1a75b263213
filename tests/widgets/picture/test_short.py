"""Names that are cut and stay apart."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from nbrealtime.widgets.picture.short import short

NORTH, SOUTH = "lab:temperature.inside/north-wall", "lab:temperature.inside/south-wall"


@pytest.mark.parametrize(
    ("names", "most", "cut"),
    [
        (["lab:temp", "lab:humidity"], 14, ["lab:temp", "lab:humidity"]),
        (
            [NORTH, SOUTH, "lab:temperature.outside"],
            22,
            ["…inside/north-wall", "…inside/south-wall", "…outside"],
        ),
        ([NORTH, SOUTH, "lab:temperature.outside"], 14, ["…ins…orth-wall", "…ins…outh-wall", "…outside"]),
        (["lab:temperature.inside"], 14, ["lab:…re.inside"]),
        (
            ["oven at the front of the hall", "oven at the end of the hall"],
            14,
            ["…fro… the hall", "…end… the hall"],
        ),
        (["a" * 20, "a" * 20], 14, ["aaaa…aaaaaaaaa"] * 2),
    ],
)
def test_what_all_share_goes_first_then_their_middles(names, most, cut):
    assert short(names, most) == cut


@given(st.lists(st.text("ab:/", max_size=24), unique=True, max_size=8), st.sampled_from([14, 22]))
def test_names_that_differ_stay_different_and_fit(names, most):
    found = short(names, most)
    assert len(set(found)) == len(names)
    assert all(len(name) <= most for name in found)
