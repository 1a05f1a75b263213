"""What is left of a plot when its kernel is gone: pictures in the place of its outputs."""

from __future__ import annotations

import base64
import time
import xml.etree.ElementTree as ET
from typing import Any

import pytest

from .conftest import Notebook

pytestmark = pytest.mark.kernel

WIDGET = "application/vnd.jupyter.widget-view+json"
FEED = "feed([20, 21, 22], 0)\nheard = temp.wait(n=3, timeout=10)"


def displayed(notebook: Notebook) -> tuple[str, dict[str, Any]]:
    """The newest display's id and data; it was displayed, not replaced."""
    _, kind, content = notebook.displays[-1]
    assert kind == "display_data"
    return content["transient"]["display_id"], content["data"]


def replaced(notebook: Notebook) -> tuple[str, dict[str, Any]]:
    """The newest message's id and data; it took the place of a display."""
    _, kind, content = notebook.displays[-1]
    assert kind == "update_display_data"
    return content["transient"]["display_id"], content["data"]


def is_picture(data: dict[str, Any]) -> bool:
    """Whether it is a picture and no widget; both pictures can be read."""
    if WIDGET in data:
        return False
    assert ET.fromstring(data["image/svg+xml"]).tag.endswith("svg")
    assert base64.b64decode(data["image/png"]).startswith(b"\x89PNG")
    assert "lab:temp" in data["text/plain"]
    return True


def test_freezing_replaces_the_output_of_the_cell_that_showed_the_plot(notebook: Notebook) -> None:
    notebook.run(FEED)
    notebook.run("plot = temp.plot()\nplot", "a", asks=True)
    name, data = displayed(notebook)
    assert WIDGET in data
    assert "image/png" in data, "what cannot show a widget shows a picture"
    notebook.run("plot.freeze()", "b", asks=True)
    assert replaced(notebook)[0] == name
    assert is_picture(replaced(notebook)[1])
    assert notebook.run("print(plot.state, _ is plot)", asks=True) == "live True\n"


def test_a_frozen_picture_stays_when_the_plot_is_shown_again(notebook: Notebook) -> None:
    notebook.run("plot = temp.plot()\nplot", "a", asks=True)
    first, _ = displayed(notebook)
    notebook.run("plot.freeze()", "b", asks=True)
    notebook.run("plot", "c", asks=True)
    again, data = displayed(notebook)
    assert again != first
    assert WIDGET in data


def test_closing_replaces_it_and_it_stays_a_picture(notebook: Notebook) -> None:
    notebook.run(FEED)
    notebook.run("plot = temp.plot()\nplot", "a", asks=True)
    name, _ = displayed(notebook)
    notebook.run("plot.close()\nplot.close()", "b", asks=True)
    assert [kind for _, kind, _ in notebook.displays] == ["display_data", "update_display_data"]
    assert replaced(notebook)[0] == name
    assert is_picture(replaced(notebook)[1])
    assert "Closed" in replaced(notebook)[1]["image/svg+xml"]
    notebook.run("plot", "c", asks=True)
    _, kind, content = notebook.displays[-1]
    assert kind == "display_data"
    assert is_picture(content["data"])


def test_a_plot_whose_cell_runs_again_leaves_a_picture_where_other_cells_showed_it(
    notebook: Notebook,
) -> None:
    notebook.run(FEED)
    notebook.run("plot = temp.plot()", "a", asks=True)
    notebook.run("plot", "b", asks=True)
    notebook.run("plot = temp.plot()", "a", asks=True)
    assert is_picture(replaced(notebook)[1])


def test_a_plot_whose_only_cell_runs_again_is_simply_gone(notebook: Notebook) -> None:
    for _ in range(2):
        notebook.run("plot = temp.plot()\nplot", "a", asks=True)
    assert [kind for _, kind, _ in notebook.displays] == ["display_data", "display_data"]


