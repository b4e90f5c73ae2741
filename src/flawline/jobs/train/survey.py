"""Survey the pictures of a source: their hashes, sizes, parts and copies."""

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
"""Correlation from which a picture is a copy and set aside; near-copies below it count as pictures of one part."""


@dataclass(frozen=True, slots=True)
class Survey:
    """Facts about the pictures of a source, by name.

    `samples` can be read and are no copies, `sizes` are (height, width) in px, `hashes` those of the files (of copies
    too), `parts` the part of each: pictures of one part are never split apart and count once. `copies` names the
    original of each copy. `notes` tell what was lost or chosen when decoding.
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
    """Read every picture once, at reduced scale where the format allows it, in the order of the names.

    A good and a defective picture that look alike are no copies: they differ in the defect. A file labelled as both
    counts as defective.
    """
    samples = sorted(samples, key=lambda sample: (not sample.defective, sample.name))
    notes: dict[str, tuple[str, ...]] = {}
    surveyed = map_pictures(
        source, samples, _facts, target=256, value_range=value_range, noted=notes.__setitem__
    )
    read, facts, unjudged = [], [], []
    for sample, result in track(surveyed, title="looking at the pictures", total=len(samples)):
        if isinstance(result, Unjudged):
            unjudged.append(result)
        else:
            read.append(sample)
            facts.append(result)
    prints = np.stack([one[2] for one in facts]) if facts else np.empty((0, 1), np.float32)
    alike = near_duplicates(prints)
    copies = {
        read[place].name: read[found[0]].name
        for place, found in enumerate(alike)
        if found is not None
        and found[1] >= COPY
        and (
            read[place].defective == read[found[0]].defective
            or facts[place][0] == facts[found[0]][0]
        )
    }
    originals = (sample for sample in read if sample.name not in copies)
    return Survey(
        tuple(sorted(originals, key=lambda sample: sample.name)),
        {sample.name: one[1] for sample, one in zip(read, facts, strict=True)},
        {sample.name: one[0] for sample, one in zip(read, facts, strict=True)},
        _parts(read, [found[0] if found else None for found in alike]),
        copies,
        tuple(unjudged),
        notes,
    )


def _facts(
    picture: Picture,
) -> tuple[str, tuple[int, int], np.ndarray[tuple[int], np.dtype[np.float32]]]:
    return picture.sha256, (picture.height, picture.width), thumbprint(picture.pixels)


def _parts(samples: Sequence[Sample], alike: Sequence[int | None]) -> dict[str, str]:
    """Name the part of each picture: its group, joined with that of the picture that it nearly copies."""
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
