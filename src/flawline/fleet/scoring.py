"""Compare pictures with drawn references on actors."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from typing import Any

from flawline.data.opening import Opening
from flawline.features.compute import FeatureSettings, check_same_network, expected_network
from flawline.jobs.rank.rank import open_reader
from flawline.jobs.rank.rank_by_comparison import Fitted, score
from flawline.networks.threads import one_thread
from flawline.types import Sample, no_track


@dataclass(frozen=True, slots=True)
class Scoring:
    """The job that scores pictures against references.

    `described` is that of the saved ranking; `same_source` as for `rank_by_comparison.score`.
    """

    settings: FeatureSettings
    fitted: Fitted
    described: Mapping[str, Any]
    opening: Opening
    same_source: bool

    def open(self, stack: ExitStack) -> Callable[[Sequence[Sample]], Sequence[Any]]:
        """Load the network and open the source; see `Job.open`."""
        files = stack.enter_context(self.opening.files())
        expected = expected_network(self.described)
        reader = open_reader(files, self.settings, None, no_track, expected)
        check_same_network(self.described, reader.rows.network)

        def work(samples: Sequence[Sample]) -> list[Mapping[str, Any]]:
            reader.notes.clear()
            with one_thread():
                scored = score(reader, self.fitted, samples, same_source=self.same_source)
            found = {
                item.image: {"code": item.code, "reason": item.reason} for item in scored.unjudged
            }
            for sample, value, views in zip(
                scored.samples, scored.scores, scored.views, strict=True
            ):
                found[sample.name] = row_of(value, views)
            return [found[sample.name] for sample in samples]

        return work


def row_of(score: Any, views: Any) -> dict[str, Any]:
    """Make the row of a scored picture, with every digit."""
    return {"score": float(score), "views": [float(view) for view in views]}
