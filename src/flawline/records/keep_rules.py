"""Rules of what records keep, and for how long."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta

from flawline.data.names import did_you_mean
from flawline.errors import UsageError

UNJUDGED, INSPECTIONS = "unjudged", "inspections"
NAMES = ("accept", "reject", UNJUDGED, INSPECTIONS)
_DAYS = {"d": 1.0, "w": 7.0, "y": 365.25}
_RULE = re.compile(r"(\d{1,6})([dwy])(?::(\d{1,9}))?")


@dataclass(frozen=True, slots=True)
class KeepRule:
    """How long something is kept, and one in how many afterwards; 0 for none."""

    age: timedelta
    one_in: int = 0

    def samples(self, digest: bytes) -> bool:
        """Tell whether a picture of this SHA-256 is among those kept afterwards; the same whenever it is asked."""
        return self.one_in > 0 and int.from_bytes(digest[:8], "big") % self.one_in == 0


@dataclass(frozen=True, slots=True)
class KeepRules:
    """Rules for pictures and maps by the machine's verdict, and for inspections; what has no rule is kept for ever."""

    pictures: Mapping[str, KeepRule]
    inspections: timedelta | None = None

    def words(self) -> str:
        """Say them in words: "accept for 30 days and 1 in 100 after"."""
        told = [
            f"{name} for {_days(rule.age)}"
            + (f" and 1 in {rule.one_in} after" if rule.one_in else "")
            for name, rule in self.pictures.items()
        ]
        whole = self.inspections
        return ", ".join([*told, *([] if whole is None else [f"inspections for {_days(whole)}"])])


def parse_keep_rules(texts: Mapping[str, str]) -> KeepRules:
    """Read rules such as {"accept": "30d:100", "reject": "5y", "inspections": "10y"}.

    Times are in days, weeks or years of 365.25 days. "30d:100" keeps one in a hundred after 30 days.

    Raises:
        UsageError: no rule, an unknown name, a rule that cannot be read, or one that keeps nothing at all.
    """
    if not texts:
        raise UsageError("no rule says what goes", hint="for example accept=30d:100, reject=5y")
    rules: dict[str, KeepRule] = {}
    for name, value in texts.items():
        if name == "review":
            raise UsageError(
                "parts for review are always kept: somebody decides about them, or has",
                hint="leave out the rule for review",
            )
        if name not in NAMES:
            raise UsageError(
                f"expected a rule for {', '.join(NAMES)}, got {name!r}",
                hint=did_you_mean(name, list(NAMES)),
            )
        rules[name] = _rule(name, value)
    whole = rules.pop(INSPECTIONS, None)
    return KeepRules(rules, None if whole is None else whole.age)


def _days(age: timedelta) -> str:
    return f"{age / timedelta(days=1):g} days"


def _rule(name: str, value: str) -> KeepRule:
    match = _RULE.fullmatch(value.strip())
    if match is None:
        raise UsageError(
            f"expected a time such as 30d, 8w, 5y or 30d:100 for {name}, got {value[:40]!r}",
            hint="d, w and y are days, weeks and years; :100 keeps one in a hundred afterwards",
        )
    count, unit, one_in = match.groups()
    days = int(count) * _DAYS[unit]
    if not 1 <= days <= 100_000:
        raise UsageError(f"expected 1 to 100,000 days for {name}, got {value}")
    if one_in is not None and (name == INSPECTIONS or int(one_in) < 1):
        raise UsageError(
            f"{name}={value} makes no sense: one in {one_in}",
            hint="pictures are thinned, one in 1 or more; inspections are kept or not",
        )
    return KeepRule(timedelta(days=days), int(one_in or 0))
