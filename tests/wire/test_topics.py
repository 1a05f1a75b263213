"""Names and patterns, held against a slow matcher written from the protocol's words."""

from __future__ import annotations

import re

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from nbrealtime.errors import InvalidTopic
from nbrealtime.wire.topics import Pattern, check_pattern, check_topic, is_pattern


@pytest.mark.parametrize(
    "name", ["a", "lab:temp", "dashboard:sales:update", "lab/bench1/temp", "é:ü", "a b:c", "x" * 255]
)
def test_a_name_is_segments_between_separators(name: str) -> None:
    assert check_topic(name) == name


@pytest.mark.parametrize(
    "name",
    [
        "",
        ":",
        "a:",
        ":a",
        "a::b",
        "a:/b",
        "a//b",
        " a",
        "a ",
        "a\n",
        "a\x00b",
        "a\x7f",
        "x" * 256,
        "lab:*",
        "*",
        "a*",
        "\ud800",
    ],
)
def test_what_breaks_a_rule_is_no_name(name: str) -> None:
    with pytest.raises(InvalidTopic):
        check_topic(name)


@pytest.mark.parametrize("name", [None, 5, b"lab", ["lab"]])
def test_a_name_is_a_string(name: object) -> None:
    with pytest.raises(InvalidTopic, match="must be a string"):
        check_topic(name)


@pytest.mark.parametrize("check", [check_topic, check_pattern])
def test_a_name_out_of_an_array_is_a_plain_string(check) -> None:
    (name,) = np.array(["lab:temp"])
    assert type(name) is not str
    assert type(check(name)) is str
    assert check(name) == "lab:temp"


def test_the_length_is_counted_in_code_points() -> None:
    assert check_topic("\N{GRINNING FACE}" * 255)


@pytest.mark.parametrize("text", ["lab:*", "lab:**", "*", "**", "*:temp", "a:*:b", "a/*/**"])
def test_a_wildcard_is_a_whole_segment(text: str) -> None:
    assert check_pattern(text) == text
    assert is_pattern(text)


@pytest.mark.parametrize("text", ["lab*", "a:b*", "**:a", "a:**:b", "a:***", "*a:b"])
def test_any_other_use_of_a_star_is_refused(text: str) -> None:
    with pytest.raises(InvalidTopic):
        check_pattern(text)


@pytest.mark.parametrize(
    ("pattern", "name", "matches"),
    [
        ("lab:*", "lab:temp", True),
        ("lab:*", "lab:temp:raw", False),
        ("lab:*", "lab/temp", False),
        ("lab:*", "lab", False),
        ("lab:**", "lab:a", True),
        ("lab:**", "lab:a:b/c", True),
        ("lab:**", "lab/a", False),
        ("lab:**", "lab", False),
        ("a:*:c", "a:b:c", True),
        ("a:*:c", "a:b/c", False),
        ("*", "$sys", False),
        ("**", "$sys/topics", False),
        ("*:x", "user:x", False),
        ("**", "user:ada:inbox", False),
        ("**", "users:ada", True),
        ("user:*", "user:ada", True),
        ("$sys/*", "$sys/topics", True),
        ("a.c", "abc", False),
    ],
)
def test_patterns_match_as_the_protocol_says(pattern: str, name: str, matches: bool) -> None:
    assert Pattern(pattern).matches(name) is matches


@pytest.mark.parametrize(
    ("wide", "narrow", "contains"),
    [
        ("lab:*", "lab:a", True),
        ("lab:*", "lab:*", True),
        ("lab:*", "lab:**", False),
        ("lab:**", "lab:*", True),
        ("lab:**", "lab:a/**", True),
        ("lab:**", "lab:*/x", True),
        ("lab:**", "lab/a", False),
        ("**", "lab:**", True),
        ("*", "**", False),
        ("**", "user:ada", False),
        ("**", "$sys/topics", False),
        ("*:a", "*:a", True),
        ("lab:a", "lab:*", False),
        ("user:*", "user:ada", True),
    ],
)
def test_containment_is_what_a_grant_needs(wide: str, narrow: str, contains: bool) -> None:
    assert Pattern(wide).contains(Pattern(narrow)) is contains


segments = st.sampled_from(["a", "b", "user", "$s", "*"])


@st.composite
def patterns(draw: st.DrawFn, *, wild: bool = True) -> str:
    parts = draw(st.lists(segments if wild else segments.filter(lambda s: s != "*"), min_size=1, max_size=4))
    if wild and draw(st.booleans()):
        parts.append("**")
    text = parts[0]
    for part in parts[1:]:
        text += draw(st.sampled_from(":/")) + part
    return text


def slowly(pattern: str, name: str) -> bool:
    """The protocol's sentence, segment by segment."""
    p, n = re.split("([:/])", pattern), re.split("([:/])", name)
    if p[0] in ("*", "**") and (name.startswith("$") or n[0] == "user"):
        return False
    while p and n:
        head = p.pop(0)
        if head == "**":
            return True
        if head not in ("*", n[0]):
            return False
        n.pop(0)
        if p and n and p.pop(0) != n.pop(0):
            return False
        if bool(p) != bool(n):
            return False
    return not p and not n


@given(patterns(), patterns(wild=False))
def test_matching_agrees_with_the_slow_matcher(pattern: str, name: str) -> None:
    assert Pattern(pattern).matches(name) is slowly(pattern, name)


@given(patterns(), patterns(), patterns(wild=False))
def test_what_contains_a_pattern_matches_all_its_names(wide: str, narrow: str, name: str) -> None:
    if Pattern(wide).contains(Pattern(narrow)) and Pattern(narrow).matches(name):
        assert Pattern(wide).matches(name)
