"""Choose the pictures that candidates for a set-up are judged by, and read them."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from itertools import groupby
from typing import Any

from flawline.data.splits import folds_of
from flawline.jobs.train.setup.drawn_bad import DefectDrawing
from flawline.jobs.train.training_job import TrainingJob
from flawline.types import Picture, Sample

FOLDS = 3
ENOUGH_BAD = 10
"""With fewer known bad parts, drawn defects are judged by as well."""


@dataclass(frozen=True, slots=True, eq=False)
class JudgedPictures:
    """Pictures that candidates are judged by.

    `good` and `bad` are samples, the bad ones known or drawn; the name of a drawn one stands for no file, and
    `originals` has the good sample that it is drawn into. `parts` and `folds` have the part of each by its name, and
    the fold in which it is not learnt from. `known` counts the known bad parts.
    """

    good: tuple[Sample, ...]
    bad: tuple[Sample, ...]
    originals: Mapping[str, Sample]
    parts: Mapping[str, str]
    folds: Mapping[str, int]
    known: int
    drawing: DefectDrawing
    undrawn: set[str] = field(default_factory=set)

    def read(
        self,
        job: TrainingJob,
        samples: Sequence[Sample],
        function: Callable[[Picture], Any],
        *,
        title: str = "",
    ) -> Iterator[tuple[Sample, Any]]:
        """Apply a function to pictures as they are and to drawn ones, in order; those without room stay plain."""

        def drawn(picture: Picture) -> tuple[bool, Any]:
            found = self.drawing(picture)
            return found is not None, function(picture if found is None else found)

        for is_drawn, group in groupby(samples, lambda sample: sample.name in self.originals):
            own = list(group)
            if not is_drawn:
                yield from job.read(own, function, title=title)
                continue
            originals = [self.originals[sample.name] for sample in own]
            for sample, (_, (there, result)) in zip(
                own, job.read(originals, drawn, title=title), strict=True
            ):
                if not there:
                    self.undrawn.add(sample.name)
                yield sample, result

    @property
    def good_units(self) -> Mapping[str, str]:
        """What a good sample is judged as, by its name: its part, or by itself beside drawn defects.

        A defect is drawn into one picture. The highest of all pictures of a good part would be compared with a single
        one, and parts of many pictures would look worse than any defect.
        """
        return {s.name: s.name if self.originals else self.parts[s.name] for s in self.good}

    @property
    def judged_bad(self) -> tuple[Sample, ...]:
        """The bad samples that show a defect; known once all were read."""
        return tuple(sample for sample in self.bad if sample.name not in self.undrawn)


def choose_judged(
    job: TrainingJob, drawing: DefectDrawing, *, most_good: int, most_bad: int
) -> JudgedPictures:
    """Choose at most so many pictures of each kind, whole parts of them, and deal them to folds by part."""
    chosen, seed = job.chosen, job.settings.seed
    parts = dict(chosen.parts)
    good = _some(chosen.learn, parts, most_good)
    known = _some(chosen.defective, parts, most_bad)
    known_parts = len({parts[sample.name] for sample in known})
    drawn: tuple[Sample, ...] = ()
    originals: dict[str, Sample] = {}
    if known_parts < ENOUGH_BAD:
        count = min(most_bad - len(known), len(good))
        # Evenly among all, so that no few parts decide.
        own = [good[place * len(good) // count] for place in range(count)]
        originals = {_drawn_name(sample): sample for sample in own}
        drawn = tuple(replace(sample, name=name) for name, sample in originals.items())
    folds = {
        sample.name: number
        for samples in (good, known)
        for number, fold in enumerate(folds_of(samples, parts, FOLDS, seed=seed))
        for sample in fold
    }
    # A part that is there both good and bad is bad where it was not learnt from.
    of_part = {parts[sample.name]: folds[sample.name] for sample in good}
    folds |= {s.name: of_part.get(parts[s.name], folds[s.name]) for s in known}
    folds |= {name: folds[sample.name] for name, sample in originals.items()}
    parts |= {name: f"drawn {name}" for name in originals}
    bad = (*known, *drawn)
    return JudgedPictures(good, bad, originals, parts, folds, known_parts, drawing)


def _some(samples: Sequence[Sample], parts: Mapping[str, str], most: int) -> tuple[Sample, ...]:
    """Choose whole parts, evenly among all, of about `most` pictures."""
    own = list(dict.fromkeys(parts[sample.name] for sample in samples))
    if not own:
        return ()
    count = min(len(own), max(2, most * len(own) // len(samples)))
    kept = {own[place * len(own) // count] for place in range(count)}
    return tuple(sample for sample in samples if parts[sample.name] in kept)


def _drawn_name(sample: Sample) -> str:
    return f"{sample.name} with a drawn defect"
