"""Monotone transforms that make skewed measurements normal, so that limits at k sigma hold."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.special import gammainc, gammaincc, gammaincinv, ndtr, ndtri

PARAMETERS = {
    "none": (),
    "log": (),
    "box-cox": ("lambda",),
    "johnson-su": ("gamma", "eta", "epsilon", "lambda"),
    "johnson-sb": ("gamma", "eta", "epsilon", "lambda"),
    "johnson-sl": ("gamma", "eta", "epsilon"),
    "weibull": ("shape", "scale"),
    "gamma": ("shape", "scale"),
    "percentile": ("low", "median", "high"),
}
POSITIVE = frozenset({"log", "box-cox", "weibull", "gamma"})
# Scores are clipped here: beyond it the probability is practically 0, and files need finite numbers.
FARTHEST = 8.0


@dataclass(frozen=True, slots=True)
class Transform:
    """A transform by name, its parameters, and the share of values that are exactly zero.

    With `zeros` above 0 the values are zero with that share and otherwise follow the transform's distribution, which
    was fitted to values above zero alone: `normal_scores` are then those of the whole distribution, with mean 0 and
    deviation 1.
    """

    name: str = "none"
    parameters: tuple[float, ...] = ()
    zeros: float = 0.0
    centre: float = 0.0
    sigma: float = 1.0


NONE = Transform()


def is_standard(transform: Transform) -> bool:
    """Tell whether the scores have mean 0 and sigma 1 by construction, so that neither is estimated from them."""
    return transform.zeros > 0 or transform.name == "percentile"


def apply(transform: Transform, values: ArrayLike) -> NDArray[np.float64]:
    """Transform values (N,) to the scale on which they are normal.

    Raises:
        ValueError: a transform of numbers above zero got one that is not (below zero, where `zeros` are allowed).
    """
    x = np.asarray(values, dtype=np.float64)
    if not transform.zeros:
        _check_domain(transform.name, x)
        return _forward(transform, x)
    if (x < 0).any():
        raise ValueError(f"expected values of zero or more, got {x.min():g}")
    scores = np.full(x.shape, _zero_score(transform.zeros))
    above = x > 0
    inner = (_forward(transform, x[above]) - transform.centre) / transform.sigma
    # From the upper tail, where the limits are and where 1 - F keeps its digits.
    scores[above] = -ndtri(np.clip((1 - transform.zeros) * ndtr(-inner), 1e-300, 1.0))
    return np.asarray(np.clip(scores, -FARTHEST, FARTHEST))


def revert(transform: Transform, scores: ArrayLike) -> NDArray[np.float64]:
    """Invert `apply`: measurements (N,) from scores; 0 for scores that fall among the zeros."""
    z = np.asarray(scores, dtype=np.float64)
    if not transform.zeros:
        return _backward(transform, z)
    upper = ndtr(-z) / (1 - transform.zeros)
    values = np.zeros(z.shape)
    above = upper < 1
    inner = -ndtri(np.clip(upper[above], 1e-300, 1.0))
    values[above] = _backward(transform, transform.centre + transform.sigma * inner)
    return values


def transform_as_dict(transform: Transform) -> dict[str, Any]:
    """Convert a transform to a document for a file."""
    named = dict(zip(PARAMETERS[transform.name], transform.parameters, strict=True))
    document: dict[str, Any] = {"name": transform.name, **named}
    if transform.zeros:
        document |= {
            "zeros": transform.zeros,
            "centre": transform.centre,
            "sigma": transform.sigma,
        }
    return document


def transform_from_dict(document: Mapping[str, Any]) -> Transform:
    """Read the transform that `transform_as_dict` wrote.

    Raises:
        ValueError: an unknown name, or a parameter that is missing or not a finite number.
    """
    name = document.get("name")
    if name not in PARAMETERS:
        raise ValueError(f"expected a transform of {', '.join(PARAMETERS)}, got {name!r}")
    zeros = _number(document, "zeros") if "zeros" in document else 0.0
    if not 0 <= zeros < 1:
        raise ValueError(f"expected a share of zeros of 0 or more and below 1, got {zeros:g}")
    scale = (_number(document, "centre"), _number(document, "sigma")) if zeros else (0.0, 1.0)
    if scale[1] <= 0:
        raise ValueError(f"expected a sigma above 0, got {scale[1]:g}")
    parameters = tuple(_number(document, key) for key in PARAMETERS[name])
    if not _possible(name, parameters):
        raise ValueError(f"the parameters of the transform {name} make no sense: {parameters}")
    return Transform(name, parameters, zeros, *scale)


def _possible(name: str, parameters: tuple[float, ...]) -> bool:
    if name == "percentile":
        low, median, high = parameters
        return low <= median < high
    scales = {"weibull": (0, 1), "gamma": (0, 1), "johnson-sl": (1,)}
    above_zero = scales.get(name, (1, 3) if name.startswith("johnson") else ())
    return all(parameters[place] > 0 for place in above_zero)


def _number(document: Mapping[str, Any], key: str) -> float:
    value = document.get(key)
    if isinstance(value, bool) or not isinstance(value, int | float) or not np.isfinite(value):
        raise ValueError(f"expected a finite number for {key!r}, got {value!r}")
    return float(value)


def _zero_score(share: float) -> float:
    """Score a zero: the centre where most values are zero, otherwise the middle of the zeros' own range."""
    return 0.0 if share >= 0.5 else float(ndtri(share / 2))


