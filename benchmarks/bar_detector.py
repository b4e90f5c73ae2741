"""Train one detector of Flawline as its command does and score pictures; find_defects.py runs it in its own process.

Only public names of Flawline are used, so that the interpreter of an earlier version can run it too.

    python benchmarks/bar_detector.py JOB.json
"""

from __future__ import annotations

import csv
import json
import resource
import statistics
import sys
import time
from pathlib import Path
from typing import Any

import flawline

PASSES = 3


def main() -> None:
    """Fit, write and read the recipe, score; the figures go to the file that the job names."""
    path = Path(sys.argv[1])
    job: dict[str, Any] = json.loads(path.read_text())
    train = _manifest(path.with_suffix(".train.csv"), job["train"])
    test = _manifest(path.with_suffix(".test.csv"), job["test"])
    with flawline.open_source(train, root=job["root"]) as source:
        began = time.perf_counter()
        trained = flawline.train_anomaly(source, **job["settings"])
        fitted = time.perf_counter() - began
    recipe = flawline.write_recipe(trained.recipe, path.with_suffix(".flaw"))
    inspector = flawline.Inspector.open(recipe)
    rates = []
    with flawline.open_source(test, root=job["root"]) as source:
        for _ in range(PASSES):
            began = time.perf_counter()
            found = list(inspector.inspect_many(source))
            rates.append(len(found) / (time.perf_counter() - began))
    Path(job["out"]).write_text(
        json.dumps(
            {
                "version": flawline.__version__,
                "fit": fitted,
                "streamed": statistics.median(rates),
                "peak": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024,
                # A picture that cannot be judged goes to a person, as the most anomalous do; JSON has no infinity.
                "scores": {s.name: getattr(one, "score", None) for s, one in found},
                "verdicts": {s.name: getattr(one, "verdict", "review") for s, one in found},
                "messages": list(trained.messages),
            },
            indent=1,
        )
    )


def _manifest(path: Path, rows: list[dict[str, str]]) -> Path:
    with path.open("w", newline="") as file:
        writer = csv.DictWriter(file, ["image", "label", "group"])
        writer.writeheader()
        writer.writerows(rows)
    return path


if __name__ == "__main__":
    main()
