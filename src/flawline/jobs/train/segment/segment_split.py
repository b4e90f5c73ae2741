"""Split pictures into training, validation and test of a segmenter."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from flawline.data.splits import SHARES, part_of, stratified
from flawline.errors import SourceError
from flawline.types import Sample

NAMES: Mapping[str, str] = {
    "train": "train",
    "training": "train",
    "val": "validation",
    "valid": "validation",
    "validation": "validation",
    "test": "test",
}
_VALIDATION = 0.15


@dataclass(frozen=True, slots=True)
class Split:
    """Samples of training, validation and test; `origin` is "source" or "stratified", `messages` explain the split."""

    train: tuple[Sample, ...]
    validation: tuple[Sample, ...]
    test: tuple[Sample, ...]
    origin: str
    messages: tuple[str, ...]


def split_samples(
    samples: Sequence[Sample],
    counts: Mapping[str, Sequence[int]],
    hashes: Mapping[str, str],
    shares: tuple[float, float, float],
    seed: int,
) -> Split:
    """Split samples as the source names it, else stratified by class content, keeping all pictures of a part together.

    Where the source names no validation, it is taken from its training pictures.

    Args:
        samples: pictures with masks.
        counts: for each picture its pixels of every class, background first.
        hashes: of the file of each picture, so that copies stay together.
        shares: of training, validation and test.
        seed: of the draw.

    Raises:
        SourceError: some pictures have a split and others none, or one of an unknown name.
        UsageError: the shares are not 1 together, or there are too few parts.
    """
    readable = [sample for sample in samples if sample.name in counts]
    named = [sample for sample in readable if sample.split is not None]
    if not named:
        dealt = _dealt(readable, counts, hashes, dict(zip(SHARES, shares, strict=True)), seed)
        note = "split by part and class content"
        return _split(readable, dealt, "stratified", [note])
    _check(readable)
    dealt = {sample.name: NAMES[str(sample.split).lower()] for sample in named}
    note = "split as the source names it"
    if "validation" not in dealt.values():
        learn = [sample for sample in named if dealt[sample.name] == "train"]
        own = {"train": 1 - _VALIDATION, "validation": _VALIDATION}
        dealt |= _dealt(learn, counts, hashes, own, seed)
        note += (
            f"; it names no validation, so {100 * _VALIDATION:.0f} % of the training pictures are"
        )
    return _split(readable, dealt, "source", [note])


def _dealt(
    samples: Sequence[Sample],
    counts: Mapping[str, Sequence[int]],
    hashes: Mapping[str, str],
    shares: Mapping[str, float],
    seed: int,
) -> dict[str, str]:
    parts = _parts(samples, hashes)
    contents = {sample.name: [float(n) for n in counts[sample.name][1:]] for sample in samples}
    return stratified(samples, parts, contents, shares, seed=seed)


def _parts(samples: Sequence[Sample], hashes: Mapping[str, str]) -> dict[str, str]:
    """Name the part of each picture; parts that share a file are one."""
    same: dict[str, str] = {}

    def root(part: str) -> str:
        while same.setdefault(part, part) != part:
            part = same[part]
        return part

    first: dict[str, str] = {}
    for sample in samples:
        part = root(part_of(sample))
        same[part] = root(first.setdefault(hashes[sample.name], part))
    return {sample.name: root(part_of(sample)) for sample in samples}


def _check(samples: Sequence[Sample]) -> None:
    for sample in samples:
        if sample.split is None or str(sample.split).lower() not in NAMES:
            raise SourceError(
                f"{sample.name} is in the split {sample.split!r}, expected train, validation or test",
                hint="name the split of every picture, or of none",
                code="split",
            )


def _split(
    samples: Sequence[Sample], dealt: Mapping[str, str], origin: str, messages: list[str]
) -> Split:
    train, validation, test = (
        tuple(sample for sample in samples if dealt[sample.name] == name) for name in SHARES
    )
    messages[0] += (
        f": {len(train)} to learn from, {len(validation)} for validation, {len(test)} held back"
    )
    return Split(train, validation, test, origin, tuple(messages))
