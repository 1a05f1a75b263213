from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from nbrealtime.hub import Action, Grants

EVERYTHING = [{"match": pattern} for pattern in ("**", "*", "user:**", "user/**", "user:*", "$sys/**")]
SEGMENTS = st.text(st.sampled_from("ab$*:/ué"), min_size=1, max_size=4)


def test_nothing_is_granted_by_no_grants():
    assert not any(Grants().allows(action, "lab:temp", "ada") for action in Action)


def test_without_allow_a_grant_allows_every_action():
    grants = Grants.parse([{"match": "lab:*"}])
    assert all(grants.allows(action, "lab:temp", "ada") for action in Action)


def test_an_action_of_a_later_version_grants_nothing_and_spoils_nothing():
    grants = Grants.parse([{"match": "lab:*", "allow": ["moderate", "publish"]}])
    assert grants.allows(Action.PUBLISH, "lab:temp", "ada")
    assert not grants.allows(Action.SUBSCRIBE, "lab:temp", "ada")


@pytest.mark.parametrize(
    "claim",
    [
        "lab:*",
        {},
        5,
        [5],
        [{}],
        [{"match": 5}],
        [{"match": "a*b"}],
        [{"match": "a", "allow": "publish"}],
        [{"match": ""}],
    ],
)
def test_a_claim_that_is_none_is_refused_with_a_reason(claim):
    with pytest.raises(ValueError, match=r"topics|match|allow"):
        Grants.parse(claim)


@pytest.mark.parametrize("action", [Action.SUBSCRIBE, Action.PRESENCE, Action.HISTORY])
@pytest.mark.parametrize("topic", ["user:bob", "user:bob:inbox", "user:bob/inbox", "user:bob:a:b"])
def test_no_wildcard_reads_what_is_somebody_elses(action, topic):
    grants = Grants.parse(EVERYTHING)
    assert not grants.allows(action, topic, "ada")
    assert grants.allows(action, topic, "bob")
    literal = Grants.parse([{"match": topic}])
    assert literal.allows(action, topic, "ada")


def test_naming_one_person_literally_says_nothing_about_another():
    grants = Grants.parse([{"match": "user:bob:**"}, {"match": "user:**"}])
    assert grants.allows(Action.SUBSCRIBE, "user:bob:inbox", "ada")
    assert not grants.allows(Action.SUBSCRIBE, "user:bobby:inbox", "ada")
    assert not grants.allows(Action.SUBSCRIBE, "user:eve:inbox", "ada")


def test_others_may_be_written_to_through_a_wildcard():
    grants = Grants.parse([{"match": "user:*", "allow": ["publish"]}])
    assert grants.allows(Action.PUBLISH, "user:bob", "ada")
    assert not grants.allows(Action.SUBSCRIBE, "user:bob", "ada")


def test_an_id_with_a_separator_owns_nothing():
    assert not Grants.usual().allows(Action.SUBSCRIBE, "user:a:b", "a:b")
    assert Grants.usual().allows(Action.SUBSCRIBE, "user:a:b", "a")


@given(topic=st.lists(SEGMENTS, min_size=1, max_size=3).map(":".join), user=SEGMENTS)
def test_whatever_is_granted_nobody_publishes_to_the_servers_own(topic, user):
    for grants in (Grants.usual(), Grants.parse(EVERYTHING)):
        assert not grants.allows(Action.PUBLISH, "$" + topic, user)
    assert not Grants.usual().allows(Action.SUBSCRIBE, "$" + topic, user)
