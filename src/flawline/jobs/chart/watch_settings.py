"""Settings of a monitored measure."""

from __future__ import annotations

from dataclasses import asdict, dataclass, field
from typing import Any

from flawline.core.spc.limits import ControlLimits, limits_as_dict
from flawline.core.spc.rules import FIRST_ONLY, Rule
from flawline.errors import UsageError
from flawline.jobs.chart.chart_series import Estimation, check_given
from flawline.jobs.chart.forming import Forming
from flawline.jobs.chart.series_name import series_name
from flawline.records.where import EVERYTHING, Where

LEAST_DRAWN = 200


@dataclass(frozen=True, slots=True)
class WatchSettings:
    """A monitored measure of the records, its chart, and the source of its limits.

    `limits` are frozen ones. Without them, limits are estimated from the first `learn` points, or else from all points
    stored at the start. `drawn` is how many points the chart shows.

    Raises:
        UsageError: settings that contradict each other.
    """

    measure: str
    kind: str = "i-mr"
    how: Forming = field(default_factory=Forming)
    where: Where = EVERYTHING
    rules: tuple[Rule, ...] = FIRST_ONLY
    limits: ControlLimits | None = None
    estimation: Estimation = field(default_factory=Estimation)
    learn: int | None = None
    drawn: int = 500

    def __post_init__(self) -> None:
        """Validate the settings."""
        if self.kind == "run":
            raise UsageError(
                "a run chart has no limits to judge new points by", hint="watch i-mr, ewma or cusum"
            )
        self.how.check_kind(self.kind)
        if self.how.product and self.how.every:
            raise UsageError(
                "subgroups of a number of rows end with each run of a product, and are not watched",
                hint="watch single parts, or lots with `by`",
            )
        if self.how.stage:
            raise UsageError(
                "stages have limits of their own", hint="watch one of them with `where` or `since`"
            )
        if self.learn is not None and (self.limits is not None or self.learn < 2):
            raise UsageError(
                f"limits come from the first points, at least 2, or are given; got {self.learn}"
                f"{' and given ones' if self.limits else ''}"
            )
        if self.limits is not None:
            check_given(self.limits, self.kind, self.rules, self.estimation)
        if self.drawn < LEAST_DRAWN:
            raise UsageError(f"at least {LEAST_DRAWN} points are drawn, got {self.drawn}")

    @property
    def name(self) -> str:
        """Name of the series in the keys and texts of alerts."""
        return series_name(self.measure, self.how, self.where.names)

    @property
    def further_columns(self) -> list[str]:
        """Columns to read in addition to the measure."""
        return ["id", *(name for name in self.how.columns(self.measure) if name != self.measure)]

    def as_dict(self, store: str) -> dict[str, Any]:
        """Build the JSON document of all settings that affect how a point is judged."""
        where, estimation = self.where, self.estimation
        # Watches of version 0.1 go on: what is usual is left out.
        sigma_from = estimation.sigma_from
        other = {} if sigma_from == "mean" else {"sigma_from": sigma_from}
        return {
            "store": store,
            "measure": self.measure,
            "chart": self.kind,
            "points": {
                name: value
                for name, value in asdict(self.how).items()
                if name != "product" or value is not None
            },
            "where": {
                "since": None if where.since is None else where.since.isoformat(),
                "until": None if where.until is None else where.until.isoformat(),
                "names": dict(where.names),
            },
            "rules": {str(rule.number): rule.k for rule in self.rules},
            "limits": None if self.limits is None else limits_as_dict(self.limits),
            "phase_one": self.learn,
            "set_aside": [*estimation.set_aside, *(["auto"] if estimation.automatic else [])],
            "transform": estimation.transform,
            "own": None if estimation.own is None else limits_as_dict(estimation.own),
            "drawn": self.drawn,
            **other,
        }
