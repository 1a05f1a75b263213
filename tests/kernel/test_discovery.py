"""A kernel's server is known by the notebook that the host named."""

from __future__ import annotations

import pytest

from nbrealtime import discovery

from .conftest import Notebook

pytestmark = pytest.mark.kernel


@pytest.fixture
def session(monkeypatch: pytest.MonkeyPatch) -> None:
    """The kernel is started as jupyter_server starts one."""
    monkeypatch.setenv("JPY_SESSION_NAME", "/data/rig.ipynb")


def test_a_server_is_known_by_its_kernels_notebook(session: None, notebook: Notebook) -> None:
    (entry,) = discovery.entries()
    assert str(entry.birthplace) == "/data/rig.ipynb"
    # As VS Code says it; the server that runs stays what it was.
    notebook.run("__vsc_ipynb_file__ = '/data/vs.ipynb'\nother = rt.serve()")
    assert [str(entry.birthplace) for entry in discovery.entries()].count("/data/vs.ipynb") == 1
