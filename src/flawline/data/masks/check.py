"""Check masks before anything is trained on them."""

from __future__ import annotations

import hashlib
from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict, dataclass
from itertools import islice
from typing import Any

import numpy as np

from flawline.core.words import counted
from flawline.data.cores import cpu_count
from flawline.data.masks.class_names import IGNORED
from flawline.data.masks.levels import level_counts
from flawline.data.masks.masked_source import MaskedSource
from flawline.errors import FlawlineError, SourceError
from flawline.types import Sample, Track, Unjudged, no_track

_BATCH = 64
_LISTED = 5


@dataclass(frozen=True, slots=True)
class MaskProblem:
    """A problem: a stable `code`, a description, and all files that it concerns.

    The codes are "image-mask-size", "image-mask-value", "image-mask-outline" and the other codes of unreadable
    pictures and masks, "empty-class", "group-leak", "duplicate-leak" and "duplicate-masks". `details` describes
    each file, where that differs from file to file.
    """

    code: str
    message: str
    files: tuple[str, ...]
    details: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class ClassShare:
    """Pixels of a class: `share` of all that are not ignored, `pictures` with at least one."""

    name: str
    pixels: int
    share: float
    pictures: int


@dataclass(frozen=True, slots=True)
class Combination:
    """Number of pictures with exactly these classes; no class for pictures without defects."""

    classes: tuple[str, ...]
    pictures: int


@dataclass(frozen=True, slots=True)
class MaskReport:
    """Contents and problems of the masks of a source.

    `counts` gives for each readable picture its pixels of every class, background first, `sizes` its (height, width)
    in px, `decoding` what was lost or chosen when it was decoded; `ignored` counts the pixels that no class claims,
    `estimated` the pictures with outlines that were estimated and not drawn.
    `findings` is empty where nothing is wrong.
    """

    source: str
    format: str
    pictures: int
    classes: tuple[ClassShare, ...]
    ignored: int
    combinations: tuple[Combination, ...]
    findings: tuple[MaskProblem, ...]
    unlabelled: tuple[str, ...]
    notes: tuple[str, ...]
    estimated: int
    counts: Mapping[str, tuple[int, ...]]
    sizes: Mapping[str, tuple[int, int]]
    decoding: Mapping[str, tuple[str, ...]]


@dataclass(frozen=True, slots=True)
class _Read:
    size: tuple[int, int]
    notes: tuple[str, ...]
    counts: tuple[int, ...]
    ignored: int
    picture: bytes
    mask: bytes


def check_masks(masked: MaskedSource, *, track: Track = no_track) -> MaskReport:
    """Read every picture and mask once, and report contents and problems.

    Raises:
        SourceError: none of the pairs could be read.
    """
    read: dict[str, _Read] = {}
    failed: list[Unjudged] = []
    samples = masked.samples()
    with ThreadPoolExecutor(cpu_count(), thread_name_prefix="flawline") as pool:
        shown = iter(track(samples, title="Masks", total=len(samples)))
        while batch := list(islice(shown, _BATCH)):
            for sample, result in zip(
                batch, pool.map(lambda s: _one(masked, s), batch), strict=True
            ):
                if isinstance(result, Unjudged):
                    failed.append(result)
                else:
                    read[sample.name] = result
    if not read:
        raise SourceError(
            f"none of {len(samples)} masks could be read",
            hint=failed[0].reason if failed else "give the annotations",
        )
    readable = [sample for sample in samples if sample.name in read]
    return _report(masked, readable, read, failed)


def report_as_dict(report: MaskReport) -> dict[str, Any]:
    """Convert the report to what JSON can hold, without the rows of single pictures."""
    document = asdict(report)
    del document["counts"], document["sizes"], document["decoding"]
    return document


def report_lines(report: MaskReport) -> list[str]:
    """Write the report as lines of text."""
    width = max(len(share.name) for share in report.classes)
    lines = [f"{counted(report.pictures, 'picture')} with masks ({report.format})"]
    lines += [
        f"{share.name:<{width}}  {share.share:8.3%} of the pixels, in {counted(share.pictures, 'picture')}"
        for share in report.classes
    ]
    lines += [f"{_words(c)}: {counted(c.pictures, 'picture')}" for c in report.combinations]
    if report.ignored:
        lines.append(f"ignored: {report.ignored} px")
    for finding in report.findings:
        more = f" and {len(finding.files) - _LISTED} more" if len(finding.files) > _LISTED else ""
        lines.append(f"{finding.message}: {', '.join(finding.files[:_LISTED])}{more}")
    return [*lines, *report.notes]


def _words(combination: Combination) -> str:
    names = combination.classes
    return "no defect" if not names else ("only " if len(names) == 1 else "") + " and ".join(names)


