"""The notebooks that people get: clean when committed, runnable twice, and easy to end.

That each cell runs is nbval's to show (``pytest --nbval-lax notebooks``).
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import nbformat
import psutil
import pytest
from nbclient import NotebookClient

from nbrealtime import discovery
from nbrealtime.commands.demo import find_notebooks

NOTEBOOKS = sorted((Path(__file__).parent.parent / "notebooks").glob("*.ipynb"))


@pytest.fixture(params=NOTEBOOKS, ids=[path.stem for path in NOTEBOOKS])
def notebook(request: pytest.FixtureRequest) -> Any:
    return nbformat.read(request.param, as_version=4)


def code_of(notebook: Any) -> list[Any]:
    return [cell for cell in notebook.cells if cell.cell_type == "code"]


def test_the_demo_brings_these_notebooks() -> None:
    assert {path.name for path in NOTEBOOKS} == {"quickstart.ipynb", "sensors.ipynb"}
    assert sorted(find_notebooks().glob("*.ipynb")) == NOTEBOOKS


def test_it_is_valid_and_carries_no_outputs(notebook: Any) -> None:
    nbformat.validate(notebook)
    for cell in code_of(notebook):
        assert cell.outputs == []
        assert cell.execution_count is None


def test_its_cells_have_names_for_ids(notebook: Any) -> None:
    ids = [cell.id for cell in notebook.cells]
    assert len(set(ids)) == len(ids)
    assert all(id_.replace("-", "").isalpha() for id_ in ids), (
        "ids that nobody has to change say what a cell is"
    )


def test_what_it_imports_stands_at_its_top(notebook: Any) -> None:
    first, *others = code_of(notebook)
    assert "import nbrealtime as rt" in first.source
    assert not [cell.id for cell in others if "import " in cell.source.replace("# ", "")]


def test_its_last_cell_ends_everything_and_is_commented_out(notebook: Any) -> None:
    lines = code_of(notebook)[-1].source.splitlines()
    assert lines == ["# rt.close_all()", "# %rtserver stop"]


@pytest.mark.kernel
@pytest.mark.timeout(120)
def test_running_it_twice_leaves_one_server_and_one_feed_and_a_kernel_that_ends(notebook: Any) -> None:
    client = NotebookClient(notebook, timeout=60, kernel_name="python3")
    with client.setup_kernel():
        for _ in range(2):
            for index, cell in enumerate(notebook.cells):
                client.execute_cell(cell, index)
        (entry,) = discovery.entries()
        feeds = [
            child
            for child in psutil.Process(entry.pid).children(recursive=True)
            if "sensor" in child.cmdline()
        ]
        assert len(feeds) == 1
    assert not psutil.wait_procs(feeds, timeout=10)[1], "the feed ends with its kernel"
    assert discovery.entries() == []


@pytest.mark.kernel
def test_its_last_cell_without_the_comment_signs_really_ends_everything(notebook: Any) -> None:
    client = NotebookClient(notebook, timeout=60, kernel_name="python3")
    last = code_of(notebook)[-1]
    last.source = last.source.replace("# ", "")
    with client.setup_kernel():
        for index, cell in enumerate(notebook.cells):
            if "time.monotonic" not in cell.source:  # the busy cell has nothing to close
                client.execute_cell(cell, index)
        assert discovery.entries() == []
        assert "stopped" in "".join(output.text for output in last.outputs)
