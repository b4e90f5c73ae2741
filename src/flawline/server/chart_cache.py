"""Keep charts that were computed, as long as nothing came and nothing was entered since."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable
from threading import Lock
from typing import Any, TypeVar

from flawline.jobs.chart.record_chart import (
    ChartChoice,
    Overview,
    RecordChart,
    read_chart,
    read_overview,
)
from flawline.records.store import Store

T = TypeVar("T")
MOST = 24


class ChartCache:
    """Charts of a store; safe from several threads."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self._kept: OrderedDict[Any, Any] = OrderedDict()
        self._lock = Lock()

    def chart(self, choice: ChartChoice, measure: str) -> RecordChart:
        """Chart one measure; errors as `read_chart`."""
        return self._get((repr(choice), measure), lambda: read_chart(self._store, choice, measure))

    def overview(self, choice: ChartChoice) -> Overview:
        """Chart all measures; errors as `read_overview`."""
        return self._get((repr(choice), None), lambda: read_overview(self._store, choice))

    def _get(self, what: tuple[str, str | None], compute: Callable[[], T]) -> T:
        key = (*what, self._store.arrived(), self._store.charts.last())
        with self._lock:
            if key in self._kept:
                self._kept.move_to_end(key)
                found: T = self._kept[key]
                return found
        found = compute()
        with self._lock:
            self._kept[key] = found
            while len(self._kept) > MOST:
                self._kept.popitem(last=False)
        return found
