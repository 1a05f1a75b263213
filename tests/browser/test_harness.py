"""The harness itself, on a plain ipywidget: what the other tests stand on."""

from __future__ import annotations

from playwright.sync_api import expect


def test_a_notebook_runs_reloads_and_opens_twice(open_notebook, lab):
    notebook = open_notebook(
        "import ipywidgets, sys; print(sys.executable)",
        "slider = ipywidgets.IntSlider(value=7, description='seven')\nslider",
    )
    notebook.run_all()
    expect(notebook.find(".widget-slider")).to_be_visible()
    assert notebook.errors() == []
    notebook.save()
    notebook.reload()
    expect(notebook.find(".widget-slider")).to_be_visible()
    other = notebook.second_tab()
    expect(other.find(".widget-slider")).to_be_visible()
    notebook.theme("dark")
    notebook.screenshot("harness-dark")
    notebook.restart()
    notebook.run(0)
    import sys

    assert sys.executable in notebook.outputs(0)
    assert len(lab.kernels()) == 1
    assert notebook.complaints == []
