"""`%rtserver` in a real IPython shell: two lines, nothing secret, no traceback."""

from __future__ import annotations

import re
import socket
from collections.abc import Iterator
from pathlib import Path

import pytest
from IPython.core.interactiveshell import InteractiveShell
from traitlets.config import Config
from websockets.exceptions import ConnectionClosed
from websockets.sync.client import connect

from nbrealtime import discovery, magics
from nbrealtime.server import serve

# A shell writes its history when the interpreter ends, long after the test's folder is gone.
WITHOUT_HISTORY = Config({"HistoryManager": {"enabled": False}})


class Notebook:
    """A shell, and what its cells print."""

    def __init__(self, capsys: pytest.CaptureFixture[str]) -> None:
        self._shell = InteractiveShell(config=WITHOUT_HISTORY)
        self._capsys = capsys

    def run(self, cell: str) -> str:
        """Runs a cell that must not raise; returns what it printed."""
        self._capsys.readouterr()
        self._shell.run_cell(cell).raise_error()
        return self._capsys.readouterr().out

    def fails(self, cell: str) -> str:
        """Runs a cell that must not raise and prints nothing but its trouble; returns that."""
        self._capsys.readouterr()
        self._shell.run_cell(cell).raise_error()
        printed = self._capsys.readouterr()
        assert printed.out == ""
        assert "Traceback" not in printed.err
        (line,) = printed.err.splitlines()
        return line


