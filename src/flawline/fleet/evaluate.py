"""Inspect the pictures of an evaluation on Ray; figures are counted in the process that asks."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from typing import Any

from flawline.data.opening import Opening
from flawline.data.source import Source
from flawline.errors import UsageError
from flawline.fleet.cluster import ray_on
from flawline.fleet.inspecting import THREADS, packed, unpacked
from flawline.fleet.spread import spread
from flawline.inspector import Inspector
from flawline.jobs.evaluate.judging import Look, Looked, Noted, look_at
from flawline.types import Sample, Unjudged

# Maps and probabilities are many times as large as what is told of a picture.
_BATCH, _BATCH_OF_CLASSES = 8, 2


@dataclass(frozen=True, slots=True)
class Looking:
    """The job that inspects pictures and gives back maps and class masks; with `classes` probabilities too."""

    recipe: bytes
    precision: str
    opening: Opening
    classes: bool

    def open(self, stack: ExitStack) -> Callable[[Sequence[Sample]], Sequence[Any]]:
        """Load the recipe and open the source; see `Job.open`."""
        files = stack.enter_context(self.opening.files())
        inspector = Inspector(unpacked(self.recipe), precision=self.precision)

        def work(samples: Sequence[Sample]) -> list[Any]:
            notes: dict[str, tuple[str, ...]] = {}
            looked = look_at(
                files,
                samples,
                inspector,
                classes=self.classes,
                noted=notes.__setitem__,
                workers=THREADS,
            )
            return [(found, notes.get(sample.name, ())) for sample, found in looked]

        return work


@contextmanager
def looking_on(on: str, source: Source, inspector: Inspector) -> Iterator[Look]:
    """Have Ray inspect the pictures of an open source, for `flawline.jobs.evaluate.evaluate`.

    Args:
        on: as for `ray_on`.
        source: every machine of the cluster opens it by the same location.
        inspector: whose recipe is sent along.

    Raises:
        UsageError, DependencyError, FlawlineError: as for `inspect_on_ray`.
    """
    if source.opening is None:
        raise UsageError("pictures in memory cannot be spread; give the place of their files")
    opening = source.opening.anywhere()

    def look(
        samples: Sequence[Sample], *, classes: bool, noted: Noted
    ) -> Iterator[tuple[Sample, Looked | Unjudged]]:
        job = Looking(packed(inspector.recipe), inspector.precision, opening, classes)
        batch = _BATCH_OF_CLASSES if classes else _BATCH
        results = spread(job, samples, batch=batch)
        for sample, (found, notes) in zip(samples, results, strict=True):
            if notes:
                noted(sample.name, notes)
            yield sample, found

    with ray_on(on):
        yield look
