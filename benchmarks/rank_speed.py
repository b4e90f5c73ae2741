"""`flawline rank` as a user runs it: seconds from a zip to the report, and a large set's memory and rate.

The large set holds the same pictures again and again under other names; the time that a picture takes does not depend
on what it shows.
"""

from __future__ import annotations

import argparse
import os
import statistics
import subprocess
import sys
import tempfile
import time
import zipfile
from pathlib import Path

import numpy as np


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data", required=True, type=Path, help="zip of pictures")
    parser.add_argument("--few", type=int, default=112)
    parser.add_argument("--many", type=int, default=10_000)
    parser.add_argument("--rounds", type=int, default=5)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        few = repeated(options.data, Path(folder) / "few.zip", options.few)
        runs = [run("rank", few, folder) for _ in range(options.rounds)]
        print(f"rank, {options.few} pictures, zip to report: {said(runs)}")
        many = repeated(options.data, Path(folder) / "many.zip", options.many)
        ranked, features = run("rank", many, folder), run("features", many, folder)
        print(f"rank, {options.many} pictures: {said([ranked])}")
        print(f"features (embedding), {options.many} pictures: {said([features])}")
        print(f"rate of rank to rate of features: {features[0] / ranked[0]:.2f}")


def repeated(data: Path, path: Path, count: int) -> Path:
    """A zip of `count` pictures drawn from `data`, again and again where it has fewer."""
    with zipfile.ZipFile(data) as source, zipfile.ZipFile(path, "w") as out:
        names = sorted(name for name in source.namelist() if not name.endswith("/"))
        order = np.random.default_rng(0).permutation(len(names))
        for index in range(count):
            name = names[order[index % len(names)]]
            folder, _, file = name.rpartition("/")
            # Bytes behind a picture's end change no pixel, but its hash: no row may be taken for known.
            data = source.read(name) + index.to_bytes(4, "big")
            out.writestr(f"{folder}/{index:06d}_{file}", data)
    return path


def run(command: str, source: Path, folder: str) -> tuple[float, float]:
    """Seconds and peak memory in MiB of one command in a process of its own."""
    target = {"rank": "ranking", "features": "features.parquet"}[command]
    arguments = [command, str(source), "-o", f"{folder}/{target}", "--quiet", "--json"]
    if command == "features":
        arguments += ["--features", "embedding"]
    started = time.perf_counter()
    process = subprocess.Popen(
        [sys.executable, "-m", "flawline", *arguments], stdout=subprocess.DEVNULL
    )
    _, status, usage = os.wait4(process.pid, 0)
    if status:
        sys.exit(f"{command} ended with status {status}")
    return time.perf_counter() - started, usage.ru_maxrss / 1024


def said(runs: list[tuple[float, float]]) -> str:
    seconds, memory = [run[0] for run in runs], max(run[1] for run in runs)
    spread = f"{min(seconds):.1f} to {max(seconds):.1f}"
    return f"median {statistics.median(seconds):.1f} s ({spread}), peak {memory:.0f} MiB"


if __name__ == "__main__":
    main()