def _check_domain(name: str, x: NDArray[np.float64]) -> None:
    if name in POSITIVE and (x <= 0).any():
        raise ValueError(f"the {name} transform takes values above zero, got {x.min():g}")


def _forward(transform: Transform, x: NDArray[np.float64]) -> NDArray[np.float64]:
    name, p = transform.name, transform.parameters
    with np.errstate(divide="ignore", over="ignore"):
        match name:
            case "none":
                return x
            case "log":
                return np.log(x)
            case "box-cox":
                return _box_cox(x, p[0])
            case "johnson-su":
                return p[0] + p[1] * np.arcsinh((x - p[2]) / p[3])
            case "johnson-sb":
                share = np.clip((x - p[2]) / p[3], 1e-15, 1 - 1e-15)
                return p[0] + p[1] * np.log(share / (1 - share))
            case "johnson-sl":
                return p[0] + p[1] * np.log(np.maximum(x - p[2], 1e-15 * max(1.0, abs(p[2]))))
            case "percentile":
                low, median, high = p
                below = median - low if median > low else high - median
                width = np.where(x < median, below, high - median)
                return np.asarray(np.clip(3 * (x - median) / width, -FARTHEST, FARTHEST))
            case "weibull":
                hazard = (x / p[1]) ** p[0]
                return _score(-np.expm1(-hazard), np.exp(-hazard))
            case _:
                return _score(gammainc(p[0], x / p[1]), gammaincc(p[0], x / p[1]))


def _backward(transform: Transform, z: NDArray[np.float64]) -> NDArray[np.float64]:
    name, p = transform.name, transform.parameters
    match name:
        case "none":
            return z
        case "log":
            return np.exp(z)
        case "box-cox":
            return _inverse_box_cox(z, p[0])
        case "johnson-su":
            return p[2] + p[3] * np.sinh((z - p[0]) / p[1])
        case "johnson-sb":
            return p[2] + p[3] / (1 + np.exp(-(z - p[0]) / p[1]))
        case "johnson-sl":
            return p[2] + np.exp((z - p[0]) / p[1])
        case "percentile":
            low, median, high = p
            edge = np.where(z < 0, low if low < median else 2 * median - high, high)
            share = np.abs(z) / 3
            # With these weights, three sigma is exactly the percentile.
            return np.asarray(share * edge + (1 - share) * median)
        case "weibull":
            return np.asarray(p[1] * (-np.log(ndtr(-z))) ** (1 / p[0]))
        case _:
            return np.asarray(p[1] * gammaincinv(p[0], ndtr(z)))


def _score(below: NDArray[np.float64], above: NDArray[np.float64]) -> NDArray[np.float64]:
    """Compute the normal score of a probability, from its smaller tail, within `FARTHEST`."""
    lower = ndtri(np.clip(below, 1e-300, 1.0))
    upper = -ndtri(np.clip(above, 1e-300, 1.0))
    return np.asarray(np.clip(np.where(below < above, lower, upper), -FARTHEST, FARTHEST))


def _box_cox(x: NDArray[np.float64], power: float) -> NDArray[np.float64]:
    """Compute (x^lambda - 1) / lambda, log x at 0: G. E. P. Box and D. R. Cox, JRSS B 26, 1964, pp. 211-252, eq. 1."""
    return np.log(x) if power == 0 else np.expm1(power * np.log(x)) / power


def _inverse_box_cox(z: NDArray[np.float64], power: float) -> NDArray[np.float64]:
    if power == 0:
        return np.exp(z)
    # Scores below -1/lambda belong to no number above zero; they become the smallest one.
    inner = np.maximum(power * z, -1 + 1e-12)
    return np.asarray(np.exp(np.log1p(inner) / power))
