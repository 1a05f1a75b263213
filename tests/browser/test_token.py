"""``%rtserver token`` shows a token with a Copy button; no saved notebook holds it."""

from __future__ import annotations

import re

from playwright.sync_api import expect

from .cells import SERVER

JWT = re.compile(r"eyJ[\w-]+\.[\w-]+\.[\w-]+")


def test_a_token_is_shown_once_and_never_saved(open_notebook, lab):
    notebook = open_notebook(SERVER, "%rtserver token ada")
    notebook.run_all()
    field = notebook.find(".nbrt-token input")
    expect(field).to_have_value(JWT)
    token = field.input_value()

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

    expect(notebook.cell(1)).to_contain_text("(shown once)", timeout=70_000)
    expect(field).to_have_count(0)
    notebook.save()
    assert not JWT.search(lab.read(notebook.path))
    assert notebook.errors() == []
    assert notebook.complaints == []
