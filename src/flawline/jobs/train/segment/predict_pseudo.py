"""Predict masks of pictures without masks by the best network of a training so far."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from pathlib import Path

import numpy as np

from flawline.core.pseudo_mask import Trust, TrustCurves, pseudo_mask
from flawline.core.segmentation_metrics import IGNORE
from flawline.jobs.train.segment.export import export_segmenter
from flawline.jobs.train.segment.pairs import Pairs
from flawline.jobs.train.segment.pseudo_masks import FOLDER, PseudoMasks, write_mask
from flawline.jobs.train.segment.trained import load_trained
from flawline.jobs.train.segment.unmasked_pictures import UnmaskedPictures
from flawline.networks.segmenter import Segmenter, open_segmenter
from flawline.types import Track, no_track

_TEACHER = "teacher.onnx"


def predict_pseudo(
    folder: Path,
    validation: Pairs,
    unmasked: UnmaskedPictures,
    epochs: int,
    *,
    late: Callable[[], bool] = lambda: False,
    track: Track = no_track,
) -> PseudoMasks:
    """Predict masks of pictures without masks, as far as validation pictures show that they are right.

    Args:
        folder: of the training; the masks go into a folder in it, and replace what is there.
        validation: pictures that the network did not learn from.
        unmasked: the pictures.
        epochs: of the training so far.
        late: whether to leave the rest of the pictures out; they come in an order drawn by their hashes.
        track: shows progress.
    """
    shutil.rmtree(folder / FOLDER, ignore_errors=True)
    segmenter = _teacher(folder)
    trust = measure_trust(segmenter, validation, track)
    if all(one.limit is None for one in trust):
        return PseudoMasks(epochs, trust)
    limits = [one.limit for one in trust]
    done: list[str] = []
    defective = blank = 0
    # A hash is as good as a draw, and the same whatever else there is.
    order = sorted(unmasked.samples)
    for sha256 in track(order, title="predicting pictures without masks", total=len(order)):
        if late():
            break
        mask = pseudo_mask(segmenter(unmasked.picture(sha256).pixels), limits)
        if (mask == IGNORE).all():
            blank += 1
            continue
        write_mask(folder, sha256, mask)
        done.append(sha256)
        defective += bool(((mask != 0) & (mask != IGNORE)).any())
    skipped = len(order) - len(done) - blank
    return PseudoMasks(epochs, trust, tuple(done), defective, blank, skipped)


def measure_trust(
    segmenter: Segmenter, validation: Pairs, track: Track = no_track
) -> tuple[Trust, ...]:
    """Measure on validation pictures which classes were learnt, and choose their limits."""
    curves = TrustCurves(validation.source.classes)
    for number in track(
        range(len(validation)), title="checking what was learnt", total=len(validation)
    ):
        pixels, mask = validation[number]
        curves.add(mask, np.clip(segmenter(pixels), 0, 1))
    return curves.trust()


def _teacher(folder: Path) -> Segmenter:
    """Open the best network so far on OpenVINO, which predicts several times faster than PyTorch."""
    path = folder / _TEACHER
    try:
        export_segmenter(load_trained(folder), path)
        return open_segmenter(path.read_bytes())
    finally:
        path.unlink(missing_ok=True)
