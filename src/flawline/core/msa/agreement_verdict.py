"""Say in plain words whether people and machines agree well enough, and who decides otherwise.

Limits of AIAG, "Measurement Systems Analysis", 4th ed. 2010, table III-C 5: effectiveness, miss rate and false-alarm
rate; kappa above 0.75 is good agreement, below 0.4 poor.
"""

from __future__ import annotations

from flawline.core.basis_verdict import BasisVerdict
from flawline.core.msa.agreement import AgreementResult, RaterResult, Share
from flawline.core.recipe_verdict import Usable
from flawline.core.words import counted

EFFECTIVE = (0.90, 0.80)
MISSED = (0.02, 0.05)
ALARMED = (0.05, 0.10)
KAPPA = (0.75, 0.40)
FEW_PARTS = 20
ORDER: tuple[Usable, ...] = ("no", "not alone", "yes")


def rater_class(one: RaterResult) -> Usable:
    """Judge a rater against the standard: "yes" acceptable, "not alone" marginal, "no" not acceptable."""
    assert one.right is not None
    classes = [_class(one.right.value, *EFFECTIVE, high=True)]
    if one.missed is not None:
        classes.append(_class(one.missed.value, *MISSED, high=False))
    if one.alarmed is not None:
        classes.append(_class(one.alarmed.value, *ALARMED, high=False))
    return min(classes, key=ORDER.index)


def _class(value: float, good: float, least: float, *, high: bool) -> Usable:
    sign = 1 if high else -1
    if sign * value >= sign * good - 1e-12:
        return "yes"
    return "not alone" if sign * value >= sign * least - 1e-12 else "no"


def agreement_verdict(found: AgreementResult, parts: int) -> BasisVerdict:
    """Judge all raters: the worst against the standard, else kappa between them, else within the one."""
    by = f"By {counted(parts, 'part')} and {counted(len(found.raters), 'rater')}"
    if found.raters[0].right is not None:
        usable = min((rater_class(one) for one in found.raters), key=ORDER.index)
        said = {
            "yes": "Every rater is good enough by the limits of AIAG",
            "not alone": "Some raters are marginal by the limits of AIAG",
            "no": "Some raters are not acceptable by the limits of AIAG",
        }[usable]
    else:
        kappa = found.together_kappa or found.raters[0].within_kappa
        if kappa is None:
            return BasisVerdict("unknown", f"No kappa can be computed. {by}")
        usable = _class(kappa.value, *KAPPA, high=True)
        said = f"Kappa {kappa.value:.2f}; {KAPPA[0]:g} is good, less than {KAPPA[1]:g} poor"
    if parts < FEW_PARTS and usable == "yes":
        return BasisVerdict("not alone", f"{said}, but {FEW_PARTS} parts or more are usual. {by}")
    return BasisVerdict(usable, f"{said}. {by}")


def agreement_finding(found: AgreementResult, confidence: float) -> str:
    """Summarise agreement for those who know no statistics."""
    texts = []
    sure = f"{100 * confidence:g} % interval"
    if found.right is not None:
        texts.append(
            f"All {len(found.raters)} raters are right, each time, on {_of(found.right)} "
            f"({_interval(found.right, sure)}){_use(found)}."
        )
    elif found.together is not None:
        texts.append(
            f"The {len(found.raters)} raters agree on {_of(found.together)} "
            f"({_interval(found.together, sure)}){_beyond(found)}."
        )
    if found.raters[0].right is not None:
        texts.append(_weakest(found, sure))
    restless = [one for one in found.raters if one.within is not None]
    if restless:
        worst = min(restless, key=lambda one: one.within.value if one.within else 1.0)
        assert worst.within is not None
        if worst.within.count < worst.within.of:
            texts.append(
                f"{worst.name} answers differently from one time to the next on "
                f"{worst.within.of - worst.within.count} of {worst.within.of}."
            )
        elif len(texts) == 0:
            texts.append(f"{worst.name} says the same of each part every time.")
    return " ".join(texts)


def _use(found: AgreementResult) -> str:
    usable = min((rater_class(one) for one in found.raters), key=ORDER.index)
    return {
        "yes": ": good enough",
        "not alone": ": marginal, train and look again",
        "no": ": not good enough to decide about parts",
    }[usable]


def _beyond(found: AgreementResult) -> str:
    kappa = found.together_kappa
    if kappa is None:
        return ""
    word = {"yes": "good", "not alone": "moderate", "no": "poor"}[
        _class(kappa.value, *KAPPA, high=True)
    ]
    return f": {word} agreement beyond chance (kappa {kappa.value:.2f})"


def _weakest(found: AgreementResult, sure: str) -> str:
    worst = min(
        found.raters,
        key=lambda one: (ORDER.index(rater_class(one)), one.right.value if one.right else 0.0),
    )
    assert worst.right is not None
    alone = len(found.raters) == 1
    name = worst.name if alone else f"The weakest, {worst.name},"
    told = f"{name} is right on {_of(worst.right)}"
    if alone:
        told += f" ({_interval(worst.right, sure)})"
    if worst.missed is not None and worst.alarmed is not None:
        told += (
            f", calls {100 * worst.missed.value:.0f} % of the bad parts good and "
            f"{100 * worst.alarmed.value:.0f} % of the good ones bad"
        )
    return f"{told}."


def _of(share: Share) -> str:
    return f"{share.count} of {share.of} parts"


def _interval(share: Share, sure: str) -> str:
    low, high = share.interval
    return f"{100 * share.value:.0f} %, {sure} {100 * low:.0f} to {100 * high:.0f} %"
