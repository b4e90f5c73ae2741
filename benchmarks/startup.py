"""Seconds to start: `flawline --help` and `import flawline`, median of 10, beside an empty interpreter."""

from __future__ import annotations

import statistics
import subprocess
import sys
import time

COMMANDS = {
    "empty interpreter": ["-c", "pass"],
    "import flawline (budget 0.15 s)": ["-c", "import flawline"],
    "flawline --help (budget 0.3 s)": ["-m", "flawline", "--help"],
}


def main() -> None:
    for name, arguments in COMMANDS.items():
        times = [run(arguments) for _ in range(11)][1:]
        print(f"{name:34s} median {statistics.median(times):.3f} s  (most {max(times):.3f} s)")


def run(arguments: list[str]) -> float:
    started = time.perf_counter()
    subprocess.run([sys.executable, *arguments], check=True, stdout=subprocess.DEVNULL)
    return time.perf_counter() - started


if __name__ == "__main__":
    main()
