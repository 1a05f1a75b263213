"""Cells: a second run replaces what the first one made, interrupts interrupt, and nothing keeps the kernel."""

from __future__ import annotations

import time

import pytest

from .conftest import Notebook

pytestmark = pytest.mark.kernel

COUNT = """
async with asyncio.timeout(15):
    while not heard or heard[-1][1] != {last}:
        await asyncio.sleep(0.01)
print(heard)
"""


def test_running_a_cell_again_replaces_its_callbacks(notebook: Notebook) -> None:
    notebook.run("heard = []\nruns = 0")
    register = (
        "runs += 1\n"
        "@temp.on_message\n"
        "def note(message, run=runs):\n"
        "    heard.append((run, message.data))\n"
        "temp.observe(lambda change, run=runs: heard.append((-run, change.new)), 'value')"
    )
    for _ in range(3):
        notebook.run(register, "same")
    notebook.run("thread = feed([7], 0)", "other")
    said = notebook.run(
        "async with asyncio.timeout(15):\n"
        "    while len(heard) < 2:\n"
        "        await asyncio.sleep(0.01)\n"
        "await asyncio.sleep(0.3)\n"
        "print(sorted(heard))",
        "last",
    )
    assert said == "[(-3, 7), (3, 7)]\n"


def test_a_callback_of_another_cell_stays(notebook: Notebook) -> None:
    notebook.run("heard = []")
    for name in ("a", "b", "b"):
        notebook.run(f"temp.on_message(lambda message: heard.append(({name!r}, message.data)))", name)
    notebook.run("thread = feed([7], 0)")
    said = notebook.run(
        "async with asyncio.timeout(15):\n"
        "    while len(heard) < 2:\n"
        "        await asyncio.sleep(0.01)\n"
        "await asyncio.sleep(0.3)\n"
        "print(heard)"
    )
    assert said == "[('a', 7), ('b', 7)]\n"


def test_without_a_cell_id_nothing_is_removed(notebook: Notebook) -> None:
    notebook.run("heard = []")
    for _ in range(2):
        notebook.run("temp.on_message(lambda message: heard.append(message.data))")
    notebook.run("thread = feed([7], 0)")
    said = notebook.run(
        "async with asyncio.timeout(15):\n"
        "    while len(heard) < 2:\n"
        "        await asyncio.sleep(0.01)\n"
        "print(heard)"
    )
    assert said == "[7, 7]\n"


def test_running_a_cell_again_replaces_its_links(notebook: Notebook) -> None:
    notebook.run("from ipywidgets import FloatText\nboxes = []")
    for _ in range(2):
        notebook.run("boxes.append(FloatText())\nlinked = temp.link(boxes[-1])", "same")
    notebook.run("thread = feed([7], 0)")
    said = notebook.run(
        "async with asyncio.timeout(15):\n"
        "    while boxes[-1].value != 7:\n"
        "        await asyncio.sleep(0.01)\n"
        "print([box.value for box in boxes])"
    )
    assert said == "[0.0, 7.0]\n"


def test_running_a_cell_again_replaces_its_plot(notebook: Notebook) -> None:
    notebook.run("plots = []")
    for _ in range(2):
        notebook.run("plots.append(temp.plot())", "same")
    assert notebook.run("print([plot.comm is None for plot in plots])") == "[True, False]\n"


def test_running_a_cell_again_returns_the_same_topic(notebook: Notebook) -> None:
    notebook.run("topics = []")
    for _ in range(2):
        notebook.run("topics.append(rt.subscribe('lab:same'))", "same")
    assert notebook.run("print(topics[0] is topics[1], topics[0].state != 'closed')") == "True True\n"


def test_waiting_can_be_interrupted(notebook: Notebook) -> None:
    run = notebook.start("print('waiting', flush=True)\ntemp.wait(n=5, timeout=50)", "a")
    notebook.until_printed(run, "waiting")
    time.sleep(0.2)  # until it has really begun to wait, of which the kernel says nothing
    began = time.monotonic()
    notebook.manager.interrupt_kernel()
    assert "KeyboardInterrupt" in (notebook.finish(run) or "")
    assert time.monotonic() - began < 10
    assert notebook.run("print(temp.count)") == "0\n"


def test_trouble_with_a_connection_appears_below_the_cell_that_connected(notebook: Notebook) -> None:
    first = notebook.start("away = rt.connect('ws://127.0.0.1:1', token='x')", "a")
    assert notebook.finish(first) is None
    notebook.until(lambda: "127.0.0.1:1" in notebook.text(first))
    assert notebook.text(first).count("\n") == 1
    assert notebook.run("away.close()\nprint(away.state)") == "closed\n"


def test_shutting_down_is_not_held_up(notebook: Notebook) -> None:
    notebook.run(
        "temp.on_message(lambda message: time.sleep(30))\n"
        "plot = temp.plot()\n"
        "waiting = asyncio.ensure_future(temp.next())\n"
        "away = rt.connect('ws://127.0.0.1:1', token='x')\n"
        "thread = feed(range(1000), 0.01)\n"
        "time.sleep(0.5)"
    )
    began = time.monotonic()
    notebook.client.shutdown()
    process = notebook.manager.provisioner
    assert process is not None
    while notebook.manager.is_alive():
        assert time.monotonic() - began < 15
        time.sleep(0.02)
    assert time.monotonic() - began < 8


def test_a_card_is_shown_for_a_topic_and_a_connection(notebook: Notebook) -> None:
    said = notebook.run(
        "from IPython.core.interactiveshell import InteractiveShell\n"
        "format = InteractiveShell.instance().display_formatter.format\n"
        "for subject in (temp, rt.connect()):\n"
        "    data, _ = format(subject)\n"
        "    print('application/vnd.jupyter.widget-view+json' in data, data['text/plain'].split(':')[0])",
        asks=True,
    )
    assert said.splitlines() == ["True LiveTopic 'lab", "True Connection 'ws"]
