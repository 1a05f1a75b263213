"""What a topic and a connection show when a cell ends with them."""

from __future__ import annotations

import re

from playwright.sync_api import expect

from .cells import FEED, SERVER, TOPIC


def test_a_topic_and_a_connection_show_themselves(open_notebook):
    notebook = open_notebook(
        SERVER, TOPIC, "temp", "connection = rt.connect()\nconnection", FEED, "feeding.clear()"
    )
    notebook.run(0, 1, 2, 3)
    topic, connection = notebook.cell(2), notebook.cell(3)
    expect(topic).to_contain_text("lab:temp")
    expect(connection).to_contain_text("connected", ignore_case=True)
    notebook.screenshot("cards-silent-light")

    notebook.run(4)
    card = topic.locator(".nbrt-card")
    expect(card).to_have_attribute("data-state", "live")
    expect(card).to_contain_text(re.compile(r"2\d\.\d"))
    first = card.inner_text()
    expect(card).not_to_have_text(first, use_inner_text=True)
    expect(card).to_have_count(1)
    notebook.screenshot("cards-light")
    notebook.theme("dark")
    notebook.screenshot("cards-dark")
    notebook.run(5)
    assert notebook.errors() == []
    assert notebook.complaints == []
    assert "Error" not in notebook.outputs()


def test_what_a_card_says_is_a_sentence_as_it_is_on_a_badge(open_notebook):
    notebook = open_notebook(SERVER, TOPIC, "temp.connection", "rt.ConnectionBadge()", "%rtserver stop")
    notebook.run(0, 1, 2, 3)
    expect(notebook.find(".nbrt-badge")).to_have_attribute("data-state", "connected")
    notebook.run(4)
    for name in ("card", "badge"):
        expect(notebook.find(f".nbrt-{name} .nbrt-note")).to_have_text(re.compile(r"^Attempt \d"))
