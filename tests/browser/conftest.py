"""One JupyterLab for the session, one browser for a module, and notebooks that leave no kernel behind.

Playwright's synchronous API keeps an event loop current in the main thread as long as it lives; so the browser
belongs to a module, or every later test that calls `asyncio.run` would fail.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, BrowserContext, sync_playwright

from .lab import REPOSITORY, Lab
from .notebook import Notebook

_FLAGS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--disable-background-timer-throttling",
    "--disable-renderer-backgrounding",
    "--disable-backgrounding-occluded-windows",
]

_SECONDS = 120


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Everything in this folder drives a browser, and a browser takes its time."""
    for item in items:
        if Path(__file__).parent in item.path.parents:
            item.add_marker(pytest.mark.browser)
            if item.get_closest_marker("timeout") is None:
                item.add_marker(pytest.mark.timeout(_SECONDS))


@pytest.fixture(scope="session")
def lab(chromium: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Lab]:
    """A JupyterLab of the session's own."""
    running = Lab(tmp_path_factory.mktemp("lab"))
    yield running
    running.stop()


@pytest.fixture(autouse=True)
def _private_runtime_directory(lab: Lab, monkeypatch: pytest.MonkeyPatch) -> None:
    """Takes the place of the general one: what a test starts beside a notebook finds the notebook's server."""
    monkeypatch.setenv("JUPYTER_RUNTIME_DIR", str(lab.runtime))
    for name in ("NBREALTIME_URL", "NBREALTIME_TOKEN", "NBREALTIME_SECRET"):
        monkeypatch.delenv(name, raising=False)


@pytest.fixture(scope="module")
def browser(chromium: str) -> Iterator[Browser]:
    with sync_playwright() as playwright:
        launched = playwright.chromium.launch(executable_path=chromium, args=_FLAGS)
        yield launched
        launched.close()


@pytest.fixture
def context(browser: Browser) -> Iterator[BrowserContext]:
    opened = browser.new_context(viewport={"width": 1400, "height": 1000}, timezone_id="UTC")
    opened.set_default_timeout(15_000)
    opened.grant_permissions(["clipboard-read", "clipboard-write"])
    yield opened
    opened.close()


Opener = Callable[..., Notebook]


@pytest.fixture
def open_notebook(lab: Lab, context: BrowserContext) -> Iterator[Opener]:
    """Opens a notebook: of these cells, or `notebooks/<name>.ipynb` of the repository."""

    def open_one(*cells: str, name: str = "test", host: str = "") -> Notebook:
        path = lab.write(name, list(cells)) if cells else lab.copy(REPOSITORY / "notebooks" / f"{name}.ipynb")
        return Notebook(lab, context, path, host)

    yield open_one
    context.close()
    lab.delete_kernels()
    lab.forget_theme()
