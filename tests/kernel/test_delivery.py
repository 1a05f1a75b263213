"""Callbacks and links go on while the kernel is idle, sleeps, computes or awaits; and what they print finds its cell."""

from __future__ import annotations

import pytest

from .conftest import Notebook

pytestmark = pytest.mark.kernel

REGISTER = """
seen = []
@temp.on_message
def note(message):
    seen.append((message.data, threading.current_thread() is threading.main_thread()))
"""


def test_while_the_kernel_is_idle_callbacks_run_on_its_loop(notebook: Notebook) -> None:
    cell = notebook.run(REGISTER + "temp.on_message(lambda message: print('heard', message.data))", "a")
    assert cell == ""
    run = notebook.start(
        "temp.on_message(lambda message: print('heard', message.data))\nthread = feed(range(3))", "b"
    )
    notebook.until_printed(run, "heard 2")
    assert notebook.run("print(seen)") == "[(0, True), (1, True), (2, True)]\n"


@pytest.mark.parametrize(
    ("kind", "busy"),
    [
        ("sleep", "time.sleep(0.01)"),
        ("compute", "for _ in range(10_000): pass"),
    ],
)
def test_inside_a_cell_that_keeps_the_loop_busy_callbacks_run_beside_it(
    notebook: Notebook, kind: str, busy: str
) -> None:
    notebook.run(REGISTER, "a")
    said = notebook.run(
        "feed(range(10), 0.02)\n"
        "deadline = time.monotonic() + 15\n"
        "while len(seen) < 10 and time.monotonic() < deadline:\n"
        f"    {busy}\n"
        "print([data for data, _ in seen], any(not main for _, main in seen))",
        "b",
    )
    assert said == "[0, 1, 2, 3, 4, 5, 6, 7, 8, 9] True\n"


def test_inside_one_long_sleep_observers_are_told(notebook: Notebook) -> None:
    notebook.run("told = []\ntemp.observe(lambda change: told.append(change.new), 'value')", "a")
    said = notebook.run("feed([1, 2, 3], 0.15)\ntime.sleep(1.0)\nprint(told)", "b")
    assert said == "[1, 2, 3]\n"


def test_in_a_cell_that_awaits_callbacks_run_on_the_loop(notebook: Notebook) -> None:
    notebook.run(REGISTER, "a")
    said = notebook.run(
        "feed(range(5), 0.02)\n"
        "async with asyncio.timeout(15):\n"
        "    while len(seen) < 5:\n"
        "        await asyncio.sleep(0.01)\n"
        "print(seen)",
        "b",
    )
    assert said == f"{[(n, True) for n in range(5)]}\n"


def test_a_cell_reads_messages_one_after_another(notebook: Notebook) -> None:
    said = notebook.run(
        "waiting = aiter(temp)\n"
        "thread = feed(range(3))\n"
        "async with asyncio.timeout(15):\n"
        "    async for message in waiting:\n"
        "        print(message.data, end=' ')\n"
        "        if message.data == 2:\n"
        "            break\n"
    )
    assert said == "0 1 2 "


def test_main_waits_for_the_cell(notebook: Notebook) -> None:
    said = notebook.run(
        "later = rt.subscribe('lab:later', deliver='main')\n"
        "threads = []\n"
        "later.on_message(lambda message: threads.append(threading.current_thread().name))\n"
        "later.publish(1)\n"
        "later.wait(timeout=10)\n"
        "time.sleep(0.3)\n"
        "print(threads)"
    )
    assert said == "[]\n"
    said = notebook.run(
        "async with asyncio.timeout(15):\n"
        "    while not threads:\n"
        "        await asyncio.sleep(0.01)\n"
        "print(threads == [threading.main_thread().name])"
    )
    assert said == "True\n"


