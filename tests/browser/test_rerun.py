"""Running things again replaces what they made: cells, and a whole kernel."""

from __future__ import annotations

from playwright.sync_api import expect

from .cells import FEED, SERVER, TOPIC

COUNT = """\
import threading
from ipywidgets.widgets.widget import _instances
plots = [w for w in _instances.values() if type(w).__name__ == "LivePlot"]
print("PLOTS", len(plots), "SERVERS", sum(t.name == "nbrealtime-server" for t in threading.enumerate()))
"""


def test_running_a_cell_again_replaces_its_plot(open_notebook):
    notebook = open_notebook(SERVER, TOPIC, FEED, 'temp.plot(window="20s")', COUNT)
    notebook.run_all()
    notebook.wait_state("live")
    for _ in range(2):
        notebook.run(3)
        notebook.wait_state("live")
        expect(notebook.plot).to_have_count(1)
    notebook.run(4)
    assert "PLOTS 1 SERVERS 1" in notebook.outputs(4)
    notebook.run_all()
    notebook.wait_state("live")
    assert "PLOTS 1 SERVERS 1" in notebook.outputs(4)
    assert notebook.errors() == []
    assert notebook.complaints == []
