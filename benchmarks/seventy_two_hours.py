"""Whether a station that runs for three days keeps its memory and its file handles: 72 hours, compressed.

    python benchmarks/seventy_two_hours.py [--frames 1000000] [--store records.db or postgresql://...] [--side 64]
        [--minutes 0]

A station with records judges small frames one after the other, as fast as it can; their captured times are spread over
72 hours. One frame in a hundred has a spot, and pictures of parts that were not accepted are kept. Memory (resident)
and open file handles are sampled every 500 frames, or a hundred times where those are more often. Growth is that of a
straight line through the samples after the first fifth, over their whole length, in percent of the first of them.
`--minutes` ends the run earlier and says so.
"""

from __future__ import annotations

import argparse
import os
import time
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from tempfile import TemporaryDirectory

import cv2
import numpy as np
from numpy.typing import NDArray

import flawline
from flawline import Frame, Inspector, Station
from flawline.records import open_store
from flawline.records.pictures import open_pictures

START, LENGTH = datetime(2026, 3, 1, tzinfo=UTC), timedelta(hours=72)
POOL, SAMPLES, LIMIT = 200, 100, 5.0


@dataclass(frozen=True, slots=True)
class Sample:
    """What the process held after some frames."""

    frames: int
    memory: float
    handles: int


def main() -> None:
    """Train, run, and say whether memory and handles stayed."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--frames", type=int, default=1_000_000)
    parser.add_argument("--store", default="")
    parser.add_argument("--side", type=int, default=64)
    parser.add_argument("--minutes", type=float, default=0)
    options = parser.parse_args()
    with TemporaryDirectory() as name:
        folder = Path(name)
        for number in range(40):
            path = folder / "good" / f"{number}.png"
            path.parent.mkdir(exist_ok=True)
            cv2.imwrite(str(path), part(number, options.side))
        trained = flawline.train_anomaly(
            folder / "good", effort="none", self_test="off", method="fast"
        )
        with (
            open_store(options.store or str(folder / "records.db")) as store,
            Station(
                Inspector(trained.recipe),
                records=store,
                pictures=open_pictures(folder / "pictures"),
                constant={"station": "s1"},
            ) as station,
        ):
            began, worked = time.perf_counter(), time.process_time()
            samples = run(station, options.frames, options.side, 60 * options.minutes)
            station.flush()
            taken, busy = time.perf_counter() - began, time.process_time() - worked
            done = samples[-1].frames
            assert store.count() == done, "a frame is missing in the records, or doubled"
        told(samples, options.frames, taken, busy)


def part(seed: int, side: int, *, spot: bool = False) -> NDArray[np.uint8]:
    """A grey disc with noise, (side, side, 3), and a dark spot on it by choice."""
    random = np.random.default_rng(seed)
    pixels = np.clip(random.normal(70, 4, (side, side, 3)), 0, 255).astype(np.uint8)
    cv2.circle(pixels, (side // 2, side // 2), side // 3, (150, 150, 150), -1)
    if spot:
        cv2.circle(pixels, (side // 2 + 4, side // 2), side // 10, (10, 10, 10), -1)
    return pixels


def frames(count: int, side: int) -> Iterator[Frame]:
    """Frames of 72 hours, each with other pixels."""
    pool = [part(k, side, spot=k % 100 == 99) for k in range(POOL)]
    for number in range(count):
        pixels = pool[number % POOL].copy()
        # Its number in the lowest bits of a row: a picture of its own, and nothing to see.
        pixels[0, :32, 0] ^= np.unpackbits(np.frombuffer(number.to_bytes(4, "little"), np.uint8))
        yield Frame(
            pixels,
            name=f"{number:07}",
            part=f"P{number:07}",
            lot=f"L{number // 500:05}",
            captured=START + number * (LENGTH / count),
        )


def run(station: Station, count: int, side: int, seconds: float) -> list[Sample]:
    """Judge the frames, sampling on the way; ends after `seconds` where they are not 0."""
    samples: list[Sample] = []
    began, every = time.perf_counter(), max(1, min(count // SAMPLES, 500))
    for number, frame in enumerate(frames(count, side), start=1):
        station.inspect(frame)
        over = bool(seconds) and time.perf_counter() - began > seconds
        if number % every == 0 or number == count or over:
            samples.append(Sample(number, resident(), len(os.listdir("/proc/self/fd"))))
        if over:
            break
    return samples


def resident() -> float:
    """The memory of this process, MB."""
    pages = int(Path("/proc/self/statm").read_text("ascii").split()[1])
    return pages * os.sysconf("SC_PAGE_SIZE") / 1e6


def told(samples: list[Sample], count: int, taken: float, busy: float) -> None:
    """Print the finding and the samples behind it."""
    late = samples[len(samples) // 5 :]
    places = [one.frames for one in late]
    slope, first = np.polyfit(places, [one.memory for one in late], 1)
    growth = 100 * slope * (places[-1] - places[0]) / (first + slope * places[0])
    handles = [one.handles for one in late]
    flat = abs(growth) <= LIMIT and max(handles) - min(handles) <= 2
    done = samples[-1].frames
    print(
        f"{'memory and file handles stayed' if flat else 'memory or file handles grew'}: ", end=""
    )
    print(f"{growth:+.2f} % (limit {LIMIT:.0f} %), handles {min(handles)} to {max(handles)}")
    print(
        f"{done:,} of {count:,} frames, {72 * done / count:.1f} of 72 hours, in {taken:,.0f} s: {done / taken:,.0f} "
        f"frames/s, {done / busy:,.0f} per second of the processor; {slope * 1e6:+.3f} MB per million frames"
    )
    for one in samples[:: max(1, len(samples) // 10)] + samples[-1:]:
        print(f"{one.frames:>10,} frames {one.memory:8.1f} MB {one.handles:4} handles")


if __name__ == "__main__":
    main()
