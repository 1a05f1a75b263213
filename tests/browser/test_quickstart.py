"""The notebooks that come along, as their readers run them: Run All, look, type, invite somebody."""

from __future__ import annotations

import re
import time

from playwright.sync_api import expect

SERIES = (0x1431EC, 0xCB8216, 0x0EA367, 0x5C358D)  # in light; the later ones may cover the earlier
EXPECTED_ARIA = re.compile(r"How busy this machine is: .*live")


def test_the_quickstart_lives_after_run_all(open_notebook, lab):
    notebook = open_notebook(name="quickstart")
    page = notebook.page
    notebook.run_all()
    assert notebook.errors() == []
    plot, box = notebook.plot, notebook.find(".nbrt-publish")
    presence, badge = notebook.find(".nbrt-presence"), notebook.find(".nbrt-badge")

    # The plot moves: its pixels, its state, its newest sample; its label says what it shows.
    notebook.wait_state("live")
    expect(plot).to_have_attribute("aria-label", EXPECTED_ARIA)
    plot.scroll_into_view_if_needed()
    newest = notebook.number("data-t")
    assert notebook.number("data-t0") <= newest
    assert abs(newest / 1000 - time.time()) < 10
    before = notebook.picture()
    assert sum(map(before.near, SERIES)) > 20, "no line in a series' colour"
    notebook.wait_beyond("data-t", newest + 1000)
    assert notebook.picture().digest != before.digest

    # Connected, and alone.
    expect(badge).to_have_attribute("data-state", "connected")
    expect(badge).to_contain_text("Connected")
    expect(presence).to_contain_text("1 here")

    # A second client comes, hears what is typed here by keyboard alone, is heard, and goes.
    with lab.command("subscribe", "lab:chat", "--count", "1") as listener:
        expect(presence).to_contain_text("2 here")
        box.get_by_label("Value", exact=True).focus()
        page.keyboard.type("hello, who is there?")
        page.keyboard.press("Enter")
        assert listener.stdout is not None
        assert "hello, who is there?" in listener.stdout.readline()
        expect(box).to_contain_text("Sent")
    expect(presence).to_contain_text("1 here")
    said = notebook.page.locator(".jp-OutputArea", has_text="Somebody says:")
    expect(said.first).to_contain_text("hello, who is there?")
    lab.run("publish", "lab:chat", "hello from the terminal")
    expect(said.first).to_contain_text("hello from the terminal")

    # Saved and reloaded it shows what it showed, and goes on.
    oldest, newest = notebook.number("data-t0"), notebook.number("data-t")
    notebook.save()
    notebook.reload()
    notebook.wait_state("live")
    assert abs(notebook.number("data-t0") - oldest) < 2000
    notebook.wait_beyond("data-t", newest)

    assert len(lab.kernels()) == 1
    assert "Traceback" not in notebook.outputs()
    assert notebook.errors() == []
    assert notebook.complaints == []


def test_the_quickstart_is_legible_light_and_dark_wide_and_narrow(open_notebook):
    notebook = open_notebook(name="quickstart")
    notebook.run_all()
    notebook.wait_state("live")
    notebook.wait_beyond("data-t", notebook.number("data-t0") + 12_000, timeout=20)
    for theme in ("light", "dark"):
        notebook.theme(theme)
        for width in (1400, 400):
            notebook.resize(width)
            notebook.screenshot(f"quickstart-{theme}-{width}")
            overflowing = notebook.page.evaluate(
                """() => [...document.querySelectorAll("[class^='nbrt-']")]
                  .filter((node) => node.matches(".nbrt-plot, .nbrt-presence, .nbrt-publish, .nbrt-badge"))
                  .filter((node) => node.scrollWidth > node.clientWidth + 1)
                  .map((node) => node.className)"""
            )
            assert overflowing == [], f"wider than a page of {width} px"
    assert notebook.complaints == []


def test_a_restarted_kernel_and_run_all_make_one_server_one_feed_and_one_plot(open_notebook, lab):
    notebook = open_notebook(name="quickstart")
    notebook.run_all()
    notebook.wait_state("live")
    notebook.restart()
    notebook.run_all()
    notebook.wait_state("live")
    expect(notebook.plot).to_have_count(1)
    expect(notebook.find(".nbrt-presence")).to_contain_text("1 here")
    notebook.wait_beyond("data-t", notebook.number("data-t") + 500)

    listed = lab.run("list")
    assert len(re.findall(r"ws://127\.0\.0\.1:\d+", listed)) == 1, listed
    assert len(lab.kernels()) == 1
    feeds = lab.descendants("sensor host")
    assert len(feeds) == 1, feeds
    assert notebook.errors() == []
    assert notebook.complaints == []


def test_sensors_shows_several_topics_while_a_cell_is_busy(open_notebook):
    notebook = open_notebook(name="sensors")
    notebook.run_all(timeout=60)
    assert notebook.errors() == []
    for plot in notebook.plot.all():
        plot.scroll_into_view_if_needed()
        notebook.wait_state("live", plot)
        assert sum(map(notebook.picture(plot).near, SERIES)) > 20, "no line in a series' colour"
    busy = re.search(r"(\d+) measurements came in while this cell was busy", notebook.outputs())
    assert busy is not None
    assert int(busy[1]) > 50
    expect(notebook.find(".jp-RenderedHTMLCommon table").first).to_contain_text("core0")
    for theme in ("light", "dark"):
        notebook.theme(theme)
        notebook.screenshot(f"sensors-{theme}")
    assert notebook.complaints == []
