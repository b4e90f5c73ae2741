"""How well the default of `train anomaly` finds defects, beside PaDiM and PatchCore of anomalib: one table, Markdown.

    python benchmarks/find_defects.py --work FOLDER --weights FOLDER --screw FOLDER --casting ZIP --tile FOLDER \\
        --kolektorsdd FOLDER --elpv FOLDER [--only screw,tile] [--python PATH] [--seeds 0,1,2] [--few N] [--table]

Sets without a path are left out. `--weights` holds resnet18_to_layer3_imagenet.onnx and .safetensors. `--python` is the
interpreter of another version of Flawline. Each detector is trained by its defaults in a process of its own: with the
embedded backbone and with ResNet-18, without and with known bad parts; and those of anomalib with ResNet-18, for the
first seed. A run that is done stays in WORK and is not repeated; give every version a folder of its own. `--table`
prints what is there.

A part is as anomalous as its most anomalous picture. At 5 % overkill: the threshold is such that at most 5 % of the
tested good parts lie above. "As judged" are the recipe's own verdicts: bad parts accepted, good parts not accepted. Of
kolektorsdd, where every part has a crack, the surfaces without it stand for a good part beside each.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from anomalib_run import run_anomalib
from bar_sets import SETS, Round, Shot, rounds_of, shortened
from bar_table import table

RESNET = "resnet18_to_layer3_imagenet"
OURS, PEERS = ("embedded", "resnet18"), ("padim", "patchcore")
SIDE, CORESET = 256, 0.01


@dataclass(frozen=True)
class Job:
    """One detector on one round of a set."""

    set: str
    seed: int
    fold: int
    detector: str
    known: bool
    round: Round

    @property
    def name(self) -> str:
        """What its files are called."""
        more = "-known" if self.known else ""
        return f"{self.set}-{self.seed}-{self.fold}-{self.detector}{more}"


def main() -> None:
    """Run what is not done, and print the table."""
    options = _options()
    options.work.mkdir(parents=True, exist_ok=True)
    for job in _jobs(options):
        out = options.work / f"{job.name}.json"
        if not out.is_file() and not options.table:
            print(f"{job.name} ...", file=sys.stderr, flush=True)
            figures = _peer(job, options) if job.detector in PEERS else _ours(job, options)
            told = {"set": job.set, "seed": job.seed, "detector": job.detector, "known": job.known}
            shots = {str(shot.path): [shot.kind, shot.part] for shot in job.round.test}
            # Under another name first: what is there is whole.
            out.with_suffix(".part").write_text(json.dumps({**told, **figures, "shots": shots}))
            out.with_suffix(".part").rename(out)
    done = [options.work / f"{job.name}.json" for job in _jobs(options)]
    print(table([json.loads(path.read_text()) for path in done if path.is_file()]))


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawTextHelpFormatter
    )
    parser.add_argument("--work", required=True, type=Path)
    parser.add_argument("--weights", required=True, type=Path)
    for name in SETS:
        parser.add_argument(f"--{name}", type=Path)
    parser.add_argument("--only", help="comma-separated sets, of those with a path")
    parser.add_argument("--detectors", default=",".join((*OURS, *PEERS)))
    parser.add_argument("--seeds", default="0,1,2")
    parser.add_argument("--python", default=sys.executable)
    parser.add_argument("--few", type=int, help="at most so many good and bad pictures of each use")
    parser.add_argument("--table", action="store_true")
    return parser.parse_args()


def _jobs(options: argparse.Namespace) -> Iterator[Job]:
    seeds = [int(text) for text in options.seeds.split(",")]
    wanted = options.only.split(",") if options.only else list(SETS)
    for name in wanted:
        data = getattr(options, name)
        if data is None:
            continue
        for seed in seeds:
            for fold, whole in enumerate(
                rounds_of(name, data.resolve(), options.work.resolve(), seed)
            ):
                round = Round(
                    *(shortened(s, options.few) for s in (whole.good, whole.known, whole.test))
                )
                for detector in options.detectors.split(","):
                    if detector in PEERS and seed != seeds[0]:
                        continue
                    yield Job(name, seed, fold, detector, False, round)
                    if detector in OURS and round.known:
                        yield Job(name, seed, fold, detector, True, round)


def _ours(job: Job, options: argparse.Namespace) -> dict[str, Any]:
    """Train and score in a process of its own; scores by path, None for a picture that cannot be judged."""
    settings: dict[str, Any] = {"part": job.set, "seed": job.seed}
    if job.detector == "resnet18":
        weights = options.weights / f"{RESNET}.onnx"
        settings |= {"backbone": str(weights.resolve()), "preparation": "imagenet"}
    learnt = (*job.round.good, *(job.round.known if job.known else ()))
    path, out = options.work / f"{job.name}.job", options.work / f"{job.name}.out"
    told = {
        "settings": settings,
        "root": str(Path(learnt[0].path.anchor)),
        "train": _rows(learnt),
        "test": _rows(job.round.test),
        "out": str(out),
    }
    path.write_text(json.dumps(told))
    script = Path(__file__).with_name("bar_detector.py")
    subprocess.run([options.python, script, path], check=True, stdout=sys.stderr)
    figures: dict[str, Any] = json.loads(out.read_text())
    return figures


def _rows(shots: tuple[Shot, ...]) -> list[dict[str, str]]:
    return [
        {"image": str(s.path), "label": "bad" if s.kind else "good", "group": s.part} for s in shots
    ]


def _peer(job: Job, options: argparse.Namespace) -> dict[str, Any]:
    paths = [str(shot.path) for shot in job.round.test]
    out = options.work / f"{job.name}.npz"
    figures: dict[str, Any] = run_anomalib(
        options.work,
        out,
        job.detector,
        options.weights / f"{RESNET}.safetensors",
        [str(shot.path) for shot in job.round.good],
        paths,
        side=SIDE,
        coreset=CORESET,
    )
    scores = np.load(out)["scores"].tolist()
    out.unlink()
    return {**figures, "scores": dict(zip(paths, scores, strict=True))}


if __name__ == "__main__":
    main()
