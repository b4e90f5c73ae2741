"""A first look at the pictures of a source: what each is, how large, and which are copies of which."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from flawline.core.near_duplicates import near_duplicates, thumbprint
from flawline.data.source import Source
from flawline.data.splits import part_of
from flawline.data.stream import map_pictures
from flawline.types import Picture, Sample, Track, Unjudged

COPY = 0.995
"""Correlation from which a picture is a copy and set aside; less alike ones show the same part and share its group."""


@dataclass(frozen=True, slots=True)
class Survey:
    """What a first look found, by the names of the pictures.

    `samples` are those that can be read and are no copies, `sizes` their (height, width) in px, `hashes` those of the
    files (of copies too), `parts` the part that each shows: pictures of one part are never split apart and count once.
    `copies` names for each copy the picture it copies. `notes` is what was lost or chosen when decoding.
    """

    samples: tuple[Sample, ...]
    sizes: Mapping[str, tuple[int, int]]
    hashes: Mapping[str, str]
    parts: Mapping[str, str]
    copies: Mapping[str, str]
    unjudged: tuple[Unjudged, ...]
    notes: Mapping[str, tuple[str, ...]]


def survey(
    source: Source,
    samples: Sequence[Sample],
    *,
    value_range: tuple[float, float] | None,
    track: Track,
) -> Survey:
    """Read every picture once, at reduced scale where the format allows it; the order is that of the names.

    A good and a defective picture that look alike are no copies: the defect is what they differ in. A file that is both
    counts as defective.
    """
    samples = sorted(samples, key=lambda sample: (not sample.defective, sample.name))
    notes: dict[str, tuple[str, ...]] = {}
    seen = map_pictures(
        source, samples, _look, target=256, value_range=value_range, noted=notes.__setitem__
    )
    read, looks, unjudged = [], [], []
    for sample, look in track(seen, title="looking at the pictures", total=len(samples)):
        if isinstance(look, Unjudged):
            unjudged.append(look)
        else:
            read.append(sample)
            looks.append(look)
    prints = np.stack([look[2] for look in looks]) if looks else np.empty((0, 1), np.float32)
    alike = near_duplicates(prints)
    copies = {
        read[place].name: read[found[0]].name
        for place, found in enumerate(alike)
        if found is not None
        and found[1] >= COPY
        and (
            read[place].defective == read[found[0]].defective
            or looks[place][0] == looks[found[0]][0]
        )
    }
    kept = (sample for sample in read if sample.name not in copies)
    return Survey(
        tuple(sorted(kept, key=lambda sample: sample.name)),
        {sample.name: look[1] for sample, look in zip(read, looks, strict=True)},
        {sample.name: look[0] for sample, look in zip(read, looks, strict=True)},
        _parts(read, [found[0] if found else None for found in alike]),
        copies,
        tuple(unjudged),
        notes,
    )


def _look(
    picture: Picture,
) -> tuple[str, tuple[int, int], np.ndarray[tuple[int], np.dtype[np.float32]]]:
    return picture.sha256, (picture.height, picture.width), thumbprint(picture.pixels)


def _parts(samples: Sequence[Sample], alike: Sequence[int | None]) -> dict[str, str]:
    """The part of each picture: its group, joined with that of the picture that it nearly copies."""
    joined: dict[str, str] = {}

    def root(part: str) -> str:
        while joined.setdefault(part, part) != part:
            part = joined[part]
        return part

    for sample, first in zip(samples, alike, strict=True):
        if first is not None:
            one, other = sorted((root(part_of(sample)), root(part_of(samples[first]))))
            joined[other] = one
    return {sample.name: root(part_of(sample)) for sample in samples}
