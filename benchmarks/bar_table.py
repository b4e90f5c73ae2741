"""The table of `find_defects.py`: figures of runs by set, detector and use of known bad parts."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from flawline.core.metrics import auroc

OVERKILL = 0.05
PEER = "patchcore"
HEAD = (
    "| set | detector | known bad | runs | AUROC, pictures | AUROC, parts | escapes at 5 % overkill "
    "| as judged: escapes; good not accepted | fit, s | pictures/s | MiB "
    "| PatchCore: AUROC; fit; pictures/s | AUROC by kind |"
)


@dataclass(frozen=True)
class Figures:
    """What one run says: shares of bad and good parts as (count, of); AUROC by kind of defect."""

    pictures: float
    parts: float
    escapes: tuple[int, int]
    accepted: tuple[int, int] | None
    held: tuple[int, int] | None
    kinds: dict[str, float]


def table(runs: Sequence[dict[str, Any]]) -> str:
    """One row for each set, detector and use of known bad parts: means, and the range over seeds."""
    rows: dict[tuple[str, str, bool], list[dict[str, Any]]] = defaultdict(list)
    for run in runs:
        rows[run["set"], run["detector"], run["known"]].append(run)
    lines = [HEAD, "|---" * HEAD.count(" |") + "|"]
    for (name, detector, known), found in rows.items():
        peers = rows.get((name, PEER, False), []) if detector != PEER else []
        lines.append(_row(name, detector, known, found, peers))
    versions = sorted({run["version"] for run in runs if "version" in run})
    return "\n".join([*lines, "", f"Flawline {', '.join(versions) or 'not run'}"])


def figures(run: dict[str, Any]) -> Figures:
    """Compare the scores of a run with what the pictures show."""
    names = list(run["shots"])
    bad = np.array([run["shots"][name][0] is not None for name in names])
    scores = np.array([np.inf if run["scores"][n] is None else run["scores"][n] for n in names])
    parts = [(run["shots"][name][1], bool(b)) for name, b in zip(names, bad, strict=True)]
    of_part = _most(parts, scores)
    defective = np.array([key[1] for key in of_part])
    values = np.array(list(of_part.values()))
    accepted = held = None
    if "verdicts" in run:
        passed = np.array([run["verdicts"][name] == "accept" for name in names])
        fine = np.array(list(_most(parts, ~passed).values())) == 0
        accepted = int((fine & defective).sum()), int(defective.sum())
        held = int((~fine & ~defective).sum()), int((~defective).sum())
    return Figures(
        auroc(bad, scores),
        auroc(defective, values),
        (_escapes(defective, values), int(defective.sum())),
        accepted,
        held,
        {
            kind: auroc(bad[taken], scores[taken])
            for kind in sorted({k for k, _ in run["shots"].values() if k})
            for taken in [np.array([run["shots"][name][0] in (None, kind) for name in names])]
        },
    )


def _most(parts: Sequence[tuple[str, bool]], scores: NDArray[Any]) -> dict[tuple[str, bool], float]:
    """The highest score of each part, bad and good ones; a part with a defect includes its good pictures."""
    with_defect = {part for part, bad in parts if bad}
    most: dict[tuple[str, bool], float] = {}
    for (part, bad), score in zip(parts, scores, strict=True):
        for key in {(part, bad), (part, part in with_defect)}:
            most[key] = max(most.get(key, -np.inf), float(score))
    return dict(sorted(most.items()))


def _escapes(defective: NDArray[np.bool_], scores: NDArray[np.float64]) -> int:
    """Count the bad parts at or below the threshold that at most 5 % of the good parts lie above."""
    good = np.sort(scores[~defective])
    threshold = good[len(good) - 1 - int(OVERKILL * len(good))]
    return int((scores[defective] <= threshold).sum())


def _row(
    name: str, detector: str, known: bool, runs: Sequence[dict[str, Any]], peers: Sequence[Any]
) -> str:
    found = [figures(run) for run in runs]
    rate = "streamed" if "streamed" in runs[0] else "rate"
    fit, speed = (float(np.median([run[key] for run in runs])) for key in ("fit", rate))
    cells = [
        name,
        detector,
        "yes" if known else "no",
        str(len(runs)),
        _spread(runs, [one.pictures for one in found]),
        _spread(runs, [one.parts for one in found]),
        _share([one.escapes for one in found]),
        "; ".join(_share([getattr(one, side) for one in found]) for side in ("accepted", "held")),
        f"{fit:.1f}",
        f"{speed:.0f}",
        f"{max(run['peak'] for run in runs):.0f}",
        _beside(found, fit, speed, peers),
        _kinds(found),
    ]
    return "| " + " | ".join(cells) + " |"


def _spread(runs: Sequence[dict[str, Any]], values: Sequence[float]) -> str:
    """The mean, and the lowest and highest mean of a seed."""
    by_seed: dict[int, list[float]] = defaultdict(list)
    for run, value in zip(runs, values, strict=True):
        by_seed[run["seed"]].append(value)
    means = [float(np.mean(of_seed)) for of_seed in by_seed.values()]
    span = f" ({min(means):.3f}-{max(means):.3f})" if len(means) > 1 else ""
    return f"{np.mean(means):.3f}{span}"


def _share(counts: Sequence[tuple[int, int] | None]) -> str:
    stated = [count for count in counts if count is not None]
    hits, of = sum(count[0] for count in stated), sum(count[1] for count in stated)
    return f"{100 * hits / of:.1f} % ({hits} of {of})" if of else "-"


def _beside(found: Sequence[Figures], fit: float, speed: float, peers: Sequence[Any]) -> str:
    """How far ahead of PatchCore: AUROC, how many times less time to fit, how many times more pictures."""
    if not peers:
        return "-"
    ahead = np.mean([one.pictures for one in found]) - np.mean([figures(p).pictures for p in peers])
    theirs, rate = (float(np.median([peer[key] for peer in peers])) for key in ("fit", "rate"))
    return f"{ahead:+.3f}; {theirs / fit:.1f} times; {speed / rate:.1f} times"


def _kinds(found: Sequence[Figures]) -> str:
    kinds = sorted({kind for one in found for kind in one.kinds})
    if len(kinds) < 2:
        return "-"
    means = {k: np.mean([one.kinds[k] for one in found if k in one.kinds]) for k in kinds}
    return ", ".join(f"{kind} {mean:.3f}" for kind, mean in means.items())
