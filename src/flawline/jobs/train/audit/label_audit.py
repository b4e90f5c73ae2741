"""Result of an audit of labels."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from flawline.core.basis_verdict import BasisVerdict, audit_verdict
from flawline.core.class_learning import ClassLearning
from flawline.jobs.train.audit.audit_settings import AuditSettings
from flawline.jobs.train.audit.mark_shifts import shift_words
from flawline.jobs.train.audit.suspicious_regions import Kind
from flawline.types import Unjudged


@dataclass(frozen=True, slots=True)
class SuspectRegion:
    """A region of a mask that looks wrong.

    `kind` is "missing", "extra", "class" or "border" (`SuspiciousRegion`), `given` the class in the mask, `seen` the
    predicted one; `area` in pixels, `box` (left, top, width, height) in pixels, `confidence` the mean probability of
    `seen`. `runs` are lengths of pixels outside and inside in turn, down the columns of the whole picture, as in COCO.
    Where the mark as a whole is shifted, `shift` (x, y) says how far to the right and down it lies of its place, px.
    """

    kind: Kind
    given: str
    seen: str
    area: int
    box: tuple[int, int, int, int]
    confidence: float
    runs: tuple[int, ...]
    shift: tuple[int, int] | None = None

    @property
    def words(self) -> str:
        """Say what is wrong beyond the classes: empty but for a shifted mark."""
        return shift_words(*self.shift) if self.shift else ""


@dataclass(frozen=True, slots=True)
class AuditedPicture:
    """One picture: `rank` from 1, the most suspicious mask first, by `score`, 0 to 1, low where a mask looks wrong.

    `size` is (height, width), `number` its place among the readable pictures of the source, `fold` counts from 1.
    """

    rank: int
    image: str
    score: float
    size: tuple[int, int]
    number: int
    fold: int
    regions: tuple[SuspectRegion, ...]


@dataclass(frozen=True, slots=True)
class LabelAudit:
    """Result of an audit: all pictures by rank, and estimates over all of them.

    `masks` were read. `learning` says what the segmenters learnt of each class, None for one without a pixel in the
    masks. Where they learnt nothing of a class, its masks are not judged; where of none, there are no `pictures`, and
    `noise` is None. `thresholds` are the mean self-confidences of the classes, None for one without a pixel. `joint`
    are pixels by given (rows) and confidently predicted class (columns), `noise` the estimated share of known pixels
    with a wrong class.
    """

    source: str
    classes: tuple[str, ...]
    settings: AuditSettings
    masks: int
    pictures: tuple[AuditedPicture, ...]
    learning: tuple[ClassLearning | None, ...]
    thresholds: tuple[float | None, ...]
    joint: tuple[tuple[int, ...], ...]
    noise: float | None
    notes: tuple[str, ...]
    unjudged: tuple[Unjudged, ...]

    def regions(self) -> Iterator[tuple[AuditedPicture, SuspectRegion]]:
        """Iterate over the suspicious regions, those of the most suspicious picture first."""
        return ((picture, region) for picture in self.pictures for region in picture.regions)

    @property
    def suspects(self) -> int:
        """Number of suspicious regions."""
        return sum(len(picture.regions) for picture in self.pictures)

    @property
    def unlearnt(self) -> tuple[str, ...]:
        """Name the classes of defects whose masks are not judged, since the segmenters learnt nothing of them."""
        pairs = zip(self.classes[1:], self.learning[1:], strict=True)
        return tuple(name for name, one in pairs if one is not None and not one.learnt)

    @property
    def verdict(self) -> BasisVerdict:
        """Say whether the segmenters learnt enough for the audit to be used."""
        learning = dict(zip(self.classes[1:], self.learning[1:], strict=True))
        training = self.settings.training
        epochs = None if training.minutes else training.epochs
        return audit_verdict(learning, epochs, self.masks)

    @property
    def exit_code(self) -> int:
        """0 without suspicious regions, 1 with some, 2 where something could not be read or not be judged."""
        return 2 if self.unjudged or self.unlearnt else 1 if self.suspects else 0
