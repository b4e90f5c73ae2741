"""Write the trials of a set-up as rows of a table."""

from __future__ import annotations

from dataclasses import dataclass

from flawline.jobs.train.setup.chosen_set_up import SetUp


@dataclass(frozen=True, slots=True)
class TriedRow:
    """A row: the `stage`, the `candidate` in words, escapes and AUROC or why there are none, and whether `chosen`."""

    stage: str
    candidate: str
    escapes: str
    auroc: str
    problem: str
    chosen: bool


def tried_rows(found: SetUp) -> tuple[TriedRow, ...]:
    """Give one row for each candidate, in the order of trials."""
    rows = []
    for trial in found.trials:
        missed = None if trial.scores is None else trial.escapes(found.overkill)
        rows.append(
            TriedRow(
                trial.stage,
                trial.candidate.text,
                "" if missed is None else f"{missed.hits} of {missed.of}",
                "" if trial.scores is None else f"{trial.scores.auroc:.3f}",
                trial.problem,
                trial.candidate == found.chosen,
            )
        )
    return tuple(rows)
