"""The same widgets where JupyterLab is not: in Notebook 7 and in Voilà, which the session's server has as well."""

from __future__ import annotations

import importlib.util
import re

from playwright.sync_api import Page, expect

from ..conftest import require
from .cells import FEED, SERVER, TOPIC
from .notebook import SCREENSHOTS

SHOW = """\
plot = temp.plot(window="10s")
tile = temp.tile(units="°C")
table = temp.table()
rt.Dashboard([plot, tile, rt.PresenceBar("lab:temp"), rt.PublishBox("lab:temp"), table], columns=2,
             title="The lab", spans={plot: 2, table: "all"})
"""

SLOW_FEED = FEED.replace("0.05", "0.25")
"""What is typed stays among the rows on the screen for some seconds."""

# Computes until it was heard what somebody typed.
BUSY = """\
heard = threading.Event()

@temp.on_message
def hear(message):
    if message.data == 143.25:
        heard.set()

end = time.monotonic() + 30
while not heard.is_set() and time.monotonic() < end:
    sum(range(1000))
print("heard" if heard.is_set() else "deaf")"""

WIDGETS = (".nbrt-dashboard", ".nbrt-plot", ".nbrt-tile", ".nbrt-presence", ".nbrt-publish", ".nbrt-table")

NOTEBOOKS_OWN = ("'schema'", "'filebrowser:open-path'")
"""What Notebook 7.6 itself fails to find as it opens, whatever is in the notebook: a setting's schema, a command of Lab's."""

WIDER = """() => [...document.querySelectorAll("[class^='nbrt-']")]
  .filter((node) => node.matches(".nbrt-plot, .nbrt-tile, .nbrt-presence, .nbrt-publish, .nbrt-table"))
  .filter((node) => node.scrollWidth > node.clientWidth + 1)
  .map((node) => node.className)"""

AS_PAINTED = """() => {
  const root = document.querySelector(".nbrt-table");
  let around = root.parentElement;
  while (getComputedStyle(around).backgroundColor === "rgba(0, 0, 0, 0)") around = around.parentElement;
  return getComputedStyle(root).getPropertyValue("--nbrt-ground") === getComputedStyle(around).backgroundColor;
}"""

NAMELESS = """() => {
  const body = document.body;
  body.removeAttribute("data-voila");
  for (const name of ["layout-color0", "content-font-color1", "brand-color1", "ui-font-family", "code-font-family"])
    body.style.setProperty(`--jp-${name}`, "initial");
  for (let node = document.querySelector(".nbrt-plot").parentElement; node !== body; node = node.parentElement)
    node.style.background = "transparent";
  body.style.background = "#ffffff";
}"""


def installed(host: str) -> None:
    require(host, host if importlib.util.find_spec(host) else None)


def lives(page: Page) -> None:
    """The widgets are there, follow what comes, and take what is typed."""
    for selector in WIDGETS:
        expect(page.locator(selector)).to_have_count(1, timeout=20_000)
    plot, tile, table = (page.locator(f".nbrt-{name}") for name in ("plot", "tile", "table"))
    for one in (plot, tile, table):
        expect(one).to_have_attribute("data-state", "live", timeout=15_000)
    newest = plot.get_attribute("data-t")
    expect(plot).not_to_have_attribute("data-t", newest or "")
    expect(tile.locator(".nbrt-number")).to_have_text(re.compile(r"^\d\d\.\d+$"))
    expect(page.locator(".nbrt-presence")).to_contain_text("1 here")
    publishes(page, "142.75")
    with page.expect_download() as saving:
        plot.get_by_role("button", name="Save or copy").press("ArrowDown")
        plot.get_by_role("menuitem").first.press("Enter")
    assert saving.value.suggested_filename.endswith(".png")
    assert page.evaluate(WIDER) == []


# Rows pass by: who looks now and then may miss one, who watches does not.
WATCH = """(root, text) => {
  const watch = {found: false};
  const observer = new MutationObserver(() => {
    watch.found ||= root.textContent.includes(text);
    if (watch.found) observer.disconnect();
  });
  observer.observe(root, {childList: true, characterData: true, subtree: true});
  return watch;
}"""


def publishes(page: Page, value: str) -> None:
    """Type it, and see it among the rows. No other row may read so."""
    rows = page.locator(".nbrt-table").evaluate_handle(WATCH, value)
    page.locator(".nbrt-publish").get_by_label("Value", exact=True).focus()
    page.keyboard.type(value)
    page.keyboard.press("Enter")
    expect(page.locator(".nbrt-publish")).to_contain_text("Sent")
    page.wait_for_function("(watch) => watch.found", arg=rows)


def test_notebook_7_has_it_all_light_and_dark(open_notebook):
    installed("notebook")
    notebook = open_notebook(SERVER, TOPIC, SLOW_FEED, SHOW, BUSY, host="notebooks")
    notebook.run(0, 1, 2, 3)
    lives(notebook.page)
    for theme in ("light", "dark"):
        notebook.theme(theme)
        expect(notebook.plot).to_have_attribute("data-theme", theme)
        notebook.screenshot(f"hosts-notebook-{theme}")
    notebook.run(4, wait=False)
    newest = notebook.number("data-t")
    assert notebook.wait_beyond("data-t", newest) > newest
    publishes(notebook.page, "143.25")
    notebook.wait_idle(4)
    assert notebook.text(4).strip() == "heard", "what was typed waited for the cell"
    assert notebook.errors() == []
    assert [said for said in notebook.complaints if not any(own in said for own in NOTEBOOKS_OWN)] == []


def test_voila_shows_what_lives_light_and_dark(lab, context):
    installed("voila")
    path = lab.write("app", [SERVER, TOPIC, SLOW_FEED, SHOW])
    complaints: list[str] = []
    page = context.new_page()
    page.on("pageerror", lambda error: complaints.append(str(error)))
    plot = page.locator(".nbrt-plot")
    try:
        for theme in ("light", "dark"):
            page.goto(f"{lab.url}/voila/render/{path}?token={lab.token}&theme={theme}", timeout=45_000)
            lives(page)
            expect(plot).to_have_attribute("data-theme", theme)
            page.wait_for_function(AS_PAINTED)
            SCREENSHOTS.mkdir(exist_ok=True)
            page.screenshot(path=SCREENSHOTS / f"hosts-voila-{theme}.png")

        # A host that has none of JupyterLab's names: the page's paint counts, then what <html> says, then the system.
        page.evaluate(NAMELESS)
        expect(plot).to_have_attribute("data-theme", "light")
        page.evaluate("document.body.style.background = '#202124'")
        expect(plot).to_have_attribute("data-theme", "dark")
        page.evaluate("document.body.style.background = 'transparent'")
        expect(plot).to_have_attribute("data-theme", "light")
        page.evaluate("document.documentElement.setAttribute('theme', 'dark')")
        expect(plot).to_have_attribute("data-theme", "dark")
        assert plot.evaluate("(root) => getComputedStyle(root).getPropertyValue('--nbrt-font')").startswith(
            "system-ui"
        )
        page.screenshot(path=SCREENSHOTS / "hosts-nameless-dark.png")
        assert complaints == []
    finally:
        page.close()
        lab.delete_kernels()
