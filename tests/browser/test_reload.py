"""A page that is reloaded, or opened twice, shows the window's history at once."""

from __future__ import annotations

from .cells import SERVER
from .notebook import Notebook, quickest

# Ten minutes of history would take ten minutes; a list with times is history at once.
HISTORY = """\
import nbrealtime as rt, time
temp = rt.subscribe("lab:temp")
now = time.time()
times = [now - 50 + 0.05 * n for n in range(1000)]
rt.publish("lab:temp", {"t": times, "value": [20 + n % 40 / 10 for n in range(1000)]})
temp.wait(n=1, timeout=10)
"""

PLOT = 'plot = temp.plot(window="60s")\nplot'


def test_a_reloaded_page_and_a_second_tab_are_full_again(open_notebook):
    notebook = open_notebook(SERVER, HISTORY, PLOT)
    notebook.run_all()
    notebook.filled_within(10)
    oldest, newest = notebook.number("data-t0"), notebook.number("data-t")
    assert newest - oldest > 45_000
    notebook.save()

    def reload() -> float:
        notebook.page.reload()
        return notebook.filled_within(30)

    took = quickest(reload)
    assert notebook.number("data-t0") == oldest
    assert notebook.number("data-t") == newest
    assert took < 1.0, f"the window was empty for {took:.2f} s after the plot was rendered"

    tabs: list[Notebook] = []

    def open_tab() -> float:
        tabs.append(notebook.second_tab())
        return tabs[-1].filled_within(10)

    took = quickest(open_tab)
    second = tabs[-1]
    assert second.number("data-t0") == oldest
    assert second.picture().colours.keys(), "the second tab's canvas is blank"
    assert took < 1.0, f"the second tab's window was empty for {took:.2f} s"
    assert notebook.number("data-t0") == oldest, "the first tab lost its window to the second"
    assert notebook.complaints == second.complaints == []
