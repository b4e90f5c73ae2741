"""Look up single sampling plans by attributes: lot, inspection level and AQL give the sample and the bad parts allowed.

ISO 2859-1:1999, tables 1, 2-A and 2-B (ANSI/ASQ Z1.4-2008, MIL-STD-105E). Along each diagonal of the tables the
acceptance number is the same, so that they are kept as the sequence of a diagonal. Reduced inspection is not among
them.
"""

from __future__ import annotations

from bisect import bisect_left
from dataclasses import dataclass

from flawline.core.sampling.plans import AttributePlan
from flawline.errors import UsageError

LETTERS = "ABCDEFGHJKLMNPQR"
SIZES = (2, 3, 5, 8, 13, 20, 32, 50, 80, 125, 200, 315, 500, 800, 1250, 2000)
AQLS = (
    *(0.010, 0.015, 0.025, 0.040, 0.065, 0.10, 0.15, 0.25, 0.40, 0.65),
    *(1.0, 1.5, 2.5, 4.0, 6.5, 10.0),
)
"""Percent nonconforming; greater ones count nonconformities per 100 parts."""
LEVELS = ("S-1", "S-2", "S-3", "S-4", "I", "II", "III")
SEVERITIES = ("normal", "tightened")
_LOTS = (8, 15, 25, 50, 90, 150, 280, 500, 1200, 3200, 10_000, 35_000, 150_000, 500_000)
# One letter a level for each range of lots.
_CODES = (
    "AAAAAAB AAAAABC AABBBCD ABBCCDE BBCCCEF BBCDDFG BCDEEGH BCDEFHJ CCEFGJK CDEGHKL CDFGJLM "
    "CDFHKMN DEGJLNP DEGJMPQ DEHKNQR"
).split()
# By the place of the letter plus that of the AQL: the acceptance number, or where the arrow points.
_UP, _DOWN = "up", "down"
_DIAGONALS: dict[str, dict[int, int | str]] = {
    "normal": dict(enumerate((0, _UP, _DOWN, 1, 2, 3, 5, 7, 10, 14, 21), 14)),
    "tightened": dict(enumerate((_DOWN, 0, _UP, _DOWN, 1, 2, 3, 5, 8, 12, 18), 14)),
}


@dataclass(frozen=True, slots=True)
class StandardPlan:
    """A plan of the tables: the letter of the lot, that of the plan to which arrows lead, and the plan.

    `whole` says that the sample is the lot.
    """

    letter: str
    used: str
    plan: AttributePlan
    aql: float
    level: str
    severity: str
    lot: int
    whole: bool


def code_letter(lot: int, level: str = "II") -> str:
    """Look up the letter of a lot of at least 2 parts at an inspection level.

    Raises:
        UsageError: a lot of fewer than 2 parts, or an unknown level.
    """
    if level not in LEVELS:
        raise UsageError(f"expected `level` of {', '.join(LEVELS)}, got {level!r}")
    if lot < 2:
        raise UsageError(f"a lot has at least 2 parts, got {lot}")
    return _CODES[bisect_left(_LOTS, lot)][LEVELS.index(level)]


def standard_plan(
    lot: int, aql: float, level: str = "II", severity: str = "normal"
) -> StandardPlan:
    """Look up the plan of a lot.

    Args:
        lot: number of parts.
        aql: acceptance quality limit, percent of bad parts; one of `AQLS`.
        level: inspection level; II is usual.
        severity: "normal", or "tightened" after 2 of 5 lots were rejected.

    Raises:
        UsageError: a value that the tables do not have.
    """
    letter = code_letter(lot, level)
    if severity not in SEVERITIES:
        raise UsageError(f"expected `severity` of {', '.join(SEVERITIES)}, got {severity!r}")
    column = next((n for n, one in enumerate(AQLS) if abs(one - aql) < 1e-9), None)
    if column is None:
        near = min(AQLS, key=lambda one: abs(one - aql))
        raise UsageError(
            f"the tables have no AQL of {aql:g} %; the nearest is {near:g}",
            hint=f"take one of {', '.join(f'{one:g}' for one in AQLS)}, or give `ltpd` for a plan without tables",
        )
    row, accept = _followed(LETTERS.index(letter), column, severity)
    whole = SIZES[row] >= lot
    plan = AttributePlan(min(SIZES[row], lot), accept)
    return StandardPlan(letter, LETTERS[row], plan, AQLS[column], level, severity, lot, whole)


def _followed(row: int, column: int, severity: str) -> tuple[int, int]:
    """Follow the arrows of a column from a row to the first plan."""
    table = _DIAGONALS[severity]
    first, last = min(table), max(table)
    turned: set[int] = set()
    while True:
        place = row + column
        found = _DOWN if place < first else _UP if place > last else table[place]
        if isinstance(found, int):
            return row, found
        # Arrows of the first and the last row point into the table.
        down = row == 0 or (found == _DOWN and row < len(SIZES) - 1 and row not in turned)
        turned.add(row)
        row += 1 if down else -1
