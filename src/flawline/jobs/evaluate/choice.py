"""Choose the pictures to evaluate: those of one split, known to be good or bad, and not learnt from."""

from __future__ import annotations

import hashlib
from collections.abc import Collection, Iterable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

from flawline.core.words import counted
from flawline.data.cores import cpu_count
from flawline.data.source import Source
from flawline.data.splits import part_of
from flawline.errors import FlawlineError, SourceError, UsageError
from flawline.recipe import Recipe, known_pictures
from flawline.types import Sample, Track

TEST = ("test", "testing")
ALL = "all"
NAMED = 3


@dataclass(frozen=True, slots=True)
class ChosenSamples:
    """The samples to evaluate; `split` is None for all splits, `dropped` names those left out as known."""

    samples: tuple[Sample, ...]
    split: str | None
    grouped: bool
    dropped: tuple[str, ...]
    messages: tuple[str, ...]


def choose(
    source: Source,
    recipes: Mapping[str, Recipe],
    *,
    split: str | None = None,
    drop_known: bool = False,
    masked: Collection[str] = (),
    track: Track,
) -> ChosenSamples:
    """Choose the samples of a source to evaluate recipes on.

    Args:
        source: an open source.
        recipes: the recipes to evaluate, by name; none of them may know a chosen picture.
        split: the split to take, "all" for every picture; by default the test split where there is one, else all.
        drop_known: leave out pictures that a recipe knows, and all others of their parts, instead of refusing.
        masked: names of pictures with a class mask, which decides for those without a label that means good or bad.
        track: shows progress.

    Raises:
        UsageError: no such split; ("evaluation-leak") a recipe knows a chosen picture; ("evaluation-unlabelled") no
            picture whose meaning is known.
    """
    listed = list(source.samples())
    taken, name, messages = _of_split(listed, split)
    known, more = _with_meaning(taken, masked)
    messages += more + _split_parts(listed, known, name)
    hashes = _hashes(source, known, track)
    chosen, dropped, more = _without_leaks(known, hashes, recipes, drop_known)
    messages += more + _copies(chosen, hashes)
    grouped = any(sample.group is not None for sample in chosen)
    return ChosenSamples(tuple(chosen), name, grouped, tuple(dropped), tuple(messages))


def _of_split(
    listed: Sequence[Sample], split: str | None
) -> tuple[list[Sample], str | None, list[str]]:
    names = sorted({sample.split for sample in listed if sample.split is not None})
    wanted = next((name for name in names if name.casefold() in TEST), None)
    if split is not None:
        wanted = next((name for name in names if name.casefold() == split.casefold()), None)
        if wanted is None and split.casefold() != ALL:
            has = f"it has {', '.join(map(repr, names))}" if names else "it states no splits"
            raise UsageError(
                f"the source has no split {split!r}: {has}",
                hint="name one of them, or take every picture with `split=all`",
            )
    if wanted is None:
        messages = [f"every split is evaluated together: {', '.join(names)}"] if names else []
        return list(listed), None, messages
    taken = [sample for sample in listed if sample.split == wanted]
    left = len(listed) - len(taken)
    messages = [f"the split {wanted!r} is evaluated; {counted(left, 'picture')} of others left out"]
    return taken, wanted, messages if left else []


def _with_meaning(
    taken: Sequence[Sample], masked: Collection[str]
) -> tuple[list[Sample], list[str]]:
    """Select samples that are good or bad by their label, or else by a mask that may decide."""
    by_mask = {s.name for s in taken if _by_mask(s, masked)}
    known = [s for s in taken if s.defective is not None or s.name in by_mask]
    messages = []
    if by_mask:
        what = "whose label does not say" if masked else "without a label"
        messages.append(
            f"{counted(len(by_mask), 'picture')} {what}: bad where the mask is not empty"
        )
    if left := len(taken) - len(known):
        messages.append(
            f"{counted(left, 'picture')} left out: no label says whether they are good or bad"
        )
    if not known:
        labels = sorted({sample.label for sample in taken if sample.label is not None})
        raise UsageError(
            "an evaluation needs pictures that are known to be good or bad, and no label says so "
            f"(labels: {', '.join(labels[:20]) or 'none'})",
            hint="name the labels with `good` and `bad`, or give masks",
            code="evaluation-unlabelled",
        )
    return known, messages


