"""The publish box: every entry is checked again, and every one is answered."""

from __future__ import annotations

import threading

import pytest
from hypothesis import given
from hypothesis import strategies as st

from nbrealtime.client import LinkState
from nbrealtime.errors import InvalidTopic, MessageTooLarge, PublishTimeout
from nbrealtime.widgets.publish import PublishBox, encode_entry
from nbrealtime.wire.encodings import decode_data

ENTRY = {"type": "publish", "box": "b1", "id": 1, "topic": "lab:temp", "mode": "json", "text": "21.5"}


@pytest.fixture
def box(topic, comms):
    return PublishBox(topic)


def answer(outcome: str, says: str) -> list[dict[str, object]]:
    return [{"type": "answer", "box": "b1", "id": 1, "outcome": outcome, "says": says}]


def test_an_entry_is_published_and_answered(box, link, say):
    assert say(box, ENTRY) == answer("sent", "Sent to lab:temp")
    assert link.published == [("lab:temp", b"21.5")]


def test_json_travels_as_it_was_written(box, link, say):
    say(box, {**ENTRY, "text": ' {"n": 12345678901234567890, "x": 1e3}\n'})
    assert link.published == [("lab:temp", b'{"n": 12345678901234567890, "x": 1e3}')]


def test_text_is_text_whatever_it_looks_like(box, link, say):
    say(box, {**ENTRY, "mode": "text", "text": "21.5"})
    assert link.published == [("lab:temp", b'"21.5"')]


def test_offline_it_says_that_it_waits(box, link, say):
    link.become(state=LinkState.RECONNECTING)
    assert say(box, ENTRY) == answer("queued", "Queued for lab:temp, offline")
    assert link.published


@pytest.mark.parametrize(
    ("change", "says"),
    [
        ({"text": '{"a": 1,\n "b" 2}'}, "Not sent: not JSON, line 2, column 6: Expecting ':' delimiter"),
        ({"text": "NaN"}, "Not sent: not JSON: "),
        ({"text": ""}, "Not sent: not JSON, line 1, column 1: Expecting value"),
        ({"mode": "text", "text": "\ud800"}, "Not sent: "),
        ({"topic": "lab:other"}, "Not sent: this box publishes to lab:temp only"),
    ],
)
def test_what_cannot_be_sent_is_said_and_not_sent(box, link, say, change, says):
    [said] = say(box, {**ENTRY, **change})
    assert said["outcome"] == "refused"
    assert said["says"].startswith(says)
    assert not link.published


@pytest.mark.parametrize(
    "error", [MessageTooLarge(2_000_000, 1_048_576), PublishTimeout("lab:temp", 5, 2**23)]
)
def test_the_clients_refusal_is_handed_on_in_its_own_words(box, link, say, error):
    link.refuses = error
    assert say(box, ENTRY) == answer("refused", f"Not sent: {error}")


@pytest.mark.parametrize(
    "content",
    [
        None,
        "publish",
        7,
        [],
        {},
        {"type": "publish"},
        {**ENTRY, "id": "1"},
        {**ENTRY, "text": 21.5},
        {**ENTRY, "topic": None},
        {**ENTRY, "mode": "auto"},
        {**ENTRY, "type": "other"},
    ],
)
def test_a_message_that_is_no_entry_is_ignored(box, link, say, content):
    assert say(box, content) == []
    assert not link.published


def test_an_editable_box_publishes_anywhere_that_is_a_topic(connection, link, say, comms):
    box = PublishBox(connection=connection)
    assert (box.topic, box.editable) == ("", True)
    assert say(box, {**ENTRY, "topic": "lab:other"}) == answer("sent", "Sent to lab:other")
    [said] = say(box, {**ENTRY, "topic": "lab::other"})
    assert said["outcome"] == "refused"
    assert "empty segment" in said["says"]
    assert [topic for topic, _ in link.published] == ["lab:other"]


def test_it_begins_as_it_is_told_to(connection, comms):
    box = PublishBox("lab:temp", connection=connection, editable=True, mode="json")
    assert (box.topic, box.editable, box.mode) == ("lab:temp", True, "json")
    with pytest.raises(InvalidTopic):
        PublishBox("lab:*", connection=connection)


def test_a_refusal_of_the_server_is_shown_for_the_topic_that_was_sent_to(box, link, say):
    link.report("lab:temp: not allowed to publish")
    assert box._read()["refusals"] == {}
    say(box, ENTRY)
    link.report("lab:temp: not allowed to publish")
    link.report("lab:other: not allowed to publish")
    assert box._read()["refusals"] == {"lab:temp": "not allowed to publish"}
    link.become(state=LinkState.RECONNECTING)
    assert box._read()["refusals"] == {}


def test_handlers_on_several_threads_answer_each_their_own(box, link, say):
    # As subshells do on ipykernel 7, while a cell runs on the main thread.
    def send(start: int) -> None:
        for number in range(start, start + 50):
            say(box, {**ENTRY, "id": number, "text": str(number)})

    threads = [threading.Thread(target=send, args=(start,)) for start in (0, 100, 200)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(10)
    assert len(link.published) == 150
    answers = [
        m["data"]["content"]["id"] for m in box.comm.sent if (m["data"] or {}).get("method") == "custom"
    ]
    assert sorted(answers) == [*range(50), *range(100, 150), *range(200, 250)]


def test_a_closed_box_sends_nothing_and_says_so(box, link, say):
    box.close()
    assert say(box, ENTRY) == answer("refused", "Not sent: this box is closed")
    assert not link.published
    assert not link.listeners
    assert not link.reporters
    assert box._read()["state"] == "closed"


def test_what_was_sent_is_in_no_synced_trait(box, say, synced):
    say(box, {**ENTRY, "text": "7777"})
    assert "7777" not in str(synced(box))


@given(
    st.recursive(
        st.none() | st.booleans() | st.floats(allow_nan=False, allow_infinity=False) | st.text(),
        lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
        max_leaves=8,
    )
)
def test_whatever_python_writes_as_json_is_accepted(value):
    import json

    assert json.loads(encode_entry(json.dumps(value), "json")) == value


@given(st.text(st.characters(exclude_categories=["Cs"])))
def test_every_text_arrives_as_itself(text):
    assert decode_data(encode_entry(text, "text")) == text
