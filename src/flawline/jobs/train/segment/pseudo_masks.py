"""Masks that a segmenter in training predicted for pictures without masks, to learn from them as well."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from flawline.core.class_learning import ClassLearning
from flawline.core.pseudo_mask import Trust
from flawline.core.words import counted
from flawline.data.whole_file import replacing
from flawline.errors import ModelError
from flawline.jobs.train.segment.progress_record import EpochRecord
from flawline.jobs.train.segment.unmasked_pictures import UnmaskedPictures
from flawline.types import Picture, Sample

FOLDER = "pseudo-masks"
_LEAST_GAIN = 0.01


@dataclass(frozen=True, slots=True)
class PseudoMasks:
    """What was predicted by the best network of the first `epochs`.

    `trust` says which classes of defects it may state. `pictures` are the hashes of those with a mask, of which
    `defective` show a defect; `skipped` were not predicted for lack of time, `blank` have no pixel that is certain.
    """

    epochs: int
    trust: tuple[Trust, ...]
    pictures: tuple[str, ...] = ()
    defective: int = 0
    blank: int = 0
    skipped: int = 0

    @property
    def used(self) -> bool:
        """Whether there is anything to learn from."""
        return bool(self.pictures)

    def as_dict(self) -> dict[str, Any]:
        """Return plain values for JSON."""
        return asdict(self)


def pseudo_from_dict(values: Mapping[str, Any]) -> PseudoMasks:
    """Restore from `PseudoMasks.as_dict`."""
    trust = tuple(
        Trust(**{**one, "learning": one["learning"] and ClassLearning(**one["learning"])})
        for one in values["trust"]
    )
    return PseudoMasks(**{**values, "trust": trust, "pictures": tuple(values["pictures"])})


@dataclass(frozen=True, slots=True, eq=False)
class PseudoMasked:
    """Pictures with predicted masks, which are files in the folder of a training; the samples are named by hash."""

    unmasked: UnmaskedPictures
    classes: tuple[str, ...]
    folder: Path
    hashes: tuple[str, ...]

    def samples(self) -> Sequence[Sample]:
        """List the pictures."""
        return [Sample(sha256) for sha256 in self.hashes]

    def pair(self, sample: Sample) -> tuple[Picture, NDArray[np.uint8]]:
        """Read a picture and its mask; raises ModelError where the mask is missing or damaged."""
        path = mask_file(self.folder, sample.name)
        mask = cv2.imread(str(path), cv2.IMREAD_UNCHANGED) if path.is_file() else None
        picture = self.unmasked.picture(sample.name)
        if mask is None or mask.dtype != np.uint8 or mask.shape != picture.pixels.shape[:2]:
            raise ModelError(
                f"{path} is no mask of {self.unmasked.samples[sample.name].name}",
                hint="train anew without `resume`",
                code="model-damaged",
            )
        return picture, np.asarray(mask, np.uint8)


def write_mask(folder: Path, sha256: str, mask: NDArray[np.uint8]) -> None:
    """Write the mask of a picture, uint8 (H, W)."""
    path = mask_file(folder, sha256)
    path.parent.mkdir(parents=True, exist_ok=True)
    with replacing(path) as part:
        part.write_bytes(cv2.imencode(".png", mask)[1].tobytes())


def mask_file(folder: Path, sha256: str) -> Path:
    """Name the file of the mask of a picture in the folder of a training."""
    return folder / FOLDER / f"{sha256}.png"


@dataclass(frozen=True, slots=True)
class Kept:
    """Highest decision metric of the epochs before and after pseudo-masks were learnt from; None without an epoch."""

    before: float | None
    after: float | None

    @property
    def with_unmasked(self) -> bool:
        """Whether the kept network learnt from pseudo-masks: only where it is better on validation."""
        return self.after is not None and self.after > (self.before or 0.0)


def levelled_off(records: Sequence[EpochRecord]) -> bool:
    """Tell whether the later half of the epochs gained less than a point: masks alone have little more to teach."""
    decisions = [record.decision or 0.0 for record in records]
    half = len(decisions) // 2
    return half > 0 and max(decisions) - max(decisions[:half]) < _LEAST_GAIN


def kept_network(pseudo: PseudoMasks, records: Sequence[EpochRecord]) -> Kept:
    """Compare the epochs before with those after."""
    first = [r.decision for r in records if r.epoch <= pseudo.epochs and r.decision is not None]
    then = [r.decision for r in records if r.epoch > pseudo.epochs and r.decision is not None]
    return Kept(max(first, default=None), max(then, default=None))


def pseudo_figures(pseudo: PseudoMasks, records: Sequence[EpochRecord]) -> dict[str, Any]:
    """Describe for a recipe's manifest what was predicted, and which network was kept."""
    kept = kept_network(pseudo, records)
    return {
        "after_epoch": pseudo.epochs,
        "with_defects": pseudo.defective,
        "nothing_certain": pseudo.blank,
        "out_of_time": pseudo.skipped,
        "trust": [asdict(one) for one in pseudo.trust],
        "decision_before": kept.before,
        "decision_after": kept.after,
        "kept": "with unmasked pictures" if kept.with_unmasked else "masks alone",
    }


def pseudo_messages(pseudo: PseudoMasks | None, records: Sequence[EpochRecord]) -> list[str]:
    """Say what was learnt from pictures without masks, and whether it helped on validation."""
    if pseudo is None:
        return [
            "pictures without masks were not learnt from: until the training was over, masks alone still brought a "
            "gain on validation. Give it more epochs or minutes"
        ]
    lines = [_trusted(one) for one in pseudo.trust]
    if not pseudo.used:
        return [
            *lines,
            "pictures without masks were not learnt from: nothing that is predicted on them can be trusted",
        ]
    kept = kept_network(pseudo, records)
    blank = f"; on {pseudo.blank} nothing is certain, so they teach nothing" if pseudo.blank else ""
    skipped = f"; {pseudo.skipped} were left for lack of time" if pseudo.skipped else ""
    lines.append(
        f"after epoch {pseudo.epochs}, masks of {counted(len(pseudo.pictures), 'picture')} without one were predicted, "
        f"{pseudo.defective} with defects{blank}{skipped}"
    )
    figures = f"{_percent(kept.after)} against {_percent(kept.before)} before, on validation"
    if kept.with_unmasked:
        return [*lines, f"the network that learnt from them as well is kept: {figures}"]
    return [
        *lines,
        f"the network that learnt from masks alone is kept: learning from them gave {figures}. Train without "
        "`unmasked`: all the time then goes to the masks",
    ]


def _trusted(one: Trust) -> str:
    pictures = counted(one.pictures, "validation picture")
    if one.limit is None:
        why = (
            "no validation picture shows it"
            if one.learning is None
            else f"nothing was learnt of it, by {pictures}"
        )
        return f"{one.name} is not predicted on pictures without masks: {why}"
    return (
        f"{one.name} is predicted on pictures without masks from a probability of {one.limit:.2f} on: right for "
        f"{_percent(one.precision)} of such pixels on validation, where {pictures} show it"
    )


def _percent(value: float | None) -> str:
    return "-" if value is None else f"{100 * value:.1f} %"
