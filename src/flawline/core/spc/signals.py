"""Merge the signals of single points into one signal for each pattern."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from flawline.core.spc.rules import Rule, RuleSignal

# Panels on which each value contains the one before.
CARRYING = frozenset({"EWMA", "moving average", "zone score", "upper sum", "lower sum"})


@dataclass(frozen=True, slots=True)
class Signal:
    """A pattern over one or more points, counted from 0.

    `first` is the earliest point of the pattern, `triggered` the point that completed it first, `last` the latest that
    completes it; `points` are all that complete it.
    """

    panel: str
    rule: Rule
    side: int
    first: int
    triggered: int
    last: int
    points: tuple[int, ...]


def merge_signals(signals: Iterable[RuleSignal]) -> tuple[Signal, ...]:
    """Merge signals of one rule and side whose patterns overlap; the result is in the order of their triggers.

    Points beyond a limit are one signal each, for each may have its own cause. On a moving average,
    an EWMA, a CUSUM or zone scores, where each value contains the one before, neighbours are one signal.
    """
    open_runs: dict[tuple[str, int, int], list[RuleSignal]] = {}
    done: list[list[RuleSignal]] = []
    for one in sorted(signals, key=lambda signal: signal.at):
        key = (one.panel, one.rule.number, one.side)
        run = open_runs.get(key)
        carried = one.panel in CARRYING and run is not None and one.at == run[-1].at + 1
        if run is not None and (carried or one.first <= run[-1].at):
            run.append(one)
        else:
            open_runs[key] = [one]
            done.append(open_runs[key])
    merged = [_signal(run) for run in done]
    return tuple(sorted(merged, key=lambda signal: (signal.triggered, signal.rule.number)))


def _signal(run: list[RuleSignal]) -> Signal:
    start, end = run[0], run[-1]
    points = tuple(one.at for one in run)
    return Signal(start.panel, start.rule, start.side, start.first, start.at, end.at, points)
