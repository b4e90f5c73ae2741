"""How well `flawline compare-golden` finds the defects of printed boards, each beside its own template. Prints a table.

    python benchmarks/golden_pcb.py [DATA]

DATA (default: the variable FLAWLINE_TEST_DATA) holds `deeppcb/`: pairs of a template and a tested picture of the same
place, and the boxes of the defects. Folds are by design: slack, contrast and the least strength of a region are chosen
on the other designs, as those that find most boxes with at most one false region a picture, and counted on the one left
out. A box is found where the middle of a region that counts lies in it; a region whose middle lies in no box is false.
"""

from __future__ import annotations

import itertools
import os
import sys
import time
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from flawline.core.golden.differences import STRENGTH, GoldenSettings, compare_with_golden
from flawline.core.golden.reference import make_golden
from flawline.core.metrics import Share
from flawline.data.image import read_image
from flawline.data.stream import in_order

KINDS = ("open", "short", "mousebite", "spur", "copper", "pin-hole")
MISSING = ("open", "mousebite", "pin-hole")
CHOICES = tuple(itertools.product((1, 2, 3), (40, 80)))
Box = tuple[int, int, int, int, int]


@dataclass(frozen=True, slots=True)
class Place:
    """A region: its strength, its middle, and whether it is called missing."""

    strength: float
    x: float
    y: float
    missing: bool


@dataclass(frozen=True, slots=True)
class Pair:
    """A tested picture: its design, its boxes, and its regions by slack and contrast."""

    design: str
    boxes: tuple[Box, ...]
    places: dict[tuple[int, int], tuple[Place, ...]]


def main() -> None:
    data = Path(sys.argv[1] if len(sys.argv) > 1 else os.environ.get("FLAWLINE_TEST_DATA", "."))
    tested = sorted((data / "deeppcb").rglob("*_test.jpg"))
    if not tested:
        sys.exit("give the folder that holds deeppcb/")
    began = time.perf_counter()
    pairs = [pair for _, pair in in_order(tested, read)]
    seconds = (time.perf_counter() - began) / len(pairs) / len(CHOICES)
    print(
        f"{len(pairs)} pairs, {sum(len(pair.boxes) for pair in pairs)} boxes, {seconds:.2f} s a comparison\n"
    )
    print(
        "| design left out | pictures | slack, contrast, least chosen | boxes found | 95 % | false regions a picture |"
    )
    print("|---|---|---|---|---|---|")
    kinds: Counter[tuple[str, bool]] = Counter()
    right: Counter[str] = Counter()
    for design in sorted({pair.design for pair in pairs}):
        others = [pair for pair in pairs if pair.design != design]
        own = [pair for pair in pairs if pair.design == design]
        choice, least = chosen(others)
        print(
            f"| {design} | {len(own)} | {choice[0]}, {choice[1]}, {least:.2f} | {row(own, choice, least)} |"
        )
        count(own, choice, least, kinds, right)
    settings = GoldenSettings()
    choice = settings.slack, settings.contrast
    text = f"{choice[0]}, {choice[1]}, {settings.least:.2f} | {row(pairs, choice, settings.least)}"
    print(f"| all, by the defaults | {len(pairs)} | {text} |")
    print(
        "\n| kind | found in folds | called right, missing or extra, by material dark |\n|---|---|---|"
    )
    for kind in KINDS:
        found, lost = kinds[kind, True], kinds[kind, False]
        print(f"| {kind} | {found} of {found + lost} | {right[kind]} of {found} |")


def read(path: Path) -> Pair:
    tested = read_image(path).pixels
    golden = make_golden([read_image(Path(str(path).replace("_test", "_temp"))).pixels])
    lines = Path(str(path).replace("_test.jpg", ".txt")).read_text(encoding="utf-8").splitlines()
    boxes = tuple(tuple(map(int, line.split())) for line in lines if line.strip())
    places = {}
    for slack, contrast in CHOICES:
        settings = GoldenSettings(slack=slack, contrast=contrast, material="dark")
        regions = compare_with_golden(golden, tested, settings).regions
        places[slack, contrast] = tuple(
            Place(
                one.measures[STRENGTH],
                one.box[0] + one.box[2] / 2,
                one.box[1] + one.box[3] / 2,
                one.label == "missing",
            )
            for one in regions
        )
    return Pair(path.parent.name, boxes, places)  # type: ignore[arg-type]


def chosen(pairs: Sequence[Pair]) -> tuple[tuple[int, int], float]:
    """Slack, contrast and least strength that find most boxes with at most one false region a picture.

    The least strength is half that of the weakest box found, for a margin, where that is above the strength that one
    false region a picture has. Of choices that find as many boxes, the one with the fewest false regions is taken.
    """
    ranked = []
    for choice in CHOICES:
        false = [
            place.strength
            for pair in pairs
            for place in pair.places[choice]
            if not hits(pair, place)
        ]
        limit = (sorted(false, reverse=True) + [0.0] * (len(pairs) + 1))[len(pairs)]
        found = [top for pair in pairs for top in strongest(pair, choice) if top > limit]
        least = max(limit, min(found) / 2)
        ranked.append((len(found), -sum(one > least for one in false), choice, least))
    best = max(ranked)
    return best[2], best[3]


def row(pairs: Sequence[Pair], choice: tuple[int, int], least: float) -> str:
    found = [one for pair in pairs for one in found_boxes(pair, choice, least)]
    false = sum(
        place.strength > least and not hits(pair, place)
        for pair in pairs
        for place in pair.places[choice]
    )
    share = Share(sum(found), len(found))
    low, high = share.interval
    interval = f"{100 * low:.1f} to {100 * high:.1f} %"
    text = f"{sum(found)} of {len(found)} = {100 * share.value:.1f} %"
    return f"{text} | {interval} | {false / len(pairs):.2f}"


def count(
    pairs: Sequence[Pair],
    choice: tuple[int, int],
    least: float,
    kinds: Counter[tuple[str, bool]],
    right: Counter[str],
) -> None:
    for pair in pairs:
        for box, found in zip(pair.boxes, found_boxes(pair, choice, least), strict=True):
            kind = KINDS[box[4] - 1]
            kinds[kind, found] += 1
            inside = [p for p in pair.places[choice] if p.strength > least and within(box, p)]
            right[kind] += bool(inside) and max(inside, key=lambda p: p.strength).missing == (
                kind in MISSING
            )


def found_boxes(pair: Pair, choice: tuple[int, int], least: float) -> list[bool]:
    return [top > least for top in strongest(pair, choice)]


def strongest(pair: Pair, choice: tuple[int, int]) -> list[float]:
    """The strength of the strongest region in each box, 0 where there is none."""
    places = pair.places[choice]
    return [max((p.strength for p in places if within(box, p)), default=0.0) for box in pair.boxes]


def hits(pair: Pair, place: Place) -> bool:
    return any(within(box, place) for box in pair.boxes)


def within(box: Box, place: Place) -> bool:
    return box[0] <= place.x <= box[2] and box[1] <= place.y <= box[3]


if __name__ == "__main__":
    main()
