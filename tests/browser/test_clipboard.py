"""A plot's picture on the clipboard: a PNG of what is on the screen, and a word where the page may not copy."""

from __future__ import annotations

import pytest
from playwright.sync_api import expect

from .cells import FEED, SERVER, TOPIC

# What the clipboard holds, and how much of the lower half of the plot's canvas is another picture there. The upper
# half has the caption behind it.
PASTE = """async (plot) => {
  const [item] = await navigator.clipboard.read();
  const blob = await item.getType("image/png");
  const begin = new Uint8Array(await blob.slice(0, 8).arrayBuffer());
  const image = await createImageBitmap(blob);
  const screen = plot.querySelector("canvas");
  const pixels = (width, height, paint) => {
    const context = new OffscreenCanvas(width, height).getContext("2d", {willReadFrequently: true});
    context.fillStyle = getComputedStyle(plot).getPropertyValue("--nbrt-ground");
    context.fillRect(0, 0, width, height);
    paint(context);
    return new Uint32Array(context.getImageData(0, 0, width, height).data.buffer);
  };
  const [width, height] = [screen.width, Math.floor(screen.height / 2)];
  const shown = pixels(width, height, (on) => on.drawImage(screen, 0, height - screen.height));
  const pad = (image.width - width) / 2;
  const copied = pixels(width, height, (on) => on.drawImage(image, -pad, height + pad - image.height));
  return {
    types: item.types, begin: [...begin], pad, above: image.height - screen.height - 2 * pad,
    colours: new Set(shown).size, different: shown.filter((pixel, at) => pixel !== copied[at]).length,
  };
}"""

REFUSE = 'navigator.clipboard.write = () => Promise.reject(new DOMException("not here", "NotAllowedError"))'


@pytest.fixture
def notebook(open_notebook):
    opened = open_notebook(SERVER, TOPIC, FEED, 'temp.plot(window="10s", title="Room")')
    opened.run(0, 1, 2, 3)
    opened.wait_state("live")
    yield opened
    assert opened.errors() == []
    assert opened.complaints == []


def copy_image(notebook) -> str:
    """Choose it in the menu, by keys; return what the menu says then."""
    notebook.plot.get_by_role("button", name="Save or copy").press("ArrowDown")
    notebook.plot.get_by_role("menuitem", name="Copy image").press("Enter")
    said = notebook.plot.locator(".nbrt-plot-said")
    expect(said).not_to_be_empty()
    return said.text_content()


def test_copy_image_puts_what_is_on_the_screen_on_the_clipboard_as_a_png(notebook):
    notebook.plot.get_by_role("button", name="Pause").press("Enter")
    notebook.wait_state("paused")
    assert copy_image(notebook) == "Copied"
    pasted = notebook.plot.evaluate(PASTE)
    assert pasted["types"] == ["image/png"]
    assert bytes(pasted["begin"]) == b"\x89PNG\r\n\x1a\n"
    assert pasted["pad"] > 0
    assert pasted["above"] > 20, "the title and the names"
    assert pasted["colours"] > 3, "a line, axes and their ground"
    assert pasted["different"] == 0


def test_where_the_page_may_not_copy_the_menu_says_what_to_do_instead(notebook):
    notebook.page.evaluate(f"() => {{ {REFUSE}; }}")
    assert copy_image(notebook) == "This page may not copy; save it instead"
