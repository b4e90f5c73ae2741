"""Judge a training: by its test where there is one, else by known bad parts."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from flawline.core.metrics import Share
from flawline.core.recipe_verdict import RecipeVerdict, recipe_verdict
from flawline.jobs.train.train_anomaly import AnomalyTraining


def training_verdict(trained: AnomalyTraining) -> RecipeVerdict:
    """Say whether the recipe can be used, from parts that it did not learn from."""
    metrics = trained.recipe.manifest.metrics
    calibration = metrics["calibration"]
    if not calibration["parts"]:
        return RecipeVerdict("no", "One good part and no more: every part goes to review")
    promised = _promised(metrics)
    rates = trained.test.rates if trained.test is not None else None
    rejected = rates.overkill.parts if rates is not None and rates.overkill else None
    held = None
    if rates is not None and rejected is not None and rates.good_to_review is not None:
        held = Share(rejected.hits + rates.good_to_review.parts.hits, rejected.of)
    if rates is not None and rates.escape is not None:
        return recipe_verdict(
            rates.escape.parts,
            known="held-out bad parts",
            overkill=rejected,
            promised=promised,
            held=held,
        )
    # With a golden sample a bad part is missed only where that misses it too.
    escape = (metrics.get("golden") or metrics.get("defective", {})).get("escape")
    missed = None if escape is None else Share(escape["count"], escape["of"])
    known = "known bad parts"
    if trained.set_up is not None and trained.set_up.known:
        known += ", by which the set-up was chosen,"
    return recipe_verdict(missed, known=known, overkill=rejected, promised=promised, held=held)


def _promised(metrics: Mapping[str, Any]) -> float | None:
    """Return the overkill that calibration promises, or found where costs decide."""
    calibration = metrics["calibration"]
    if "reject" in calibration:
        return float(calibration["reject"]["at_most"])
    return float(calibration["overkill"]["share"]) if "overkill" in calibration else None


def counts_of_test(trained: AnomalyTraining) -> dict[str, Any] | None:
    """Count the parts of the test by what became of them; None without a test."""
    if trained.test is None:
        return None
    rates = trained.test.rates

    def counts(name: str) -> tuple[int, int]:
        rate = getattr(rates, name)
        return (0, 0) if rate is None else (rate.parts.hits, rate.parts.of)

    (escapes, bad), (overkill, good) = counts("escape"), counts("overkill")
    return {
        "bad": bad,
        "good": good,
        "escapes": escapes,
        "overkill": overkill,
        "bad_to_review": counts("bad_to_review")[0],
        "good_to_review": counts("good_to_review")[0],
        "auroc": None if trained.test.auroc is None else trained.test.auroc.value,
        "missed": [
            picture.sample.name
            for picture in trained.test.pictures
            if picture.defective and picture.verdict == "accept"
        ],
    }