def _by_mask(sample: Sample, masked: Collection[str]) -> bool:
    if sample.defective is not None:
        return False
    # A class mask names its classes; with any other mask, a label without a meaning may mean anything.
    return sample.name in masked or (sample.label is None and sample.mask is not None)


def _split_parts(listed: Sequence[Sample], known: Sequence[Sample], split: str | None) -> list[str]:
    """Warn of parts with pictures in other splits too: training may have learnt from them."""
    if split is None:
        return []
    groups = {sample.group for sample in known if sample.group is not None}
    shared = sorted({s.group for s in listed if s.group in groups and s.split != split and s.group})
    if not shared:
        return []
    have = "has" if len(shared) == 1 else "have"
    return [
        f"warning: {counted(len(shared), 'part')} of the split {split!r} {have} pictures in other splits too, "
        f"{shared[0]} among them: if a recipe learnt from those, the figures are too good"
    ]


def _hashes(source: Source, samples: Sequence[Sample], track: Track) -> dict[str, str]:
    """Hash every file that can be read; the others are reported when they are judged."""

    def one(sample: Sample) -> str | None:
        try:
            return hashlib.sha256(source.read(sample.name)).hexdigest()
        except FlawlineError:
            return None

    pool = ThreadPoolExecutor(cpu_count(), thread_name_prefix="flawline")
    try:
        hashes = track(pool.map(one, samples), title="checking for leaks", total=len(samples))
        pairs = zip(samples, hashes, strict=True)
        return {sample.name: digest for sample, digest in pairs if digest is not None}
    finally:
        pool.shutdown(wait=True, cancel_futures=True)


def _without_leaks(
    samples: Sequence[Sample],
    hashes: Mapping[str, str],
    recipes: Mapping[str, Recipe],
    drop_known: bool,
) -> tuple[list[Sample], list[str], list[str]]:
    roles: dict[str, str] = {}
    for name, recipe in recipes.items():
        own = {digest: f"{role} of {name}" for digest, role in known_pictures(recipe).items()}
        roles = {**own, **roles}
    leaked = {s.name: roles[hashes[s.name]] for s in samples if hashes.get(s.name) in roles}
    if not leaked:
        return list(samples), [], []
    if not drop_known:
        raise _leak(leaked, samples)
    parts = {part_of(sample) for sample in samples if sample.name in leaked}
    rest = [sample for sample in samples if part_of(sample) not in parts]
    if not rest:
        raise _nothing_left(len(samples))
    dropped = [sample.name for sample in samples if part_of(sample) in parts]
    more = len(dropped) - len(leaked)
    text = f"{counted(len(leaked), 'picture')} left out: training or calibration saw them"
    note = f"{text}, with {counted(more, 'more picture')} of the same parts" if more else text
    return rest, dropped, [note]


def _leak(leaked: Mapping[str, str], samples: Sequence[Sample]) -> UsageError:
    first = ", ".join(f"{name} ({role})" for name, role in list(leaked.items())[:NAMED])
    rest = f" and {len(leaked) - NAMED} more" if len(leaked) > NAMED else ""
    parts = {part_of(sample) for sample in samples if sample.name in leaked}
    left = any(part_of(sample) not in parts for sample in samples)
    way = (
        "leave these out with `drop_known`"
        if left
        else "train again with `test=0.2`, which holds some out"
    )
    return UsageError(
        f"{len(leaked)} of {counted(len(samples), 'picture')} were seen in training or calibration: {first}{rest}",
        hint=f"evaluate on pictures that it never saw, or {way}",
        code="evaluation-leak",
    )


def _nothing_left(of: int) -> SourceError:
    return SourceError(
        f"training or calibration saw all {counted(of, 'picture')} or others of the same parts: none is left",
        hint="give pictures of other parts, or train again with `test=0.2`, which holds some out",
        code="evaluation-leak",
    )


def _copies(samples: Iterable[Sample], hashes: Mapping[str, str]) -> list[str]:
    """Warn of copies of one file under several parts, which make intervals too narrow."""
    parts: dict[str, str] = {}
    copies = []
    for sample in samples:
        digest = hashes.get(sample.name)
        if digest is not None and parts.setdefault(digest, part_of(sample)) != part_of(sample):
            copies.append(sample.name)
    if not copies:
        return []
    return [
        f"warning: {counted(len(copies), 'file is a copy of another', 'files are copies of others')}, {copies[0]} "
        "among them, counted as parts of their own: intervals are too narrow"
    ]
