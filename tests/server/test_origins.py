from __future__ import annotations

import pytest

from nbrealtime.server.origins import Origins


def test_programs_that_are_no_browser_name_none():
    assert Origins().allow([])


def test_two_origins_are_none():
    assert not Origins().allow(["http://localhost", "http://localhost"])


def test_none_switches_the_check_off():
    assert Origins(None).allow(["https://evil.example"])


@pytest.mark.parametrize(
    "configured", ["https://lab.example", "HTTPS://LAB.example:443", "https://lab.example/path"]
)
def test_spelling_makes_no_difference(configured):
    origins = Origins([configured])
    assert origins.allow(["https://lab.example"])
    assert not origins.allow(["http://lab.example"])
    assert not origins.allow(["https://user@lab.example"])
    assert not origins.allow(["https://lab.example:99999"])


@pytest.mark.parametrize("wrong", ["lab.example", "ftp://lab.example", "*", ""])
def test_what_is_no_origin_cannot_be_configured(wrong):
    with pytest.raises(ValueError, match="web origin"):
        Origins([wrong])


@pytest.mark.parametrize(
    "origin",
    [
        "http://127.0.0.1.evil.example",
        "http://localhost@evil.example",
        "file://",
        "http://128.0.0.1",
        "http://[::2]",
    ],
)
def test_what_only_looks_like_loopback_is_not(origin):
    assert not Origins().allow([origin])
