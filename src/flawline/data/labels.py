"""Find out from a label whether a part is good or bad."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence

from flawline.data.names import did_you_mean
from flawline.errors import UsageError

GOOD_WORDS = frozenset(
    [
        "good",
        "ok",
        "okay",
        "pass",
        "passed",
        "normal",
        "free",
        "accept",
        "accepted",
        "conforming",
        "conform",
        "clean",
        "perfect",
        "nondefective",
        "gut",
    ]
)
BAD_WORDS = frozenset(
    [
        "bad",
        "def",
        "defect",
        "defects",
        "defective",
        "ng",
        "nok",
        "fail",
        "failed",
        "failure",
        "faulty",
        "fault",
        "reject",
        "rejected",
        "anomaly",
        "anomalous",
        "abnormal",
        "scrap",
        "nonconforming",
        "schlecht",
    ]
)
_NEGATIONS = frozenset({"not", "no", "non", "without"})
# German for "in order" and "not in order".
_IN_ORDER = re.compile(r"\s*(n\.? ?)?i\.? ?o\.?\s*", re.IGNORECASE)
_WORD = re.compile(r"[^\W_0-9]+")


def label_meaning(label: str) -> bool | None:
    """Read the meaning of one label: False good, True bad, None unknown or contradictory.

    Case, digits and punctuation do not count ("def_front", "OK-2"), a negation turns the meaning
    ("not ok", "no defect"), "defect free" is good, and so is "i.O." with "n.i.O." as its opposite.
    """
    if (found := _IN_ORDER.fullmatch(label)) is not None:
        return found[1] is not None
    words = [word.casefold() for word in _WORD.findall(label)]
    good = any(word in GOOD_WORDS for word in words)
    bad = any(word in BAD_WORDS for word in words)
    if good and bad:
        return False if "free" in words else None
    if not good and not bad:
        return None
    return bad != any(word in _NEGATIONS for word in words)


def meaning(
    labels: Iterable[str], good: Sequence[str] = (), bad: Sequence[str] = ()
) -> dict[str, bool | None]:
    """Read the meaning of every label of a set: False good, True bad, None unknown.

    `good` and `bad` name labels whose meaning is stated (case does not count); the words of the
    others decide. Where at least one label is good and none is known to be bad, the unknown ones
    mean bad, such as "blowhole" and "crack" next to "free". Raises UsageError for a stated label that is not
    in the set or is stated as both.
    """
    known = sorted(set(labels))
    stated = _stated(known, good, bad)
    found = {label: stated.get(label, label_meaning(label)) for label in known}
    if False in found.values() and True not in found.values():
        return {label: True if value is None else value for label, value in found.items()}
    return found


def _stated(known: list[str], good: Sequence[str], bad: Sequence[str]) -> dict[str, bool]:
    by_fold: dict[str, list[str]] = {}
    for label in known:
        by_fold.setdefault(label.casefold(), []).append(label)
    stated: dict[str, bool] = {}
    for names, value in ((good, False), (bad, True)):
        for name in names:
            if name.casefold() not in by_fold:
                raise UsageError(
                    f"expected a label of the source, got {name!r}; it has {_listed(known)}",
                    hint=did_you_mean(name, known) or "Name a label as the source spells it.",
                )
            for label in by_fold[name.casefold()]:
                if stated.setdefault(label, value) != value:
                    raise UsageError(
                        f"the label {label!r} is stated as good and as bad",
                        hint="Name it once.",
                    )
    return stated


def _listed(known: list[str]) -> str:
    shown = ", ".join(map(repr, known[:20])) or "no labels"
    return f"{shown} and {len(known) - 20} more" if len(known) > 20 else shown
