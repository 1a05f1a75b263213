"""How long ``import nbrealtime`` takes beyond what its dependencies take themselves.

    python benchmarks/imports.py [--rounds 9]

Fresh interpreters, the two side by side and interleaved: one imports the
dependencies alone, the other every name that nbrealtime exports, which imports
every one of its modules and the same dependencies. The difference of the
medians is ours. Each module's file cache is warm after the first, uncounted round.
"""

from __future__ import annotations

import argparse
import statistics
import subprocess
import sys
import time

DEPENDENCIES = (
    "import aiohttp.web, anywidget, IPython, ipywidgets, jwt, msgspec, numpy, psutil, traitlets, "
    "websockets.asyncio.client, websockets.server, jupyter_core.paths, cryptography.hazmat.primitives.asymmetric.ec"
)
EVERYTHING = "import nbrealtime; [getattr(nbrealtime, name) for name in nbrealtime.__all__]"
LIMIT_SECONDS = 0.5


def seconds(program: str) -> float:
    """Returns how long a fresh interpreter takes for ``program``."""
    start = time.perf_counter()
    subprocess.run([sys.executable, "-c", program], check=True)
    return time.perf_counter() - start


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--rounds", type=int, default=9)
    rounds = parser.parse_args().rounds

    programs = {
        "nothing": "pass",
        "the dependencies": DEPENDENCIES,
        "import nbrealtime": f"{DEPENDENCIES}; import nbrealtime",
        "every export": f"{DEPENDENCIES}; {EVERYTHING}",
    }
    taken: dict[str, list[float]] = {name: [] for name in programs}
    for turn in range(rounds + 1):
        for name, program in programs.items():
            measured = seconds(program)
            if turn:
                taken[name].append(measured)
    medians = {name: statistics.median(values) for name, values in taken.items()}
    for name, median in medians.items():
        print(
            f"{name:20} {median * 1000:7.0f} ms   {median / medians['the dependencies']:5.2f} × the dependencies"
        )
    ours = medians["every export"] - medians["the dependencies"]
    print(
        f"\nbeyond the dependencies: {ours * 1000:.0f} ms ({'within' if ours < LIMIT_SECONDS else 'OVER'} {LIMIT_SECONDS} s)"
    )


if __name__ == "__main__":
    main()
