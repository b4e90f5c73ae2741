"""Share of false signals of individuals charts with an automatic transform, on drawn samples of stable processes.

`python benchmarks/false_signals.py --samples 400` prints the table of docs/reference/charts.md. Every sample goes
through `chart_series` as a table does. 1 point in 370 beyond the limits is meant, 0.27 %. A second table is the share
of capability studies of stable normal processes that are called not in control.
"""

from __future__ import annotations

import argparse
import time
from collections import Counter
from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

from flawline.core.spc.capability_values import SpecLimits
from flawline.core.spc.transforms import NONE
from flawline.errors import FlawlineError
from flawline.jobs.chart.chart_series import Estimation, chart_series
from flawline.jobs.chart.forming import Forming
from flawline.jobs.chart.series import form_series
from flawline.jobs.study.capability_study import study_capability

Draw = Callable[[np.random.Generator, int], NDArray[np.float64]]
PROCESSES: dict[str, Draw] = {
    "normal": lambda r, n: r.normal(50, 3, n),
    "normal, rounded to 1 sigma": lambda r, n: r.normal(50, 1, n).round(),
    "normal, rounded to 1/4 sigma": lambda r, n: r.normal(50, 4, n).round(),
    "lognormal, sigma 0.25": lambda r, n: r.lognormal(2, 0.25, n),
    "lognormal, sigma 0.5": lambda r, n: r.lognormal(2, 0.5, n),
    "lognormal, sigma 1": lambda r, n: r.lognormal(2, 1, n),
    "lognormal, sigma 1.5": lambda r, n: r.lognormal(2, 1.5, n),
    "exponential": lambda r, n: r.exponential(4, n),
    "gamma, shape 3": lambda r, n: r.gamma(3, 2, n),
    "Weibull, shape 1.5": lambda r, n: 3 * r.weibull(1.5, n),
    "Weibull, shape 4": lambda r, n: 3 * r.weibull(4, n),
    "t, 4 degrees": lambda r, n: 50 + r.standard_t(4, n),
    "uniform": lambda r, n: r.uniform(5, 9, n),
    "30 % zeros, else lognormal 0.8": lambda r, n: _zeros(r, n, 0.3),
    "60 % zeros, else lognormal 0.8": lambda r, n: _zeros(r, n, 0.6),
    "85 % zeros, else lognormal 0.8": lambda r, n: _zeros(r, n, 0.85),
    "Poisson, mean 2": lambda r, n: r.poisson(2, n).astype(float),
    "Poisson, mean 10": lambda r, n: r.poisson(10, n).astype(float),
    "whole pixels, lognormal 0.8": lambda r, n: np.ceil(r.lognormal(1.5, 0.8, n)),
}


def _zeros(random: np.random.Generator, count: int, share: float) -> NDArray[np.float64]:
    return np.where(random.random(count) < share, 0.0, random.lognormal(1, 0.8, count))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--samples", type=int, default=400)
    parser.add_argument("--counts", type=int, nargs="+", default=[50, 200])
    parser.add_argument("--transform", default="auto")
    given = parser.parse_args()
    started = time.perf_counter()
    print(
        "| process | values | points beyond | samples with one | raw | raw without a note | transforms |"
    )
    print("|---|---|---|---|---|---|---|")
    for name, draw in PROCESSES.items():
        for count in given.counts:
            print(
                f"| {name} | {count} | {_row(draw, count, given.samples, given.transform)} |",
                flush=True,
            )
    print("\n| stable normal process | studies called not in control |")
    print("|---|---|")
    for count, every in ((30, None), (100, None), (300, None), (125, 5), (300, 12)):
        what = f"{count} values" if every is None else f"{count // every} subgroups of {every}"
        print(f"| {what} | {_called(count, every, given.samples):.2g} % |", flush=True)
    print(f"\n{given.samples} samples each, {time.perf_counter() - started:.0f} s")


def _called(count: int, every: int | None, samples: int) -> float:
    called = 0
    for seed in range(samples):
        x = np.random.default_rng((seed, count)).normal(50, 3, count)
        series = form_series({"x": x.tolist()}, "x", "xbar-r", Forming(every=every))
        study = study_capability(series, SpecLimits(0, 100), transform="none")
        called += not study.stability.stable
    return 100 * called / samples


def _row(draw: Draw, count: int, samples: int, transform: str) -> str:
    beyond, called, raw, silent = 0, 0, 0, 0
    names: Counter[str] = Counter()
    for seed in range(samples):
        x = draw(np.random.default_rng((seed, count)), count)
        series = form_series({"x": x.tolist()}, "x", "i-mr", Forming())
        try:
            chart = chart_series(series, "i-mr", estimation=Estimation(transform=transform))
        except FlawlineError:
            names["refused"] += 1
            continue
        level = {s.triggered for s in chart.signals if s.panel == "individuals"}
        beyond += len(level)
        called += bool(level)
        fitted = chart.stages[0].limits.transform
        raw += fitted == NONE
        silent += fitted == NONE and not chart.notes
        names[("zeros, " if fitted.zeros else "") + fitted.name] += 1
    most = ", ".join(f"{name} {number}" for name, number in names.most_common(4))
    shares = (
        f"{100 * part / whole:.2g} %"
        for part, whole in (
            (beyond, samples * count),
            (called, samples),
            (raw, samples),
            (silent, samples),
        )
    )
    return " | ".join(shares) + f" | {most}"


if __name__ == "__main__":
    main()
