"""Judge whether a process was stable over a whole study, with one small chance of a false alarm for all its points."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.special import bdtrc, chdtrc, ndtr

from flawline.core.spc.chart_constants import range_exceeds
from flawline.core.spc.chart_points import Panel, Subgroups
from flawline.core.spc.charts_variables import means
from flawline.core.spc.run_chart import chance_of_runs
from flawline.core.words import counted

# Chance that a stable process fails one of the tests, which share their points: 3 to 6 % fail any.
FALSE_ALARM = 0.02
# Chances of a point beyond the limits: two-sided for a level, at most this for a range or deviation.
_BEYOND_LEVEL, _BEYOND_SPREAD = 0.0027, 0.01
_NAMED = 3


@dataclass(frozen=True, slots=True)
class Stability:
    """Whether a process was stable, and what speaks against it in words."""

    reasons: tuple[str, ...]

    @property
    def stable(self) -> bool:
        """Whether nothing speaks against it."""
        return not self.reasons


def judge_stability(
    points: Subgroups, panels: tuple[Panel, ...], sigma: float, name: Callable[[int], str]
) -> Stability:
    """Judge measurements by their chart's panels, the level first.

    `sigma` is that within subgroups, and `name` names a point for the reasons.

    One point beyond 3 sigma in 370 is chance, and a study of 100 points has one in every fourth case. So a point must
    be so far away that a stable process of as many points has one in 50 studies, or there must be so many beyond the
    limits, or the runs about the median must be as unusual (S. Chakraborti, S. W. Human and M. A. Graham, "Phase I
    statistical process control charts", Quality Engineering 21, 2009, pp. 52-62: limits by the chance of a false alarm
    of the whole study). Moving ranges are not judged: they repeat what the level shows.
    """
    level = panels[0]
    scores = np.abs(level.scores)
    chances = 2 * ndtr(-scores)
    reasons = [*_runs(means(points)), *_panel(level, chances, scores, _BEYOND_LEVEL, name)]
    if points.sizes.max() > 1:
        several = points.sizes[points.sizes > 1]
        spread = panels[1]
        over = _spread_chances(spread, several, sigma)
        reasons += _panel(spread, over, spread.scores, _BEYOND_SPREAD, name)
    return Stability(tuple(reasons))


def _runs(values: NDArray[np.float64]) -> Iterator[str]:
    runs, chance = chance_of_runs(values)
    if runs is None or chance >= FALSE_ALARM:
        return
    if runs.longest > runs.longest_allowed:
        yield f"the level moves, with {runs.longest} points in a row on one side of the median"
    else:
        yield (
            f"the level moves, with {counted(runs.crossings, 'crossing')} of the median where chance makes at least "
            f"{runs.fewest_allowed}"
        )


def _panel(
    panel: Panel,
    chances: NDArray[np.float64],
    scores: NDArray[np.float64],
    share: float,
    name: Callable[[int], str],
) -> Iterator[str]:
    count = len(chances)
    beyond = np.flatnonzero(scores > 3)
    where = f" of the {panel.name}" if panel.name in ("range", "standard deviation") else ""
    if len(beyond) and bdtrc(len(beyond) - 1, count, share) < FALSE_ALARM:
        first = ", ".join(name(int(panel.at[place])) for place in beyond[:_NAMED])
        more = " and others" if len(beyond) > _NAMED else ""
        yield f"{len(beyond)} of {count} points lie beyond the limits{where}: {first}{more}"
    elif chances.min() < 1 - (1 - FALSE_ALARM) ** (1 / count):
        worst = int(np.argmin(chances))
        far = f"{float(scores[worst]):.1f} sigma from the centre{where}"
        yield f"{name(int(panel.at[worst]))} lies {far}"


def _spread_chances(panel: Panel, sizes: NDArray[np.int64], sigma: float) -> NDArray[np.float64]:
    """Compute the chance of each range or standard deviation, or a larger one, of a stable normal process."""
    if panel.name == "range":
        return range_exceeds(panel.values / sigma, sizes)
    return np.asarray(chdtrc(sizes - 1, (sizes - 1) * (panel.values / sigma) ** 2))
