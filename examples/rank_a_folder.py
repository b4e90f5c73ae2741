"""Rank a folder, zip or manifest of pictures, print the five oddest, and write the report.

    python examples/rank_a_folder.py [SOURCE] [OUT]

Without a source, sample castings are drawn into a temporary folder.
"""

from __future__ import annotations

import sys
import tempfile
from pathlib import Path

import flawline
from flawline.jobs.rank.ranking import recall
from flawline.jobs.rank.ranking_files import write_ranking


def main(location: Path, out: Path) -> None:
    out.mkdir(parents=True, exist_ok=True)
    with flawline.open_source(location) as source:
        ranking, _ = flawline.rank(source, top_n=5)
        *_, report = write_ranking(ranking, source, out)
    for picture in ranking.pictures[:5]:
        why = picture.reasons[0].text if picture.reasons else "no reason given"
        print(f"{picture.rank}  {picture.score:.3f}  {picture.sample.name}  {why}")
    for item in ranking.unjudged:
        print(f"not judged: {item.image}: {item.reason}")
    known = recall(ranking)  # None unless the folders or the manifest say what is good and bad
    if known:
        print(known.sentence)
    print(f"report: {report}")


if __name__ == "__main__":
    with tempfile.TemporaryDirectory() as scratch:
        if len(sys.argv) > 1:
            parts = Path(sys.argv[1])
        else:
            parts = Path(scratch) / "parts"
            flawline.synth_castings(parts, good=30, bad=3, size=128)
        main(parts, Path(sys.argv[2]) if len(sys.argv) > 2 else Path(scratch) / "ranking")
