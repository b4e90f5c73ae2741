"""Views of candidates for a set-up: what several of them share is learnt once."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, cast

import numpy as np
from numpy.typing import NDArray

from flawline.core.view.alignment import Alignment, Pose
from flawline.core.view.alignment_training import fit_alignment
from flawline.core.view.foreground import Foreground, fit_foreground
from flawline.core.view.framing import choose_framing
from flawline.core.view.illumination import Illumination, fit_illumination
from flawline.errors import UsageError
from flawline.inspector.view import PreparedPicture, View
from flawline.jobs.train.setup.candidate import Candidate
from flawline.jobs.train.training_job import TrainingJob
from flawline.jobs.train.view import on_threads, region_of, smallest_px
from flawline.types import Picture, Sample

MOST_LOOKED = 40
"""Most good pictures that a reference or a foreground is learnt from; those of a recipe are learnt from more."""


@dataclass(eq=False)
class TrialViews:
    """Views for the good pictures of trials.

    An alignment and the poses of pictures are found before the light is evened, whatever the candidate does with light:
    pictures are aligned by a structure from which lamps are nearly gone. A defect that is drawn into a picture leaves
    its pose as it was. A recipe learns its view anew.
    """

    job: TrainingJob
    good: Sequence[Sample]
    _lights: dict[str, Illumination] = field(default_factory=dict)
    _alignments: dict[str, Alignment | UsageError] = field(default_factory=dict)
    _foregrounds: dict[tuple[str, str], Foreground] = field(default_factory=dict)
    _poses: dict[tuple[str, str], Pose] = field(default_factory=dict)

    def view(self, candidate: Candidate) -> View:
        """Learn the view of a candidate; raises UsageError where it cannot be learnt from these pictures."""
        settings = candidate.applied(self.job.settings).view
        sizes = [self.job.chosen.sizes[sample.name] for sample in self.good]
        framing = choose_framing(sizes, settings.window, smallest_px(settings))
        region = region_of(settings, Counter(sizes).most_common(1)[0][0])
        light, alignment = self._light(candidate), self._alignment(candidate)
        view = View(framing, light, alignment, region)
        if not candidate.foreground:
            return view
        return replace(view, foreground=self._foreground(candidate, view))

    def look(self, candidate: Candidate, view: View) -> Callable[[Picture], PreparedPicture]:
        """Give what prepares a picture for a view."""
        return lambda picture: view.look(picture, self._pose(candidate, view, picture))

    def aligned_before(self, candidate: Candidate) -> bool:
        """Whether the alignment of a candidate was learnt before."""
        return candidate.alignment in self._alignments

    def _light(self, candidate: Candidate) -> Illumination | None:
        if candidate.light == "none":
            return None
        if candidate.light not in self._lights:
            pictures = self._read(lambda picture: picture.pixels)
            self._lights[candidate.light] = fit_illumination(pictures, cast(Any, candidate.light))
        return self._lights[candidate.light]

    def _alignment(self, candidate: Candidate) -> Alignment | None:
        method = candidate.alignment
        if method == "none":
            return None
        if method not in self._alignments:
            pictures = self._read(lambda picture: picture.pixels, MOST_LOOKED)
            try:
                self._alignments[method] = fit_alignment(
                    pictures, cast(Any, method), each=on_threads
                )
            except UsageError as error:
                self._alignments[method] = error
        found = self._alignments[method]
        if isinstance(found, UsageError):
            raise found
        return found

    def _foreground(self, candidate: Candidate, view: View) -> Foreground:
        seen, look = (candidate.alignment, candidate.light), self.look(candidate, view)
        if seen not in self._foregrounds:
            self._foregrounds[seen] = fit_foreground(
                self._read(lambda p: look(p).pixels, MOST_LOOKED)
            )
        return self._foregrounds[seen]

    def _pose(self, candidate: Candidate, view: View, picture: Picture) -> Pose | None:
        if view.alignment is None:
            return None
        known = candidate.alignment, picture.sha256
        if known not in self._poses:
            self._poses[known] = view.alignment.find(picture.pixels)
        return self._poses[known]

    def _read(
        self,
        function: Callable[[Picture], NDArray[np.uint8]],
        most: int | None = None,
    ) -> Iterator[NDArray[np.uint8]]:
        count = min(len(self.good), most or len(self.good))
        some = [self.good[place * len(self.good) // count] for place in range(count)]
        return (pixels for _, pixels in self.job.read(some, function))
