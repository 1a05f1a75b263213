"""What hands do with a plot that Python has a part in: following again, and files that only the kernel can write."""

from __future__ import annotations

import pytest

from nbrealtime.widgets import LivePlot

pytestmark = pytest.mark.usefixtures("comms")

PNG = b"\x89PNG\r\n\x1a\nand the rest"


@pytest.fixture
def live(topic):
    made = LivePlot(topic)
    yield made
    made._dispose()


def test_reset_view_tells_every_view_and_changes_no_trait(live):
    before = live.get_state()
    live.reset_view()
    assert live.comm.sent[-1]["data"]["content"] == {"type": "reset_view"}
    assert live.get_state() == before


def test_a_view_has_its_file_written_and_hears_the_name(live, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    content = {"type": "save", "request": "v-1", "name": "room.png", "format": "png"}
    live.comm.handle_msg(
        {"content": {"data": {"method": "custom", "content": content}}, "buffers": [memoryview(PNG)]}
    )
    assert live.comm.sent[-1]["data"]["content"] == {"type": "saved", "request": "v-1", "name": "room.png"}
    assert (tmp_path / "room.png").read_bytes() == PNG


@pytest.mark.parametrize("content", ["save", {}, {"type": "hello"}, None])
def test_what_is_not_for_it_changes_nothing(live, say, content):
    assert say(live, content) == []
