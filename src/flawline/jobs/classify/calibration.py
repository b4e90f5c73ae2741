"""Calibrate probabilities so that they match observed frequencies.

Each class against all others, then scaled to sum 1 (B. Zadrozny and C. Elkan, KDD 2002). "sigmoid": a logistic curve
over the log-odds with smoothed targets (J. Platt, "Probabilistic outputs for support vector machines", 1999).
"isotonic": the rising curve nearest to the outcomes (pool adjacent violators), which needs about a thousand pictures
(A. Niculescu-Mizil and R. Caruana, ICML 2005).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import minimize
from scipy.special import expit

from flawline.core.trees import padded

# A forest predicts 0 and 1, whose log-odds are infinite.
_SMALLEST = 1e-3
METHODS = ("sigmoid", "isotonic")


@dataclass(frozen=True, slots=True)
class Sigmoid:
    """expit(slope * log-odds + offset) per class; `slope` and `offset` are (C,)."""

    slope: NDArray[np.float64]
    offset: NDArray[np.float64]

    def apply(self, raw: NDArray[np.float64]) -> NDArray[np.float64]:
        """Calibrate raw probabilities (N, C)."""
        return _scaled(expit(log_odds(raw) * self.slope + self.offset))


@dataclass(frozen=True, slots=True)
class Isotonic:
    """Interpolation per class between rising points: `stated` and `true` are (C, points), the last point repeated."""

    stated: NDArray[np.float64]
    true: NDArray[np.float64]

    def apply(self, raw: NDArray[np.float64]) -> NDArray[np.float64]:
        """Calibrate raw probabilities (N, C)."""
        columns = [
            np.interp(raw[:, k], self.stated[k], self.true[k]) for k in range(len(self.stated))
        ]
        return _scaled(np.stack(columns, axis=1))


Calibration = Sigmoid | Isotonic


def log_odds(raw: NDArray[np.float64]) -> NDArray[np.float64]:
    """Convert probabilities to log-odds, clipped 0.001 away from 0 and 1."""
    safe = np.clip(raw, _SMALLEST, 1 - _SMALLEST)
    return np.asarray(np.log(safe / (1 - safe)))


def fit_calibration(
    raw: NDArray[np.float64], truth: NDArray[np.integer], method: str
) -> Calibration:
    """Fit a calibration ("sigmoid" or "isotonic") to raw probabilities (N, C) of pictures not used to train the model.

    `truth` is the class (N,) of each picture.
    """
    is_class = [truth == k for k in range(raw.shape[1])]
    if method == "sigmoid":
        odds = log_odds(raw)
        lines = [_platt(odds[:, k], is_class[k]) for k in range(raw.shape[1])]
        return Sigmoid(np.array([a for a, _ in lines]), np.array([b for _, b in lines]))
    steps = [_steps(raw[:, k], is_class[k]) for k in range(raw.shape[1])]
    longest = max(len(x) for x, _ in steps)
    ends = [
        (np.pad(x, (0, longest - len(x)), "edge"), np.pad(y, (0, longest - len(y)), "edge"))
        for x, y in steps
    ]
    return Isotonic(padded([x for x, _ in ends], float, 0), padded([y for _, y in ends], float, 0))


def _platt(odds: NDArray[np.float64], is_class: NDArray[np.bool_]) -> tuple[float, float]:
    """Fit slope and offset by maximum likelihood; Platt's targets (N+ + 1) / (N+ + 2) and 1 / (N- + 2)."""
    yes = int(is_class.sum())
    no = len(is_class) - yes
    target = np.where(is_class, (yes + 1) / (yes + 2), 1 / (no + 2))

    def loss(line: NDArray[np.float64]) -> tuple[float, NDArray[np.float64]]:
        z = line[0] * odds + line[1]
        error = expit(z) - target
        value = np.mean(np.logaddexp(0, z) - target * z)
        return float(value), np.array([np.mean(error * odds), np.mean(error)])

    start = np.array([1.0, 0.0])
    fitted = minimize(loss, start, jac=True, method="BFGS", options={"gtol": 1e-9})
    return float(fitted.x[0]), float(fitted.x[1])


def _steps(
    stated: NDArray[np.float64], is_class: NDArray[np.bool_]
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    from sklearn.isotonic import IsotonicRegression

    fitted = IsotonicRegression(y_min=0, y_max=1, out_of_bounds="clip").fit(stated, is_class)
    return fitted.X_thresholds_, fitted.y_thresholds_


def _scaled(values: NDArray[np.float64]) -> NDArray[np.float64]:
    total = values.sum(axis=1, keepdims=True)
    even = np.full_like(values, 1 / values.shape[1])
    return np.where(total > 0, values / np.where(total > 0, total, 1), even)
