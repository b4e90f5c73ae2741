"""How fast Flawline starts and a recipe loads, beside an empty interpreter.

    python benchmarks/startup.py [--recipe PART.flaw ...] [--rounds 15]

Seconds of `flawline --help` and `import flawline`, median of 10 after one that warms the file cache. Milliseconds in
which OpenVINO starts, once for a process: its import, which loading does not count, and its CPU plugin, which the
first load of a process does. For each recipe, milliseconds of `Inspector.open`, imports not counted: the first one of
a process, median over processes of their own, and later ones in a process that has opened it before; with the
compiled network kept from an earlier start and without (FLAWLINE_KEEP_COMPILED=0), in turns. A folder of its own
serves as cache.
"""

from __future__ import annotations

import argparse
import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

COMMANDS = {
    "empty interpreter": ["-c", "pass"],
    "import flawline (budget 0.15 s)": ["-c", "import flawline"],
    "flawline --help (budget 0.3 s)": ["-m", "flawline", "--help"],
}
RUNTIME = """
import json, time
import flawline.inspector
began = time.perf_counter()
import openvino
imported = time.perf_counter()
openvino.Core().get_property("CPU", "FULL_DEVICE_NAME")
print(json.dumps([1000 * (imported - began), 1000 * (time.perf_counter() - imported)]))
"""
LATER = 4
OPEN = f"""
import json, sys, time
import openvino
from flawline.inspector import Inspector

def opened():
    wall, busy = time.perf_counter(), time.process_time()
    inspector = Inspector.open(sys.argv[1])
    times = 1000 * (time.perf_counter() - wall), 1000 * (time.process_time() - busy)
    time.sleep(0.05)
    return times

print(json.dumps([opened() for _ in range({1 + LATER})]))
"""


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--recipe", type=Path, action="append", default=[])
    parser.add_argument("--rounds", type=int, default=15)
    options = parser.parse_args()
    for name, arguments in COMMANDS.items():
        times = [run(arguments) for _ in range(11)][1:]
        print(f"{name:34s} median {statistics.median(times):.3f} s  (most {max(times):.3f} s)")
    if options.recipe:
        runtime(options.rounds)
    for recipe in options.recipe:
        print(f"{recipe.name}, {recipe.stat().st_size / 1e6:.1f} MB, loaded (budget 200 ms):")
        with tempfile.TemporaryDirectory() as cache:
            loading(recipe, options.rounds, {**os.environ, "FLAWLINE_CACHE": cache})


def run(arguments: list[str]) -> float:
    started = time.perf_counter()
    subprocess.run([sys.executable, *arguments], check=True, stdout=subprocess.DEVNULL)
    return time.perf_counter() - started


def runtime(rounds: int) -> None:
    found = [printed(RUNTIME, [], dict(os.environ)) for _ in range(rounds)]
    for name, values in zip(("import", "CPU plugin"), zip(*found, strict=True), strict=True):
        print(
            f"OpenVINO starts: {name:17s} median {statistics.median(values):5.0f} ms, n = {rounds}"
        )


def loading(recipe: Path, rounds: int, environment: dict[str, str]) -> None:
    found: dict[str, list[list[list[float]]]] = {"kept": [], "compiled anew": []}
    times(recipe, environment)  # leaves the compiled network in the cache
    for _ in range(rounds):
        found["kept"].append(times(recipe, environment))
        found["compiled anew"].append(times(recipe, {**environment, "FLAWLINE_KEEP_COMPILED": "0"}))
    for name, processes in found.items():
        show(f"{name}, first in a process", [process[0] for process in processes])
        show(f"{name}, later ones", [one for process in processes for one in process[1:]])


def times(recipe: Path, environment: dict[str, str]) -> list[list[float]]:
    return [list(one) for one in printed(OPEN, [str(recipe)], environment)]


def printed(code: str, arguments: list[str], environment: dict[str, str]) -> list[Any]:
    """What a process of its own printed as JSON."""
    done = subprocess.run(
        [sys.executable, "-c", code, *arguments], env=environment, check=True, capture_output=True
    )
    return list(json.loads(done.stdout))


def show(name: str, values: list[list[float]]) -> None:
    walls, busy = zip(*values, strict=True)
    print(
        f"  {name:34s} median {statistics.median(walls):5.0f} ms ({min(walls):.0f} to {max(walls):.0f}), "
        f"processor time {statistics.median(busy):5.0f} ms, n = {len(values)}"
    )


if __name__ == "__main__":
    main()
