"""Confidence intervals of shares."""

from __future__ import annotations

from scipy.special import betaincinv


def clopper_pearson(successes: int, trials: int, confidence: float = 0.95) -> tuple[float, float]:
    """Compute the exact interval (low, high) of a share, 0 to 1, for `successes` of `trials` independent trials.

    It contains the true share in at least `confidence` of all cases, in more with few trials. C. J. Clopper and
    E. S. Pearson, "The use of confidence or fiducial limits illustrated in the case of the binomial", Biometrika 26,
    1934, pp. 404-413, by quantiles of the beta distribution.

    Raises:
        ValueError: not 0 <= successes <= trials, no trials, or a confidence outside 0 to 1.
    """
    if not 0 <= successes <= trials or trials < 1 or not 0 < confidence < 1:
        raise ValueError(
            f"expected 0 <= successes <= trials, trials >= 1 and 0 < confidence < 1, "
            f"got {successes}, {trials}, {confidence}"
        )
    tail = (1 - confidence) / 2
    low = betaincinv(successes, trials - successes + 1, tail) if successes else 0.0
    high = betaincinv(successes + 1, trials - successes, 1 - tail) if successes < trials else 1.0
    return float(low), float(high)
