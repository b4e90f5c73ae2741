"""Split the variation of readings into repeats, operators, their interaction with parts, and parts (ANOVA).

AIAG, "Measurement Systems Analysis", 4th ed. 2010, appendix A; R. K. Burdick, C. M. Borror and D. C. Montgomery,
"Design and Analysis of Gauge R&R Studies", 2005, chapters 2 and 3 (expected mean squares of the random model).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.special import fdtrc

from flawline.core.msa.gauge_data import GaugeData

REPEATS, PART, OPERATOR, INTERACTION = "repeatability", "part", "operator", "interaction"
Variances = Mapping[str, float]


@dataclass(frozen=True, slots=True)
class AnovaRow:
    """One source of variation: degrees of freedom, sum of squares, F against its error, and p; None where undefined."""

    source: str
    degrees: int
    squares: float
    f: float | None = None
    p: float | None = None

    @property
    def mean(self) -> float:
        """Mean square."""
        return self.squares / self.degrees


def anova(data: GaugeData) -> tuple[AnovaRow, ...]:
    """Compute the analysis of variance of a balanced study: rows of each source and of repeatability.

    Parts and operators of a crossed study are tested against their interaction, and that against the repeats.
    """
    cells = data.cells
    trials = int(cells.counts[0])
    grand = float(data.values.mean())
    whole = trials * float(((cells.means - grand) ** 2).sum())
    error = AnovaRow(REPEATS, cells.degrees, cells.squares)
    by = {name: _between(data, name, grand) for name in data.factors}
    if len(by) == 1:
        (name, squares), *_ = by.items()
        row = _tested(name, len(getattr(data, f"{name}s")) - 1, squares, error)
        return (row, error)
    operators = len(data.operators) - 1
    if data.nested:
        inner = AnovaRow(PART, len(data.parts) - 1 - operators, whole - by[OPERATOR])
        return (
            _tested(OPERATOR, operators, by[OPERATOR], inner),
            _tested(PART, inner.degrees, inner.squares, error),
            error,
        )
    parts = len(data.parts) - 1
    inner = AnovaRow(INTERACTION, parts * operators, whole - by[PART] - by[OPERATOR])
    if not error.degrees:
        # Without repeats the interaction cannot be told from them.
        error = AnovaRow(REPEATS, inner.degrees, inner.squares)
        return (
            _tested(PART, parts, by[PART], error),
            _tested(OPERATOR, operators, by[OPERATOR], error),
            error,
        )
    return (
        _tested(PART, parts, by[PART], inner),
        _tested(OPERATOR, operators, by[OPERATOR], inner),
        _tested(INTERACTION, inner.degrees, max(inner.squares, 0.0), error),
        error,
    )


def without_interaction(rows: tuple[AnovaRow, ...]) -> tuple[AnovaRow, ...]:
    """Add the interaction to the repeats, and test parts and operators against both."""
    named = {row.source: row for row in rows}
    inner, error = named[INTERACTION], named[REPEATS]
    pooled = AnovaRow(REPEATS, inner.degrees + error.degrees, inner.squares + error.squares)
    part, operator = named[PART], named[OPERATOR]
    return (
        _tested(PART, part.degrees, part.squares, pooled),
        _tested(OPERATOR, operator.degrees, operator.squares, pooled),
        pooled,
    )


def interaction_test(data: GaugeData) -> float | None:
    """Compute p of the interaction where readings are not balanced; None where it cannot be told from the repeats.

    F of the means of cells against parts plus operators by least squares, weighted by the readings of each; in a
    balanced study it is the F of `anova`.
    """
    cells = data.cells
    if data.nested or len(data.factors) < 2 or cells.degrees < 1:
        return None
    weights = np.sqrt(cells.counts)
    columns = np.concatenate(
        [
            np.eye(len(data.parts))[cells.part],
            np.eye(len(data.operators))[cells.operator],
        ],
        axis=1,
    )
    design = columns * weights[:, None]
    fitted, _, rank, _ = np.linalg.lstsq(design, cells.means * weights, rcond=None)
    degrees = len(cells.means) - int(rank)
    if degrees < 1:
        return None
    squares = float(((cells.means * weights - design @ fitted) ** 2).sum())
    if not cells.squares:
        return 0.0 if squares > 1e-20 * float(data.values @ data.values) else None
    f = (squares / degrees) / (cells.squares / cells.degrees)
    return float(fdtrc(degrees, cells.degrees, f))


def variances(
    mean_squares: Mapping[str, NDArray[np.float64]], data: GaugeData, trials: int
) -> dict[str, NDArray[np.float64]]:
    """Compute the variances of a balanced study from mean squares (...) by source; what comes out negative is 0."""
    error = mean_squares[REPEATS]
    per_part = trials * len(data.operators)
    found = {REPEATS: error}
    if data.nested:
        inner = mean_squares[PART]
        per_operator = trials * len(data.parts) // len(data.operators)
        found[OPERATOR] = (mean_squares[OPERATOR] - inner) / per_operator
        found[PART] = (inner - error) / trials
    else:
        inner = mean_squares.get(INTERACTION, error)
        if OPERATOR in mean_squares:
            found[OPERATOR] = (mean_squares[OPERATOR] - inner) / (trials * len(data.parts))
        if INTERACTION in mean_squares:
            found[INTERACTION] = (inner - error) / trials
        if PART in mean_squares:
            found[PART] = (mean_squares[PART] - inner) / per_part
    return {name: np.maximum(value, 0.0) for name, value in found.items()}


def _between(data: GaugeData, factor: str, grand: float) -> float:
    level = getattr(data, factor)
    counts = np.bincount(level)
    means = np.bincount(level, weights=data.values) / counts
    return float(counts @ (means - grand) ** 2)


def _tested(source: str, degrees: int, squares: float, error: AnovaRow) -> AnovaRow:
    """Test a source against its error; where the error is zero there is no F."""
    if not error.degrees or error.squares <= 1e-24 * squares or not error.squares:
        return AnovaRow(source, degrees, squares)
    f = (squares / degrees) / error.mean
    return AnovaRow(source, degrees, squares, f, float(fdtrc(degrees, error.degrees, f)))
