"""The package's face: what it exports, and that this is what the documentation tells."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import nbrealtime

ROOT = Path(__file__).parent.parent


def test_every_export_can_be_imported() -> None:
    for name in nbrealtime.__all__:
        assert getattr(nbrealtime, name) is not None


def test_the_reference_tells_every_export_and_no_other() -> None:
    reference = (ROOT / "docs/reference/python.md").read_text()
    told = set(re.findall(r"^#{2,4} `(?:rt\.)?(\w+)", reference, re.MULTILINE))
    assert told == {name for name in nbrealtime.__all__ if not name.startswith("_")}


def test_an_unknown_name_is_an_attribute_error() -> None:
    assert not hasattr(nbrealtime, "nonsense")


def test_the_version_is_the_projects() -> None:
    import tomllib

    assert (
        nbrealtime.__version__ == tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["version"]
    )


def test_publishing_from_a_program_imports_no_widgets() -> None:
    program = "import sys, nbrealtime.client; print([m for m in ('ipywidgets', 'anywidget', 'IPython') if m in sys.modules])"
    found = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=True, cwd=ROOT
    )
    assert found.stdout.strip() == "[]"


def test_importing_the_package_starts_nothing() -> None:
    program = "import threading, nbrealtime; print(threading.active_count())"
    found = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=True, cwd=ROOT
    )
    assert found.stdout.strip() == "1"
