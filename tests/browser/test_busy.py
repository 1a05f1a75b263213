"""A plot goes on while the cells below it sleep or compute."""

from __future__ import annotations

import pytest
from playwright.sync_api import expect

from .cells import FEED, SERVER, TOPIC

BUSY = {
    "asleep": "time.sleep(5)",
    "computing": "end = time.monotonic() + 5\nn = 0\nwhile time.monotonic() < end:\n    n += 1",
    "awaiting": "import asyncio\nawait asyncio.sleep(5)",
}


@pytest.fixture
def notebook(open_notebook):
    notebook = open_notebook(SERVER, TOPIC, FEED, 'temp.plot(window="20s")', *BUSY.values())
    notebook.run(0, 1, 2, 3)
    notebook.wait_state("live")
    return notebook


def test_a_plot_goes_on_while_a_cell_sleeps_computes_or_awaits(notebook):
    for number, kind in enumerate(BUSY):
        before = notebook.picture().digest
        with notebook.record("data-t") as drawn, notebook.record("data-state") as state:
            notebook.run(4 + number, timeout=20)
        assert state.values == ["live"], kind
        assert len(drawn.values) >= 25, f"{kind}: {len(drawn.values)} pictures in 5 s"
        assert drawn.longest_pause < 1.0, f"{kind}: nothing moved for {drawn.longest_pause:.2f} s"
        assert notebook.picture().digest != before, kind
    assert notebook.errors() == []
    assert notebook.complaints == []


def test_a_plot_that_is_scrolled_away_stays_true(open_notebook):
    tall = "print('\\n' * 150)"
    notebook = open_notebook(SERVER, TOPIC, FEED, 'temp.plot(window="20s")', tall)
    notebook.run_all()
    notebook.wait_state("live")
    notebook.page.mouse.move(700, 500)
    notebook.page.mouse.wheel(0, 3000)
    expect(notebook.plot).not_to_be_in_viewport()
    notebook.wait_beyond("data-t", notebook.number("data-t") + 500)  # the kernel has heard of it
    with notebook.record("data-t") as drawn:
        notebook.wait_beyond("data-t", notebook.number("data-t") + 2500)
    assert len(drawn.values) <= 6, "it draws for nobody"
    size = notebook.plot.locator("canvas").first.bounding_box()
    notebook.theme("dark")  # which makes the plot anew

    # Back in sight it moves at once, and has never been stale.
    with notebook.record("data-state") as state:
        notebook.plot.scroll_into_view_if_needed()
        expect(notebook.plot).to_be_in_viewport()
        notebook.wait_beyond("data-t", notebook.number("data-t") + 1000)
    assert state.values == ["live"]
    assert size is not None
    back = notebook.plot.locator("canvas").first.bounding_box()
    assert back is not None
    assert (back["width"], back["height"]) == (size["width"], size["height"])
    assert notebook.complaints == []