def test_where_nobody_can_be_asked_every_cell_leaves_a_picture(notebook: Notebook) -> None:
    notebook.run("plot = temp.plot()\nplot")
    name, data = replaced(notebook)
    assert is_picture(data)
    assert "Waiting for lab:temp" in data["image/svg+xml"]
    notebook.run(FEED)
    assert replaced(notebook)[0] == name
    assert ">22<" in replaced(notebook)[1]["image/svg+xml"]
    notebook.run("pass")  # what was points when the plot knew no interval yet is a band from now on
    before = len(notebook.displays)
    notebook.run("1")
    news = [kind for _, kind, _ in notebook.displays[before:]]
    assert news == ["execute_result"], "the same picture is not sent twice"


def test_a_quiet_kernel_that_no_browser_speaks_to_is_headless_too(notebook: Notebook) -> None:
    notebook.run("plot = temp.plot()\nplot", "a", asks=True)
    notebook.run(FEED, "b", asks=True)
    assert displayed(notebook)[1], "a page would not have had the time to speak"
    time.sleep(2.2)
    notebook.run("pass", "c", asks=True)
    assert is_picture(replaced(notebook)[1])


def test_a_long_cell_is_no_sign_that_nobody_looks(notebook: Notebook) -> None:
    notebook.run("plot = temp.plot()\nplot", "a", asks=True)
    notebook.run("time.sleep(2.5)", "b", asks=True)
    notebook.run("pass", "c", asks=True)
    assert WIDGET in displayed(notebook)[1]


def test_a_browsers_word_keeps_the_plot_alive(notebook: Notebook) -> None:
    notebook.run("plot = temp.plot()\nplot", "a", asks=True)
    session = notebook.client.session
    notebook.run("print(plot.hub.comm.comm_id)", asks=True)
    comm = notebook.run("print(plot.hub.comm.comm_id)", asks=True).strip()
    word = {"method": "custom", "content": {"type": "here", "view": "v", "page": "p", "part": "x"}}
    notebook.client.shell_channel.send(session.msg("comm_msg", {"comm_id": comm, "data": word}))
    time.sleep(2.2)
    notebook.run("pass", "b", asks=True)
    notebook.run("pass", "c")
    assert WIDGET in displayed(notebook)[1]


def test_of_the_other_widgets_a_line_of_text_is_left(notebook: Notebook) -> None:
    notebook.run(FEED)
    notebook.run("rt.MessageLog(temp)")
    assert set(replaced(notebook)[1]) == {"text/plain"}
    assert replaced(notebook)[1]["text/plain"].startswith("MessageLog of lab:temp: live")
    notebook.run("rt.Dashboard([temp.plot(), temp.tile()])")
    assert is_picture(replaced(notebook)[1])
    lines = replaced(notebook)[1]["text/plain"].splitlines()
    assert lines[0].startswith("Dashboard of LivePlot, StatTile")
    assert [line.split(":")[0].strip() for line in lines[1:]] == ["LivePlot of lab", "StatTile of lab"]
    notebook.run("temp")
    assert notebook.displays[-1][1] == "execute_result"
    assert set(notebook.displays[-1][2]["data"]) == {"text/plain"}, (
        "a card would have been saved as a reference"
    )
    notebook.run("tile = temp.tile()\ntile")
    assert is_picture(replaced(notebook)[1])


def test_wherever_a_plot_is_put_there_is_the_plot(notebook: Notebook) -> None:
    notebook.run(FEED)
    notebook.run("import ipywidgets as w; plot = temp.plot(); out = w.Output()", "a", asks=True)
    notebook.run("out.append_display_data(plot)", "b", asks=True)
    assert not notebook.displays, "it is in the output that was named, not below the cell"
    assert notebook.run(f"print(len(out.outputs), {WIDGET!r} in out.outputs[0]['data'])") == "1 True\n"
    notebook.run("display(plot)", "c", asks=True)
    assert WIDGET in displayed(notebook)[1]
    shown = len(notebook.displays)
    notebook.run("w.VBox([plot])", "d", asks=True)
    assert [kind for _, kind, _ in notebook.displays[shown:]] == ["execute_result"]
    notebook.run("with out: display(plot)", "e", asks=True)
    assert WIDGET in notebook.displays[-1][2]["data"]
    notebook.run("w.interact(lambda n: plot, n=(1, 3)); None", "f", asks=True)
    assert any(
        "LivePlot" in content["data"]["text/plain"]
        for run, kind, content in notebook.displays[-2:]
        if kind == "display_data"
    )
