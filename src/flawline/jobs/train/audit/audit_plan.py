"""Choose the pictures of an audit and their folds."""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from flawline.data.json_file import parse_json, write_json_document
from flawline.data.splits import part_of, stratified
from flawline.errors import FlawlineError, SourceError, UsageError
from flawline.jobs.train.audit.audit_settings import AuditSettings
from flawline.jobs.train.segment.pairs import MaskedPictures
from flawline.types import Sample, Track, Unjudged

PLAN = "plan.json"
# Raised whenever the stored work of an older version cannot be used.
_VERSION = 1


@dataclass(frozen=True, slots=True, eq=False)
class AuditPlan:
    """Readable pictures, the fold of each from 0, and their pixels by class, int64 (N, C).

    `key` is a hash of everything that the probabilities depend on.
    """

    samples: tuple[Sample, ...]
    folds: tuple[int, ...]
    counts: NDArray[np.int64]
    unjudged: tuple[Unjudged, ...]
    key: str

    def of_fold(self, fold: int) -> list[int]:
        """Return the numbers of the pictures in a fold."""
        return [number for number, own in enumerate(self.folds) if own == fold]

    def learnt_from(self, fold: int) -> list[Sample]:
        """Return the training pictures of a fold: those of all other folds."""
        return [s for s, own in zip(self.samples, self.folds, strict=True) if own != fold]

    def unlearnt(self, fold: int) -> NDArray[np.int64]:
        """Return classes that occur in no picture outside a fold, so that its segmenter cannot know them."""
        outside = np.array(self.folds) != fold
        return np.flatnonzero(self.counts[outside].sum(0) == 0)


def make_plan(source: MaskedPictures, settings: AuditSettings, track: Track) -> AuditPlan:
    """Read every picture and mask once and deal them to folds by group, stratified by class.

    Pictures without a group but with the same file count as one group: a copy would reveal the label.

    Raises:
        SourceError: none can be read, or no mask shows a defect.
        UsageError: there are fewer groups than folds.
    """
    samples, counts, hashes, unjudged = _read(source, track)
    if not samples or not counts[:, 1:].any():
        reason = f": {unjudged[0].reason}" if unjudged else ""
        raise SourceError(
            f"expected pictures with masked defects, got {len(samples)} readable ones without any{reason}",
            hint="say where the annotations are, and which classes they have",
        )
    parts = {
        sample.name: part_of(sample) if sample.group is not None else f"picture {picture}"
        for sample, (picture, _) in zip(samples, hashes, strict=True)
    }
    contents = {s.name: own[1:].tolist() for s, own in zip(samples, counts, strict=True)}
    shares = {str(fold): 1 / settings.folds for fold in range(settings.folds)}
    split = stratified(samples, parts, contents, shares, seed=settings.training.seed)
    folds = tuple(int(split[sample.name]) for sample in samples)
    pictures = [[s.name, f, *own] for s, f, own in zip(samples, folds, hashes, strict=True)]
    training = {k: v for k, v in settings.of_fold.as_dict().items() if k != "workers"}
    content = json.dumps([_VERSION, source.classes, training, pictures]).encode()
    return AuditPlan(samples, folds, counts, unjudged, hashlib.sha256(content).hexdigest())


def claim(plan: AuditPlan, folder: Path) -> None:
    """Write the plan into the work folder, or check that it is the one there.

    Raises:
        UsageError: the folder holds the work of an audit of other pictures or masks, or with other settings.
    """
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / PLAN
    if not path.is_file():
        folds = {s.name: fold + 1 for s, fold in zip(plan.samples, plan.folds, strict=True)}
        write_json_document(path, {"key": plan.key, "folds": folds})
    elif _key(path) != plan.key:
        raise UsageError(
            f"{folder} holds the work of an audit of other pictures or masks, or with other settings",
            hint="give another folder with `out`, or remove that one",
        )


def _key(path: Path) -> object:
    try:
        document = parse_json(path.read_bytes())
    except ValueError:
        return None
    return document.get("key") if isinstance(document, dict) else None


def _read(
    source: MaskedPictures, track: Track
) -> tuple[tuple[Sample, ...], NDArray[np.int64], list[tuple[str, str]], tuple[Unjudged, ...]]:
    """Read samples, their pixels by class, hashes of picture and mask, and what cannot be read."""
    readable: list[Sample] = []
    counts: list[NDArray[np.int64]] = []
    hashes: list[tuple[str, str]] = []
    unjudged: list[Unjudged] = []
    samples, classes = source.samples(), len(source.classes)
    for sample in track(samples, title="Masks", total=len(samples)):
        try:
            picture, mask = source.pair(sample)
        except FlawlineError as error:
            unjudged.append(Unjudged(sample.name, error.code, error.message))
            continue
        readable.append(sample)
        counts.append(np.bincount(mask.ravel(), minlength=256)[:classes])
        hashes.append((picture.sha256, hashlib.sha256(mask.tobytes()).hexdigest()))
    return tuple(readable), np.array(counts).reshape(-1, classes), hashes, tuple(unjudged)
