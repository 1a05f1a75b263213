"""A notebook that is run and made into a page where nobody looks shows its plot in that page."""

from __future__ import annotations

import base64
import json
import os
import re
import subprocess
import sys
import xml.etree.ElementTree as ET
from pathlib import Path

import nbformat
import pytest

pytestmark = pytest.mark.kernel

REPOSITORY = Path(__file__).parents[2]

CELLS = [
    "%load_ext nbrealtime\n%rtserver",
    "import nbrealtime as rt\ntemp = rt.subscribe('lab:temp')\nplot = temp.plot(title='Headless <b>', units='°C')\nplot",
    "for value in (20, 21, 22.5):\n    rt.publish('lab:temp', value)\nheard = temp.wait(n=3, timeout=10)",
]


def convert(folder: Path, to: str) -> Path:
    """Run ``nbconvert --execute --to …`` on a notebook of `CELLS`; return what it wrote."""
    notebook = nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell(cell) for cell in CELLS])
    notebook.metadata["kernelspec"] = {"name": "python3", "display_name": "Python", "language": "python"}
    source = folder / "source.ipynb"
    nbformat.write(notebook, source)
    paths = [str(REPOSITORY), *filter(None, [os.environ.get("PYTHONPATH")])]
    done = subprocess.run(
        [
            *(sys.executable, "-m", "nbconvert", "--execute", "--to", to),
            *("--output", "made", "--output-dir", str(folder), str(source)),
        ],
        env={**os.environ, "PYTHONPATH": os.pathsep.join(paths), "IPYTHONDIR": str(folder / "ipython")},
        capture_output=True,
        text=True,
        timeout=50,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return folder / ("made.html" if to == "html" else "made.ipynb")


def test_the_page_has_the_picture_and_no_widget(tmp_path: Path) -> None:
    page = convert(tmp_path, "html").read_text(encoding="utf-8")
    pictures = re.findall(r'src="data:image/svg\+xml;base64,([^"]+)"', page)
    assert len(pictures) == 1
    words = ET.fromstring(base64.b64decode(pictures[0])).findtext("{http://www.w3.org/2000/svg}title")
    assert words is not None
    assert words.startswith("Headless <b>: lab:temp 22.5 °C: As of ")
    assert '<script type="application/vnd.jupyter.widget-view+json"' not in page
    assert "Error" not in re.sub(r"<(script|style).*?</\1>", "", page, flags=re.DOTALL)


def test_the_notebook_has_both_pictures_in_the_plots_output(tmp_path: Path) -> None:
    made = json.loads(convert(tmp_path, "notebook").read_text(encoding="utf-8"))
    [output] = made["cells"][1]["outputs"]
    assert output["output_type"] == "display_data"
    assert set(output["data"]) == {"image/svg+xml", "image/png", "text/plain"}
    about = output["metadata"]["image/png"]
    assert (about["width"], about["height"]) == (800, 280)
    assert about["alt"] == "".join(output["data"]["text/plain"])
    assert made["cells"][2]["outputs"] == []
