"""Try evidence of known defects on pictures that it was not learnt from."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from flawline.core.known_defects import Evidence, Trial
from flawline.core.thinning import thinned
from flawline.core.threshold import highest_by_part
from flawline.data.splits import folds_of
from flawline.detectors.detector import DetectorState
from flawline.jobs.train.kept_patches import KeptPatches
from flawline.jobs.train.known_examples import Examples
from flawline.jobs.train.known_patches import ScoredPatches, scored_patches
from flawline.types import Sample

FOLDS = 5
WEIGHTS = (0.0, 0.5, 1.0, 2.0, 4.0)
"""Of the evidence: of its standard deviation over good pictures in that of their scores."""
MOST_KINDS = 10
_USUAL = 50
"""Good pictures that show how much evidence is usual."""
_JUDGING = 200
"""Most good pictures that set the thresholds of kinds left out."""

ByWeight = Mapping[str, NDArray[np.float64]]
"""Score and highest cell of pictures by name for each weight, (weights, 2)."""


@dataclass(frozen=True, slots=True, eq=False)
class Trials:
    """Good and bad pictures to try evidence on.

    `kept` are the patches of the good and of the bad ones, `state` the detector that evidence is added to.
    """

    good: Sequence[Sample]
    bad: Sequence[Sample]
    parts: Mapping[str, str]
    kept: tuple[KeptPatches, KeptPatches]
    state: DetectorState
    found: Examples

    def head(self, names: Collection[str]) -> Evidence:
        """Learn evidence from pictures: above what half of the good pictures have, in the scale of their scores."""
        evidence = self.found.evidence(names)
        plain, own = [], []
        for _, one in self._pictures(thinned(self.good, _USUAL)):
            found = evidence.of(one.patches, one.scores.ravel()).reshape(one.scores.shape)
            plain.append(one.picture_score(one.scores)[0])
            own.append(one.picture_score(found)[0])
        weight = float(np.std(plain)) / max(float(np.std(own)), 1e-6)
        return evidence.scaled(float(np.median(own)), max(weight, 1e-6))

    def scores(self, samples: Sequence[Sample], heads: Mapping[str, Evidence]) -> ByWeight:
        """Score pictures with each weight, with the evidence for each by name."""
        return {name: one.raised(heads[name], WEIGHTS) for name, one in self._pictures(samples)}

    def plain(self, samples: Sequence[Sample]) -> ByWeight:
        """Score pictures as they were, with the weight 0 alone."""
        return {
            name: np.array([one.picture_score(one.scores)]) for name, one in self._pictures(samples)
        }

    def in_folds(self, seed: int) -> tuple[ByWeight, ByWeight]:
        """Score good and bad pictures with evidence learnt from the other folds of parts; of two bad parts or more."""
        fold = self._folds(seed)
        heads = {
            number: self.head({name for name in self.found.scores if fold[name] != number})
            for number in sorted(set(fold.values()))
        }
        of_picture = {name: heads[number] for name, number in fold.items()}
        return self.scores(self.good, of_picture), self.scores(self.bad, of_picture)

    def left_out_kinds(self) -> Iterator[Trial]:
        """Try each kind of defect with evidence of the others, where labels name several."""
        label = {sample.name: sample.label for sample in self.bad}
        kinds = Counter(label.values())
        if len(kinds) < 2:
            return
        some = thinned(self.good, _JUDGING)
        for kind, _ in kinds.most_common(MOST_KINDS):
            own = [sample for sample in self.bad if sample.label == kind]
            apart = {self.parts[sample.name] for sample in own}
            others = {name for name in label if self.parts[name] not in apart}
            if others:
                head = self.head(others | {sample.name for sample in self.good})
                good, bad = (
                    self.scores(samples, dict.fromkeys(names_of(samples), head))
                    for samples in (some, own)
                )
                yield self.trial(good, bad)

    def trial(self, good: ByWeight, bad: ByWeight) -> Trial:
        """Reduce scores of pictures to the highest of each part."""
        return Trial(_by_part(good, self.parts), _by_part(bad, self.parts))

    def _folds(self, seed: int) -> dict[str, int]:
        """Deal the parts with a bad picture to folds, and the others to as many."""
        dealt = folds_of(self.bad, self.parts, FOLDS, seed=seed)
        fold = {self.parts[one.name]: number for number, own in enumerate(dealt) for one in own}
        others = [sample for sample in self.good if self.parts[sample.name] not in fold]
        for number, own in enumerate(folds_of(others, self.parts, len(dealt), seed=seed)):
            fold |= {self.parts[one.name]: number for one in own}
        return {sample.name: fold[self.parts[sample.name]] for sample in (*self.good, *self.bad)}

    def _pictures(self, samples: Sequence[Sample]) -> Iterator[tuple[str, ScoredPatches]]:
        good, bad = self.kept
        for name in names_of(samples):
            kept = good if name in good.looks else bad
            yield from scored_patches(kept, self.state, [name], [self.found.scores[name]])


def names_of(samples: Iterable[Sample]) -> list[str]:
    """List the names of samples."""
    return [sample.name for sample in samples]


def _by_part(found: ByWeight, parts: Mapping[str, str]) -> NDArray[np.float64]:
    """Reduce scores to the highest of each part, (weights, parts)."""
    own = [parts[name] for name in found]
    rows = np.stack(list(found.values()))[..., 0]
    return np.stack([highest_by_part(column, own) for column in rows.T])