def _one(masked: MaskedSource, sample: Sample) -> _Read | Unjudged:
    try:
        picture, mask = masked.pair(sample)
    except FlawlineError as error:
        return Unjudged(sample.name, error.code, error.message)
    counts = level_counts(mask).tolist()
    shape = repr(mask.shape).encode()
    return _Read(
        (mask.shape[0], mask.shape[1]),
        picture.notes,
        tuple(counts[: len(masked.classes)]),
        counts[IGNORED],
        hashlib.sha256(shape + picture.pixels.tobytes()).digest(),
        hashlib.sha256(shape + mask.tobytes()).digest(),
    )


def _report(
    masked: MaskedSource,
    samples: Sequence[Sample],
    read: Mapping[str, _Read],
    failed: Sequence[Unjudged],
) -> MaskReport:
    counts = {name: result.counts for name, result in read.items()}
    table = np.array(list(counts.values()), np.int64)
    pixels, pictures = table.sum(axis=0), (table > 0).sum(axis=0)
    shares = tuple(
        ClassShare(name, int(own), float(own / max(pixels.sum(), 1)), int(held))
        for name, own, held in zip(masked.classes, pixels, pictures, strict=True)
    )
    findings = (
        *_unreadable(failed),
        *_empty_classes(masked.classes, samples, counts),
        *_leaks(samples),
        *_duplicates(samples, read),
    )
    return MaskReport(
        masked.source.location,
        masked.format,
        len(samples),
        shares,
        sum(result.ignored for result in read.values()),
        _combinations(masked.classes, counts.values()),
        findings,
        masked.unlabelled,
        masked.notes,
        sum(sample.name in masked.estimated for sample in samples),
        counts,
        {name: result.size for name, result in read.items()},
        {name: result.notes for name, result in read.items() if result.notes},
    )


def _combinations(
    classes: Sequence[str], counts: Iterable[Sequence[int]]
) -> tuple[Combination, ...]:
    found = Counter(
        tuple(name for name, count in zip(classes[1:], own[1:], strict=True) if count)
        for own in counts
    )
    # Single classes first, then pairs and so on, pictures without defects last.
    ordered = sorted(found, key=lambda names: (not names, len(names), names))
    return tuple(Combination(names, found[names]) for names in ordered)


def _unreadable(failed: Sequence[Unjudged]) -> list[MaskProblem]:
    words = {
        "image-mask-size": "masks of another size than their pictures",
        "image-mask": "masks that cannot be read without loss or doubt",
        "image-mask-value": "masks with values that are no class",
        "image-mask-outline": "regions that cannot be read or drawn",
    }
    by_code: dict[str, list[Unjudged]] = defaultdict(list)
    for item in failed:
        by_code[item.code].append(item)
    return [
        MaskProblem(
            code,
            words.get(code, "pictures or masks that cannot be read"),
            tuple(item.image for item in items),
            tuple(item.reason for item in items),
        )
        for code, items in sorted(by_code.items())
    ]


def _empty_classes(
    classes: Sequence[str], samples: Sequence[Sample], counts: Mapping[str, Sequence[int]]
) -> list[MaskProblem]:
    by_split: dict[str | None, list[str]] = defaultdict(list)
    for sample in samples:
        by_split[None].append(sample.name)
        if sample.split is not None:
            by_split[sample.split].append(sample.name)
    findings = []
    for number, label in enumerate(classes[1:], 1):
        empty = [s for s, names in by_split.items() if not any(counts[n][number] for n in names)]
        if None in empty:
            findings.append(MaskProblem("empty-class", f"no pixel is {label!r}", ()))
            continue
        findings += [
            MaskProblem(
                "empty-class", f"no pixel of the split {s!r} is {label!r}", tuple(by_split[s])
            )
            for s in empty
        ]
    return findings


def _leaks(samples: Sequence[Sample]) -> list[MaskProblem]:
    by_group: dict[str, list[Sample]] = defaultdict(list)
    for sample in samples:
        if sample.group is not None and sample.split is not None:
            by_group[sample.group].append(sample)
    return [
        MaskProblem(
            "group-leak",
            f"the group {group!r} lies in the splits {', '.join(sorted({s.split or '' for s in own}))}",
            tuple(s.name for s in own),
            tuple(s.split or "" for s in own),
        )
        for group, own in by_group.items()
        if len({s.split for s in own}) > 1
    ]


def _duplicates(samples: Sequence[Sample], read: Mapping[str, _Read]) -> list[MaskProblem]:
    by_content: dict[bytes, list[Sample]] = defaultdict(list)
    for sample in samples:
        by_content[read[sample.name].picture].append(sample)
    findings = []
    for own in by_content.values():
        names = tuple(sample.name for sample in own)
        if len({read[name].mask for name in names}) > 1:
            findings.append(
                MaskProblem("duplicate-masks", "the same picture, different masks", names)
            )
        if len({sample.split for sample in own if sample.split is not None}) > 1:
            splits = tuple(sample.split or "" for sample in own)
            message = "the same picture in several splits"
            findings.append(MaskProblem("duplicate-leak", message, names, splits))
    return findings
