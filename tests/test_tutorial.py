"""The documents that a newcomer types from: every Python block runs, in order, in one shell."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from IPython.core.interactiveshell import InteractiveShell
from traitlets.config import Config

DOCS = Path(__file__).parent.parent / "docs"
# A shell writes its history when the interpreter ends, long after the test's folder is gone.
WITHOUT_HISTORY = Config({"HistoryManager": {"enabled": False}})


def blocks_of(page: str) -> list[str]:
    return re.findall(
        r"^```python\n(.*?)^```$", (DOCS / page).read_text("utf-8"), flags=re.MULTILINE | re.DOTALL
    )


@pytest.fixture
def shell(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[InteractiveShell]:
    monkeypatch.setenv("IPYTHONDIR", str(tmp_path / "ipython"))
    shell = InteractiveShell(config=WITHOUT_HISTORY)
    yield shell
    if "stop" in shell.user_ns:  # the tutorial's own thread, should a block after it have failed
        shell.user_ns["stop"].set()
        shell.user_ns["instrument"].join()
    if "nbrealtime" in shell.extension_manager.loaded:
        shell.run_line_magic("unload_ext", "nbrealtime")


@pytest.mark.parametrize("page", ["index.md", "tutorial.md"])
def test_every_block_of_it_runs(
    page: str, shell: InteractiveShell, capsys: pytest.CaptureFixture[str]
) -> None:
    for block in blocks_of(page):
        shell.run_cell(block).raise_error()
    assert "Server running at ws://127.0.0.1:" in capsys.readouterr().out


@pytest.mark.parametrize("page", ["alerts", "exactly-once", "history", "plots", "widgets"])
def test_every_block_of_a_how_to_runs(
    page: str, shell: InteractiveShell, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    served = []
    try:
        for block in blocks_of(f"how-to/{page}.md"):
            shell.run_cell(block).raise_error()
            served.append(shell.user_ns.get("server"))
    finally:
        for server in filter(None, dict.fromkeys(served)):
            server.close()


def test_its_links_lead_somewhere() -> None:
    for page in DOCS.rglob("*.md"):
        for target in re.findall(r"\]\(([^)#:]+)(?:#[^)]*)?\)", page.read_text("utf-8")):
            assert (page.parent / target).exists(), f"{page.name} refers to {target}"
