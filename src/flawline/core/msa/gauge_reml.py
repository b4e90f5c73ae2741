"""Estimate the variances of an unbalanced gauge study by restricted maximum likelihood (REML).

H. D. Patterson and R. Thompson, "Recovery of inter-block information when block sizes are unequal", Biometrika 58,
1971, pp. 545-554. Repeats and means of cells are independent, so that the likelihood is that of the sum of squares
within cells times that of the means, whose covariance is a sum of one matrix a source and of the variance of repeats
over their number.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from flawline.core.msa.gauge_anova import INTERACTION, OPERATOR, PART, REPEATS
from flawline.core.msa.gauge_data import GaugeData
from flawline.errors import FlawlineError

Numbers = NDArray[np.float64]
MOST_CELLS = 1500
# A variance this small beside the largest is 0: the likelihood is flat there.
_NOTHING = 1e-8


@dataclass(frozen=True, slots=True, eq=False)
class Reml:
    """Variances by source, and the covariance (K, K) of those above 0, in the order of `sure`."""

    variances: dict[str, float]
    sure: tuple[str, ...]
    covariance: Numbers


def reml(data: GaugeData, *, interaction: bool) -> Reml:
    """Estimate the variances of repeats and of each source.

    Args:
        data: the readings.
        interaction: whether a crossed study has one.

    Raises:
        FlawlineError: ("gauge-large") more than 1500 combinations of part and operator, or ("gauge-few") too few
            readings to tell the sources apart.
    """
    cells = data.cells
    if len(cells.means) > MOST_CELLS:
        raise FlawlineError(
            f"expected at most {MOST_CELLS} combinations of part and operator where readings are missing, got "
            f"{len(cells.means)}",
            hint="leave out the parts whose readings are not complete",
            code="gauge-large",
        )
    names, matrices = _sources(data, interaction)
    scale = float(data.values.var()) or 1.0
    model = _Model(matrices, cells.means / np.sqrt(scale), cells.squares / scale, cells.degrees)
    best = model.maximise(np.full(len(names), 1 / len(names)))
    best = np.where(best < _NOTHING * best.max(), 0.0, best)
    kept = np.flatnonzero(best > 0)
    information = model.information(best)[np.ix_(kept, kept)]
    try:
        covariance = np.linalg.inv(information)
    except np.linalg.LinAlgError:
        raise FlawlineError(
            "the readings are too few to tell the sources of variation apart",
            hint="let each operator read each part at least twice",
            code="gauge-few",
        ) from None
    return Reml(
        dict(zip(names, (scale * best).tolist(), strict=True)),
        tuple(names[place] for place in kept),
        np.asarray(scale**2 * covariance),
    )


def _sources(data: GaugeData, interaction: bool) -> tuple[list[str], list[Numbers]]:
    """List the sources and the covariance (C, C) of the means of cells that one unit of each makes."""
    cells = data.cells
    found = {REPEATS: np.diag(1.0 / cells.counts)}
    for name in data.factors:
        level = getattr(cells, name)
        found[name] = (level[:, None] == level).astype(np.float64)
    if interaction:
        found[INTERACTION] = np.eye(len(cells.means))
    order = [n for n in (REPEATS, OPERATOR, INTERACTION, PART) if n in found]
    return order, [found[name] for name in order]


@dataclass(frozen=True, slots=True, eq=False)
class _Model:
    """The matrices (C, C) of the sources, repeats first, the means (C,), and the squares within cells."""

    matrices: list[Numbers]
    means: Numbers
    squares: float
    degrees: int

    def loss(self, sizes: Numbers) -> tuple[float, Numbers]:
        """Compute minus the restricted log likelihood and its gradient (K,), both without constants."""
        whole = sum(size * matrix for size, matrix in zip(sizes, self.matrices, strict=True))
        inverse = np.linalg.inv(whole)
        once = inverse.sum(axis=0)
        total = float(once.sum())
        mean = float(once @ self.means) / total
        pull = inverse @ (self.means - mean)
        away = inverse - np.outer(once, once) / total
        value = np.linalg.slogdet(whole)[1] + np.log(total) + float((self.means - mean) @ pull)
        slope = np.array([np.sum(away * m) - pull @ m @ pull for m in self.matrices])
        if self.degrees:
            value += self.degrees * np.log(sizes[0]) + self.squares / sizes[0]
            slope[0] += self.degrees / sizes[0] - self.squares / sizes[0] ** 2
        return float(value) / 2, slope / 2

    def information(self, sizes: Numbers) -> Numbers:
        """Compute the expected information (K, K) of the variances."""
        whole = sum(size * matrix for size, matrix in zip(sizes, self.matrices, strict=True))
        inverse = np.linalg.inv(whole)
        once = inverse.sum(axis=0)
        away = inverse - np.outer(once, once) / once.sum()
        turned = [away @ matrix for matrix in self.matrices]
        found = np.array([[np.sum(a * b.T) for b in turned] for a in turned]) / 2
        found[0, 0] += self.degrees / sizes[0] ** 2 / 2
        return found

    def maximise(self, start: Numbers) -> Numbers:
        """Find the variances (K,) of highest likelihood; those of the sources may be 0."""
        from scipy.optimize import minimize

        lowest = 1e-10 * float(self.means.var() + self.squares / max(self.degrees, 1))
        bounds = [(lowest, None), *[(0.0, None)] * (len(start) - 1)]
        best = minimize(
            self.loss,
            np.maximum(start, lowest),
            jac=True,
            method="L-BFGS-B",
            bounds=bounds,
            options={"maxiter": 2000, "ftol": 1e-15, "gtol": 1e-9},
        ).x
        return self._polished(best)

    def _polished(self, sizes: Numbers) -> Numbers:
        """Refine by Fisher scoring among the variances above 0: L-BFGS-B stops at some 6 digits."""
        for _ in range(50):
            kept = np.flatnonzero(sizes > _NOTHING * sizes.max())
            slope = self.loss(sizes)[1][kept]
            try:
                step = np.linalg.solve(self.information(sizes)[np.ix_(kept, kept)], -slope)
            except np.linalg.LinAlgError:
                return sizes
            moved = sizes.copy()
            moved[kept] = sizes[kept] + step
            if (moved[kept] <= 0).any() or self.loss(moved)[0] > self.loss(sizes)[0] + 1e-9:
                return sizes
            sizes = moved
            if np.abs(step).max() < 1e-13 * sizes.max():
                break
        return sizes
