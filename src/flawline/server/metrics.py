"""Count and time what the server does, in the format of Prometheus."""

from __future__ import annotations

from collections.abc import Mapping

from prometheus_client import (
    CONTENT_TYPE_LATEST,
    CollectorRegistry,
    Counter,
    Gauge,
    Histogram,
    generate_latest,
)

CONTENT_TYPE = CONTENT_TYPE_LATEST
_BUCKETS = (0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1.0, 2.0, 5.0)


class Metrics:
    """The figures of one server."""

    def __init__(self) -> None:
        self._registry = CollectorRegistry()
        self._stages = Histogram(
            "flawline_stage_seconds",
            "Seconds of each stage of an inspection",
            ("stage",),
            buckets=_BUCKETS,
            registry=self._registry,
        )
        self._verdicts = Counter(
            "flawline_verdicts", "Verdicts", ("product", "verdict"), registry=self._registry
        )
        self._refused = Counter(
            "flawline_refused",
            "Requests refused because all places were taken",
            registry=self._registry,
        )
        self._waiting = Gauge(
            "flawline_judging", "Pictures that are judged or wait", registry=self._registry
        )

    def judged(self, product: str, verdict: str, timings: Mapping[str, float]) -> None:
        """Count an inspection; `timings` are milliseconds by stage."""
        self._verdicts.labels(product, verdict).inc()
        for stage, milliseconds in timings.items():
            self._stages.labels(stage).observe(milliseconds / 1000)

    def unjudged(self, product: str) -> None:
        """Count a picture that could not be judged."""
        self._verdicts.labels(product, "unjudged").inc()

    def refused(self) -> None:
        """Count a request that found no place."""
        self._refused.inc()

    def text(self, waiting: int) -> bytes:
        """Write all figures."""
        self._waiting.set(waiting)
        return generate_latest(self._registry)
