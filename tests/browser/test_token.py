"""``%rtserver token`` shows a token with a Copy button; no saved notebook holds it."""

from __future__ import annotations

import re

from playwright.sync_api import expect

from .cells import SERVER

# The same box for fewer seconds: what comes after a minute need not take one.
BRIEFLY = """\
from nbrealtime.widgets.token import show_token
show_token(rt.serve(advertise=False).token("bob"), seconds=5)"""

JWT = re.compile(r"eyJ[\w-]+\.[\w-]+\.[\w-]+")


def test_a_token_is_shown_once_and_never_saved(open_notebook, lab):
    notebook = open_notebook(SERVER, "%rtserver token ada")
    notebook.run_all()
    field = notebook.find(".nbrt-token input")
    expect(field).to_have_value(JWT)
    token = field.input_value()
    expect(notebook.find(".nbrt-token")).to_contain_text(
        re.compile(r"good for 2 h.*shown for (5\d|60) s", re.DOTALL)
    )

    notebook.find(".nbrt-token button").click()
    expect(notebook.find(".nbrt-token button")).to_have_text("Copied")
    assert notebook.page.evaluate("navigator.clipboard.readText()") == token

    notebook.save()
    assert token not in lab.read(notebook.path)
    assert not JWT.search(lab.read(notebook.path)), "the saved notebook holds a token"

    # It is good for a client that knows nothing else: the server takes it.
    address = re.search(r"ws://[\d.:]+", notebook.outputs(0))
    assert address is not None
    lab.run("publish", "lab:temp", "21.5", "--url", address[0], "--token", token)
    notebook.screenshot("token-light")
    assert notebook.errors() == []
    assert notebook.complaints == []


def test_after_its_time_a_token_is_replaced_in_the_notebook(open_notebook, lab):
    notebook = open_notebook("import nbrealtime as rt", BRIEFLY)
    notebook.run_all()
    field = notebook.find(".nbrt-token input")
    expect(field).to_have_value(JWT)
    expect(notebook.cell(1)).to_contain_text("(shown once)", timeout=15_000)
    expect(field).to_have_count(0)
    notebook.save()
    assert not JWT.search(lab.read(notebook.path))
    assert notebook.errors() == []
    assert notebook.complaints == []
