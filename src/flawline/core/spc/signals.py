"""Hits gathered into signals: what one pattern on a chart is to a person."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from flawline.core.spc.rules import Rule, RuleSignal

# Panels on which one value carries the next.
CARRYING = frozenset({"EWMA", "upper sum", "lower sum"})


@dataclass(frozen=True, slots=True)
class Signal:
    """A pattern that goes on over one or more points, counted from 0.

    `first` is the earliest point of the pattern, `rang` the point that completed it, `last` the latest that still does;
    `points` are all that do.
    """

    panel: str
    rule: Rule
    side: int
    first: int
    triggered: int
    last: int
    points: tuple[int, ...]


def merge_signals(hits: Iterable[RuleSignal]) -> tuple[Signal, ...]:
    """Signals in the order in which they rang; hits of one rule and side whose patterns overlap are one signal.

    Points beyond a limit are one signal each, for each may have a cause of its own; but on an EWMA or CUSUM, where one
    carries the next, neighbours are one.
    """
    open_runs: dict[tuple[str, int, int], list[RuleSignal]] = {}
    done: list[list[RuleSignal]] = []
    for hit in sorted(hits, key=lambda one: one.at):
        key = (hit.panel, hit.rule.number, hit.side)
        run = open_runs.get(key)
        carried = hit.panel in CARRYING and run is not None and hit.at == run[-1].at + 1
        if run is not None and (carried or hit.first <= run[-1].at):
            run.append(hit)
        else:
            open_runs[key] = [hit]
            done.append(open_runs[key])
    found = [_signal(run) for run in done]
    return tuple(sorted(found, key=lambda signal: (signal.triggered, signal.rule.number)))


def _signal(run: list[RuleSignal]) -> Signal:
    start, end = run[0], run[-1]
    points = tuple(hit.at for hit in run)
    return Signal(start.panel, start.rule, start.side, start.first, start.at, end.at, points)
