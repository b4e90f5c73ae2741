"""Where the limits of a chart come from, out of the options of the command."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from flawline.core.spc.limits import ControlLimits
    from flawline.jobs.chart.chart_series import Estimation


def own_limits(
    kind: str, weight: float, reference: float, decision: float, head_start: float
) -> ControlLimits:
    """Limits that hold the chart's own parameters, and no estimate yet."""
    from flawline.core.spc.limits import ControlLimits

    return ControlLimits(
        kind,
        0.5,
        1.0,
        weight=weight,
        reference=reference,
        decision=decision,
        head_start=head_start,
    )


def given_standards(
    own: ControlLimits, centre: float | None, sigma: float | None
) -> ControlLimits | None:
    """Limits out of a given mean and standard deviation, if they are given.

    Raises:
        UsageError: one is given without the other.
    """
    from dataclasses import replace

    from flawline.core.spc.limits import COUNTED
    from flawline.errors import UsageError

    if centre is None and sigma is None:
        return None
    if sigma is None and own.chart in (*COUNTED, "run"):
        sigma = 1.0
    if centre is None or sigma is None:
        raise UsageError("--centre and --sigma go together", hint="or give --limits FILE")
    return replace(own, centre=centre, sigma=sigma)


def wanted_estimation(
    set_aside: list[str] | None, transform: str, own: ControlLimits
) -> Estimation:
    """How limits are to be estimated."""
    from flawline.jobs.chart.chart_series import Estimation

    named = tuple(name for name in set_aside or () if name != "auto")
    return Estimation(named, "auto" in (set_aside or ()), transform, own)


def check_freeze(freeze: Path | None, given: ControlLimits | None) -> None:
    """Refuse to freeze what is not estimated.

    Raises:
        UsageError: the limits are given.
    """
    from flawline.errors import UsageError

    if freeze and given is not None:
        raise UsageError("limits are frozen where they are estimated, and these are given")
