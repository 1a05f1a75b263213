"""Where a callback speaks after its page was reloaded: not below its cell any more, but in what the kernel keeps."""

from __future__ import annotations

from playwright.sync_api import expect

from .cells import SERVER, TOPIC

PRINTS = """\
@temp.on_message
def show(message):
    print("printed", message.data)
"""

WRITES = """\
import ipywidgets

out = ipywidgets.Output()

@temp.on_message
def write(message):
    out.append_stdout(f"written {message.data}\\n")

out
"""


def test_after_a_reload_a_callback_speaks_in_an_output_widget_and_a_log(open_notebook, lab):
    notebook = open_notebook(SERVER, TOPIC, PRINTS, WRITES, "temp.log()")
    notebook.run_all()
    lab.run("publish", "lab:temp", "before")
    expect(notebook.cell(2)).to_contain_text("printed before")
    expect(notebook.cell(3)).to_contain_text("written before")
    expect(notebook.cell(4)).to_contain_text("before")
    notebook.save()
    notebook.reload()
    lab.run("publish", "lab:temp", "after")
    for cell in (3, 4):
        expect(notebook.cell(cell)).to_contain_text("before")
        expect(notebook.cell(cell)).to_contain_text("after")
    # JupyterLab's own doing, and why the docs advise the other two. If it ever comes, they may say so.
    expect(notebook.cell(2)).to_contain_text("printed before")
    expect(notebook.cell(2)).not_to_contain_text("printed after")
    # Until the cell is run again.
    notebook.run(2)
    lab.run("publish", "lab:temp", "again")
    expect(notebook.cell(2)).to_contain_text("printed again")
    assert notebook.complaints == []