@pytest.fixture
def notebook(
    capsys: pytest.CaptureFixture[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Iterator[Notebook]:
    monkeypatch.setenv("IPYTHONDIR", str(tmp_path / "ipython"))  # a history of the test's own
    notebook = Notebook(capsys)
    notebook.run("%load_ext nbrealtime")
    yield notebook
    notebook.run("%unload_ext nbrealtime")


def test_it_prints_where_the_server_is_and_what_to_type_next(notebook: Notebook) -> None:
    first, second = notebook.run("%rtserver").splitlines()
    assert re.fullmatch(r"Server running at ws://127\.0\.0\.1:\d+ \(this kernel\)", first)
    assert second == 'Next: t = rt.subscribe("lab:temp"), then t.plot()'


def test_it_prints_no_token(notebook: Notebook) -> None:
    printed = notebook.run("%rtserver") + notebook.run("%rtserver status")
    entry = discovery.local()
    assert entry is not None
    assert entry.token not in printed
    assert entry.key not in printed


def test_starting_twice_is_one_server(notebook: Notebook) -> None:
    first = notebook.run("%rtserver")
    assert notebook.run("%rtserver start") == first
    assert len(discovery.entries()) == 1


def test_a_port_can_be_chosen_and_asked_for_again(notebook: Notebook) -> None:
    with socket.create_server(("127.0.0.1", 0)) as probe:
        port = probe.getsockname()[1]
    assert f"ws://127.0.0.1:{port} " in notebook.run(f"%rtserver --port {port}")
    assert f"ws://127.0.0.1:{port} " in notebook.run(f"%rtserver --port {port}")


def test_another_port_for_a_server_that_runs_says_how_to_move_it(notebook: Notebook) -> None:
    notebook.run("%rtserver")
    assert "To move it: %rtserver stop" in notebook.fails("%rtserver --port 1")


def test_a_port_in_use_is_a_sentence(notebook: Notebook) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        trouble = notebook.fails(f"%rtserver --port {port}")
    assert trouble == f"Port {port} on 127.0.0.1 is in use. Take a free one: %rtserver"


def test_stop_ends_the_server_and_start_makes_another(notebook: Notebook) -> None:
    notebook.run("%rtserver")
    assert "stopped. Start it again: %rtserver" in notebook.run("%rtserver stop")
    assert discovery.entries() == []
    notebook.run("%rtserver")
    assert len(discovery.entries()) == 1


def test_status_says_whether_there_is_one_and_who_uses_it(notebook: Notebook) -> None:
    assert notebook.run("%rtserver status") == "No server runs in this kernel. Start one: %rtserver\n"
    notebook.run("%rtserver")
    assert re.search(
        r"Server running at ws://.* \(this kernel\): connections 0, topics 0",
        notebook.run("%rtserver status"),
    )


@pytest.mark.parametrize("action", ["stop", "token"])
def test_without_a_server_the_others_say_how_to_start_one(notebook: Notebook, action: str) -> None:
    assert notebook.fails(f"%rtserver {action}") == "No server runs in this kernel. Start one: %rtserver"


def test_a_server_of_the_users_own_is_shown_and_left_to_the_user(notebook: Notebook) -> None:
    with serve() as own:
        assert f"Server running at {own.url} (this kernel)" in notebook.run("%rtserver")
        assert "was started by rt.serve()" in notebook.fails("%rtserver stop")
        assert not own.closed


def test_a_token_is_good_for_two_hours_and_for_what_was_asked(
    notebook: Notebook, monkeypatch: pytest.MonkeyPatch
) -> None:
    import jwt

    import nbrealtime.widgets.token as box

    shown: list[tuple[str, str]] = []
    monkeypatch.setattr(box, "show_token", lambda token, *, ttl_text: shown.append((token, ttl_text)))
    notebook.run("%rtserver")
    assert notebook.run("%rtserver token ada --topics lab:* --allow subscribe") == ""
    ((token, lasting),) = shown
    claims = jwt.decode(token, options={"verify_signature": False})
    assert claims["sub"] == "ada"
    assert claims["exp"] - claims["iat"] == pytest.approx(7200, abs=1)
    assert claims["topics"] == [{"match": "lab:*", "allow": ["subscribe"]}]
    assert lasting == "2 h"


@pytest.mark.parametrize(
    ("line", "trouble"),
    [
        ("%rtserver restart", "invalid choice: 'restart'"),
        ("%rtserver --port web", "'web' is no whole number"),
        ("%rtserver start here", "unrecognized arguments: here"),
        ("%rtserver token --ttl soon", "is no duration"),
        ('%rtserver token "ada', "has no partner"),
        ("%rtserver --host nowhere.invalid", "nowhere.invalid"),
    ],
)
def test_a_wrong_line_is_one_sentence(notebook: Notebook, line: str, trouble: str) -> None:
    assert trouble in notebook.fails(line)


def test_help_is_printed_and_ends_nothing(notebook: Notebook) -> None:
    assert "usage: %rtserver" in notebook.run("%rtserver --help")
    assert "--port" in notebook.run("%rtserver start --help")


def test_unloading_stops_the_server_and_closes_what_was_opened(notebook: Notebook) -> None:
    notebook.run("%rtserver")
    notebook.run("import nbrealtime as rt\nconnection = rt.connect()\ntopic = rt.subscribe('lab:temp')")
    notebook.run("%unload_ext nbrealtime")
    assert discovery.entries() == []
    assert discovery.local() is None
    notebook.run("assert connection.state == 'closed' and topic.state == 'closed'")
    notebook.run("%load_ext nbrealtime")


def test_the_extension_can_be_loaded_twice(notebook: Notebook) -> None:
    before = notebook.run("%rtserver")
    notebook.run("%load_ext nbrealtime")
    notebook.run("%reload_ext nbrealtime")
    assert notebook.run("%rtserver").splitlines()[1] == before.splitlines()[1]


def test_the_reference_has_every_option_and_no_other() -> None:
    page = (Path(__file__).parent.parent / "docs" / "reference" / "magics.md").read_text("utf-8")
    (actions,) = (action for action in magics.build_parser()._actions if action.choices)
    assert actions.choices is not None
    options = []
    for name, parser in dict(actions.choices).items():  # type: ignore[call-overload]
        assert f"`%rtserver {name}" in page
        for option in parser._actions:
            if option.dest == "help":
                continue
            shown = option.metavar or option.dest.upper()
            label = " ".join([*option.option_strings, shown, *(["…"] if option.nargs == "+" else [])])
            options.append(f"| `{label}` | {option.help} |")
    documented = [line for line in page.splitlines() if line.startswith(("| `--", "| `NAME"))]
    assert documented == options


def test_who_lists_the_connections_and_kick_removes_them(notebook: Notebook) -> None:
    notebook.run("%rtserver")
    assert notebook.run("%rtserver who") == "Nobody is connected.\n"
    assert "Nobody of that name" in notebook.fails("%rtserver kick ada")
    entry = discovery.local()
    assert entry is not None
    server = magics._server
    assert server is not None
    token = server.token("ada\x1b[2J", name="Ada")
    with connect(f"{entry.url}/ws?token={token}") as client:
        client.recv(timeout=10)
        head, line = notebook.run("%rtserver who").splitlines()
        assert head.split() == ["CONNECTION", "USER", "NAME", "TOPICS", "SINCE", "FROM"]
        assert "Ada" in line
        assert "\x1b" not in line, "a name may not move the cursor"
        name = line.split()[0]
        assert f"{name} removed: 1 connection." in notebook.run(f"%rtserver kick {name}")
        assert "removed by the operator" in str(client.recv(timeout=10))
        with pytest.raises(ConnectionClosed) as closed:
            client.recv(timeout=10)
        assert closed.value.rcvd is not None
        assert closed.value.rcvd.code == 4503
    assert notebook.run("%rtserver who") == "Nobody is connected.\n"


@pytest.mark.parametrize("line", ["%rtserver who", "%rtserver kick ada"])
def test_without_a_server_nobody_is_there(notebook: Notebook, line: str) -> None:
    assert notebook.fails(line) == "No server runs in this kernel. Start one: %rtserver"


def test_history_can_live_in_a_file(notebook: Notebook, tmp_path: Path) -> None:
    line = f"%rtserver --store sqlite:///{tmp_path}/lab.db --history lab:*=5 100,1h"
    assert notebook.run(line) == notebook.run(line)
    assert (tmp_path / "lab.db").exists()
    assert notebook.run("%rtserver").startswith("Server running")
    assert "To move it" in notebook.fails("%rtserver --store memory")
    notebook.run("%rtserver stop")
    assert "is no store" in notebook.fails("%rtserver --store lab.db")
