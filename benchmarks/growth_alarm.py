"""How early `study growth` alarms on unlabelled pictures of a ball screw on which pits grow. Prints a table.

    python benchmarks/growth_alarm.py [DATA]

DATA (default: FLAWLINE_TEST_DATA) holds `bsdata/`: 5 places, 69 shots each; the camera moved before shot 57.
The pictures are given with place and time, without a mask. An alarm is raised by the second of two shots in a row
above the limit. "on time" is an alarm that stands, or is raised, within 3 shots of the first annotated pit; "false" are
alarms that ended before it. At 585000 shots 27 and 28 are annotated and those up to 43 are not: both beginnings are
counted.
"""

from __future__ import annotations

import argparse
import csv
import os
import shutil
import tempfile
from collections import defaultdict
from collections.abc import Iterator
from pathlib import Path

import flawline
from flawline.jobs.study.growing_place import GrowingPlace, GrowthStudy

LATE = 3
FIRST_SHOTS = 12


def first_pits(rows: list[dict[str, str]]) -> list[int]:
    """Shots on which annotations begin: after every gap of 10 shots or more."""
    marked = [shot for shot, row in enumerate(rows) if row["annotated"] == "1"]
    return [shot for k, shot in enumerate(marked) if k == 0 or shot - marked[k - 1] > 10]


def studied(data: Path, places: dict[str, list[dict[str, str]]]) -> GrowthStudy:
    """Study the pictures alone."""
    with tempfile.TemporaryDirectory() as folder:
        manifest = Path(folder) / "shots.csv"
        shutil.copytree(data / "images", Path(folder) / "images")
        with manifest.open("w", newline="") as file:
            table = csv.writer(file)
            table.writerow(["image", "part", "captured"])
            for name, rows in places.items():
                table.writerows([row["file"], name, row["timestamp"]] for row in rows)
        return flawline.study_growth(pictures=manifest, first_shots=FIRST_SHOTS)


def told(place: GrowingPlace, pits: list[int]) -> Iterator[str]:
    """One row for each beginning of annotations."""
    alarms = [(first + FIRST_SHOTS + 1, last + FIRST_SHOTS) for first, last in place.alarms]
    for pit in pits:
        standing = [raised for raised, last in alarms if raised <= pit + LATE and last >= pit]
        later = [raised for raised, _ in alarms if raised >= pit]
        at = standing[0] if standing else later[0] if later else None
        false = sum(last < pit for _, last in alarms)
        when = "never" if at is None else f"{at} ({at - pit:+d})"
        yield f"{place.name:8} {pit:5} {when:>10} {'yes' if standing else 'no':>8} {false:6}"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("data", nargs="?", default=os.environ.get("FLAWLINE_TEST_DATA", "."))
    data = Path(parser.parse_args().data) / "bsdata"
    places: dict[str, list[dict[str, str]]] = defaultdict(list)
    with (data / "index.csv").open() as file:
        for row in csv.DictReader(file):
            places[row["position_um_or_code"]].append(row)
    for rows in places.values():
        rows.sort(key=lambda row: row["timestamp"])
    found = studied(data, places)
    print("place    first pit     raised  on time  false  (shots from 0)")
    for place in sorted(found.places, key=lambda one: one.name):
        for line in told(place, first_pits(places[place.name])):
            print(line)
        moved = [shot + FIRST_SHOTS for shot in place.moved]
        print(f"         another framing from shot {moved}")


if __name__ == "__main__":
    main()
