"""Average run lengths of the charts as they are: simulated, beside the published or exact value.

`python benchmarks/average_run_length.py --runs 4000` prints the table of docs/reference/charts.md. Every run goes
through `core.charts.advance`, so that the table is that of this code and not of a formula.
"""

from __future__ import annotations

import argparse
import time

from flawline.core.spc.limits import ControlLimits
from flawline.core.spc.rules import FIRST_ONLY, NELSON, WESTERN_ELECTRIC, Rule
from flawline.core.spc.run_length import (
    cusum_run_length,
    ewma_run_length,
    shewhart_run_length,
    simulate_run_length,
)

SHIFTS = (0.0, 0.5, 1.0, 2.0, 3.0)
LEVEL = "individuals"
# C. W. Champ and W. H. Woodall, Technometrics 29, 1987, table 1, at 0, 1, 2 and 3 sigma.
CHAMP_AND_WOODALL = {
    "+ rule 5 (2 of 3 beyond 2 sigma)": (225.44, 20.01, 3.65, 1.68),
    "+ rule 6 (4 of 5 beyond 1 sigma)": (166.05, 12.66, 3.68, 1.89),
    "+ rule 2 with K 8 (8 on one side)": (152.73, 14.58, 4.89, 1.99),
}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--runs", type=int, default=4000)
    runs = parser.parse_args().runs
    started = time.perf_counter()
    print("| chart and rules | " + " | ".join(f"{shift:g} sigma" for shift in SHIFTS) + " |")
    print("|---|" + "---|" * len(SHIFTS))
    first = FIRST_ONLY
    single = ControlLimits("i-mr", 0, 1)
    rows = [
        ("I, rule 1", single, first, LEVEL, shewhart_run_length),
        ("I, rule 1, + rule 5 (2 of 3 beyond 2 sigma)", single, (*first, Rule(5, 2)), LEVEL, None),
        ("I, rule 1, + rule 6 (4 of 5 beyond 1 sigma)", single, (*first, Rule(6, 4)), LEVEL, None),
        ("I, rule 1, + rule 2 with K 8 (8 on one side)", single, (*first, Rule(2, 8)), LEVEL, None),
        ("I, Western Electric", single, WESTERN_ELECTRIC, LEVEL, None),
        ("I, rules 1 and 2 (K 9)", single, (*first, Rule(2, 9)), LEVEL, None),
        ("I, Nelson 1 to 8", single, NELSON, LEVEL, None),
        ("I and MR, rule 1 on both", single, first, "", None),
        ("I and MR, Nelson 1 to 8", single, NELSON, "", None),
        (
            "EWMA, lambda 0.2, L 3",
            ControlLimits("ewma", 0, 1),
            first,
            "",
            lambda d: ewma_run_length(d, 0.2, 3),
        ),
        (
            "EWMA, lambda 0.1, L 2.814",
            ControlLimits("ewma", 0, 1, k=2.814, weight=0.1),
            first,
            "",
            lambda d: ewma_run_length(d, 0.1, 2.814),
        ),
        (
            "CUSUM, k 0.5, h 5",
            ControlLimits("cusum", 0, 1),
            first,
            "",
            lambda d: cusum_run_length(d, 0.5, 5),
        ),
        (
            "CUSUM, k 0.5, h 4",
            ControlLimits("cusum", 0, 1, decision=4),
            first,
            "",
            lambda d: cusum_run_length(d, 0.5, 4),
        ),
        (
            "CUSUM, k 0.5, h 4, head start 2",
            ControlLimits("cusum", 0, 1, decision=4, head_start=2),
            first,
            "",
            lambda d: cusum_run_length(d, 0.5, 4, 2),
        ),
    ]
    for seed, (name, limits, rules, panel, exact) in enumerate(rows):
        cells = []
        for shift in SHIFTS:
            found = simulate_run_length(limits, rules, shift, runs=runs, seed=seed, panel=panel)
            cell = f"{found.mean:.3g} ± {2 * found.error:.1g}"
            cells.append(f"{cell} ({exact(shift):.3g})" if exact else cell)
        print(f"| {name} | " + " | ".join(cells) + " |", flush=True)
    print(f"\n{runs} runs each, ± two standard errors, {time.perf_counter() - started:.0f} s")
    for rule, values in CHAMP_AND_WOODALL.items():
        print(f"Champ and Woodall, rule 1 {rule}: {values} at 0, 1, 2 and 3 sigma")


if __name__ == "__main__":
    main()
