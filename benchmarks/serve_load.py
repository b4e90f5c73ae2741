"""A server under load: verdicts per second and waiting times, then twice what it can, then whether it recovers.

Taken in turn on one machine: `flawline inspect` with records, streamed; the server for `--seconds` with as many
connections as keep it busy; the server with pictures due at twice that rate, where it must refuse some (429) and its
memory must stay flat; and the server as at first. After each the records must hold as many
inspections as requests were answered. The load comes from a process of its own and takes part of the cores.

python benchmarks/serve_load.py --recipe light.flaw --data PATH/pictures
"""

from __future__ import annotations

import argparse
import statistics
import subprocess
import sys
import tempfile
import threading
import time
from pathlib import Path

from flawline.data.cores import cpu_count
from flawline.data.source import open_source
from flawline.records import open_store
from flawline.records.where import Where
from served import Answers, Served, free_port, load

WARM = 5.0


def main() -> None:
    """Print the figures."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--recipe", required=True, type=Path)
    parser.add_argument("--data", required=True, help="any source of pictures")
    parser.add_argument("--seconds", type=float, default=60.0)
    parser.add_argument("--connections", type=int, default=8)
    parser.add_argument("--rounds", type=int, default=5, help="of flawline inspect")
    options = parser.parse_args()
    with open_source(options.data) as source:
        pictures = [source.read(sample.name) for sample in source.samples()]
    print(f"{len(pictures)} pictures, {cpu_count()} cores, {options.connections} connections")
    with tempfile.TemporaryDirectory() as folder:
        streamed = streamed_rates(options, Path(folder), len(pictures))
        usual = statistics.median(streamed)
        print(f"streamed   {usual:.1f} ({min(streamed):.1f} to {max(streamed):.1f}) pictures/s")
        serve(options, Path(folder) / "data", pictures, usual)


def streamed_rates(options: argparse.Namespace, folder: Path, pictures: int) -> list[float]:
    """Measure `flawline inspect` with records: pictures per second, its start left out."""
    few, rates = folder / "few", []
    few.mkdir()
    with open_source(options.data) as source:
        name = next(iter(source.samples())).name
        (few / Path(name).name).write_bytes(source.read(name))
    for k in range(options.rounds):
        start = inspected(options.recipe, str(few), folder / f"a{k}")
        rates.append(
            (pictures - 1) / (inspected(options.recipe, options.data, folder / f"b{k}") - start)
        )
    return rates


def inspected(recipe: Path, data: str, folder: Path) -> float:
    """Return the seconds of `flawline inspect`."""
    command = [sys.executable, "-m", "flawline", "inspect", str(recipe), data, "--quiet"]
    command += ["--out", str(folder), "--store", f"{folder}.db", "--overlays", "none"]
    begun = time.monotonic()
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode == 2:
        raise SystemExit(done.stderr)
    return time.monotonic() - begun


def serve(options: argparse.Namespace, data: Path, pictures: list[bytes], streamed: float) -> None:
    """Load a server, overload it, and load it again."""
    served = Served(data, options.recipe, free_port())
    idle = served.memory()
    print(f"ready after {served.ready_s:.2f} s, {idle:.0f} MB")
    load(served, pictures, seconds=WARM, connections=options.connections)
    full = load(served, pictures, seconds=options.seconds, connections=options.connections)
    print(f"full load  {full.line()}; {full.rate() / streamed:.2f} x streamed")
    over, memory = overloaded(served, pictures, 2 * full.rate(), options.seconds / 2)
    spread = f"{memory[len(memory) // 4]:.0f} MB after a quarter, {memory[-1]:.0f} at the end"
    print(f"twice that {over.line()}; memory {spread}, {max(memory):.0f} at most")
    after = load(served, pictures, seconds=WARM * 2, connections=options.connections)
    print(f"afterwards {after.line()}; {after.rate() / full.rate():.2f} x full load")
    code = served.end()
    with open_store(str(data / "records.db")) as store:
        kept = {one.record.frame_key for one in store.page(Where(), count=10**7).items}
        total = store.count(Where())
    for name, found in (("full load", full), ("twice that", over), ("afterwards", after)):
        missing = len(found.keys - kept)
        print(f"{name}: {len(found.keys)} verdicts answered, {missing} not in the records")
    print(f"{total} inspections, {len(kept)} keys; the server ended with {code}")


def overloaded(
    served: Served, pictures: list[bytes], rate: float, seconds: float
) -> tuple[Answers, list[float]]:
    """Send pictures at a fixed rate, and look at the memory of the server twice a second."""
    memory, done = [served.memory()], threading.Event()

    def watch() -> None:
        while not done.wait(0.5):
            memory.append(served.memory())

    watcher = threading.Thread(target=watch)
    watcher.start()
    found = load(served, pictures, seconds=seconds, connections=160, rate=rate)
    done.set()
    watcher.join()
    return found, memory


if __name__ == "__main__":
    main()