def test_after_a_busy_cell_the_loop_delivers_again(notebook: Notebook) -> None:
    notebook.run(REGISTER, "a")
    notebook.run("feed([0]).join()\ntime.sleep(0.3)", "b")
    notebook.run("thread = feed(range(1, 4))", "c")
    said = notebook.run(
        "async with asyncio.timeout(15):\n"
        "    while len(seen) < 4:\n"
        "        await asyncio.sleep(0.01)\n"
        "print(seen[0], seen[-1])"
    )
    assert said == "(0, False) (3, True)\n"


def test_what_a_callback_prints_appears_below_the_cell_that_registered_it(notebook: Notebook) -> None:
    first = notebook.start(
        "@temp.on_message\ndef tell(message):\n    print('heard', message.data)\n"
        "temp.observe(lambda change: print('value', change.new), 'value')",
        "a",
    )
    notebook.finish(first)
    # Beside a sleeping cell (the thread), within an awaiting one (the loop), and while idle.
    asleep = notebook.start("feed([1], 0).join()\ntime.sleep(0.5)\nprint('slept')", "b")
    notebook.until_printed(first, "value 1")
    notebook.finish(asleep)
    awaiting = notebook.start("thread = feed([2], 0)\nawait asyncio.sleep(0.3)\nprint('awaited')", "c")
    notebook.until_printed(first, "value 2")
    notebook.finish(awaiting)
    idle = notebook.start("thread = feed([3], 0)", "d")
    notebook.finish(idle)
    notebook.until_printed(first, "value 3")
    assert [line for line in notebook.text(first).splitlines() if line.startswith("heard")] == [
        "heard 1",
        "heard 2",
        "heard 3",
    ]
    assert (notebook.text(asleep), notebook.text(awaiting), notebook.text(idle)) == (
        "slept\n",
        "awaited\n",
        "",
    )


def test_an_exception_in_a_callback_is_shown_below_its_cell_and_stops_nothing(notebook: Notebook) -> None:
    first = notebook.start(
        "@temp.on_message\ndef broken(message):\n    raise ValueError(f'boom {message.data}')\n", "a"
    )
    notebook.finish(first)
    other = notebook.start("feed([1, 2], 0).join()\ntime.sleep(0.4)", "b")
    notebook.finish(other)
    notebook.until_printed(first, "broken raised this")
    assert notebook.text(first).count("ValueError: boom") == 1
    assert notebook.text(other) == ""
    assert notebook.run("print([str(error) for error in temp.errors])") == "['boom 1', 'boom 2']\n"


def test_an_exit_in_a_callback_does_not_end_the_kernel(notebook: Notebook) -> None:
    notebook.run("@temp.on_message\ndef leave(message):\n    sys.exit(3)\nthread = feed([1, 2], 0)", "a")
    said = notebook.run(
        "async with asyncio.timeout(15):\n"
        "    while len(temp.errors) < 2:\n"
        "        await asyncio.sleep(0.01)\n"
        "print(temp.errors)"
    )
    assert said == "(SystemExit(3), SystemExit(3))\n"


def test_a_linked_widget_follows_during_a_cell_and_is_right_after_it(notebook: Notebook) -> None:
    notebook.run(
        "from ipywidgets import FloatText\nbox = FloatText()\nlinked = temp.link(box, 'value', lambda v: v * 2)",
        "a",
    )
    said = notebook.run(
        "feed([1, 2, 3], 0.02)\n"
        "deadline = time.monotonic() + 15\n"
        "while box.value != 6 and time.monotonic() < deadline:\n"
        "    time.sleep(0.01)\n"
        "print(box.value)\n"
        "with box.hold_sync():\n"
        "    feed([10], 0).join()\n"
        "    time.sleep(0.4)\n"
        "    print(box.value)",
        "b",
    )
    assert said == "6.0\n6.0\n"
    said = notebook.run(
        "async with asyncio.timeout(15):\n"
        "    while box.value != 20:\n"
        "        await asyncio.sleep(0.01)\n"
        "print(box.value)"
    )
    assert said == "20.0\n"
