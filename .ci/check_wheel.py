"""Holds an installed wheel against what it promises: front end, notebooks, commands, a demo that starts."""

from __future__ import annotations

import json
import os
import re
import signal
import subprocess
import sys
import tempfile
import time
import urllib.error
import urllib.request
from importlib import resources
from pathlib import Path

import nbrealtime

BUNDLE_LIMIT = 120_000


def main() -> None:
    home = Path(nbrealtime.__file__).parent
    assert "site-packages" in str(home), f"not the installed wheel: {home}"

    static = {file.name: file.stat().st_size for file in (home / "static").iterdir()}
    print("front end:", static)
    for bundle in ("plot", "presence", "publish", "badge", "card", "log", "token"):
        script, style = static.get(f"{bundle}.js", 0), static.get(f"{bundle}.css", 0)
        assert script > 500, f"{bundle}.js is missing"
        # A widget's script and style travel once for each widget that is made.
        assert script + style < BUNDLE_LIMIT, f"the bundle of {bundle} is over its limit"

    notebooks = resources.files("nbrealtime") / "notebooks"
    for name in ("quickstart.ipynb", "sensors.ipynb"):
        assert json.loads((notebooks / name).read_text())["cells"], name

    extension = Path(sys.prefix) / "etc/jupyter/jupyter_server_config.d/nbrealtime.json"
    assert json.loads(extension.read_text())["ServerApp"]["jpserver_extensions"], extension

    command = str(Path(sys.executable).parent / "nbrealtime")
    print(
        subprocess.run(
            [command, "--version"], check=True, capture_output=True, text=True, timeout=30
        ).stdout.strip()
    )
    demo_starts(command)


def demo_starts(command: str) -> None:
    """`nbrealtime demo` serves the quickstart; the notebook's address is what it prints."""
    with tempfile.TemporaryDirectory() as folder:
        environment = {**os.environ, "JUPYTER_RUNTIME_DIR": f"{folder}/runtime", "PYTHONUNBUFFERED": "1"}
        demo = subprocess.Popen(
            [command, "demo", "--no-browser", "--port", "0", "--directory", f"{folder}/demo"],
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            env=environment,
        )
        assert demo.stdout is not None
        try:
            signal.alarm(90)
            for line in demo.stdout:
                print("demo:", line, end="")
                if found := re.search(r"(http://127\.0\.0\.1:\d+/\S*quickstart\.ipynb\S*)", line):
                    assert answers(found[1]), "nobody serves the address that the demo prints"
                    break
            else:
                raise AssertionError("the demo ended without saying where the quickstart is")
        finally:
            signal.alarm(0)
            demo.terminate()  # a job in the background may have Ctrl-C ignored
            demo.wait(timeout=30)
        assert Path(folder, "demo", "quickstart.ipynb").exists()


def answers(url: str, seconds: float = 60.0) -> bool:
    """Whether the page comes; the demo tells the address while Jupyter is still starting."""
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        try:
            with urllib.request.urlopen(url, timeout=30) as page:
                return bool(page.status == 200)
        except urllib.error.URLError:
            time.sleep(0.2)
    return False


if __name__ == "__main__":
    main()
