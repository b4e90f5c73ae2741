"""Split pictures by group: the same seed gives the same split, whatever the order of the pictures."""

from __future__ import annotations

import hashlib
from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from math import isclose
from types import MappingProxyType

import numpy as np
from numpy.typing import NDArray

from flawline.errors import UsageError
from flawline.types import Sample

SHARES: Mapping[str, float] = MappingProxyType({"train": 0.7, "validation": 0.15, "test": 0.15})


def part_of(sample: Sample) -> str:
    """Name the part that a picture shows: its group, or the picture itself where no group is known."""
    return f"group {sample.group}" if sample.group is not None else f"picture {sample.name}"


def hold_out(
    samples: Sequence[Sample], parts: Mapping[str, str], share: float, *, seed: int = 0
) -> tuple[list[Sample], list[Sample]]:
    """Split samples into those to learn from and those held out, keeping all pictures of a part together.

    Parts go in an order that depends on their names and the seed alone; the first are held out until they make up
    `share` of the pictures, and at least one part is left on each side where there are two.

    Args:
        samples: what to split.
        parts: the part of each picture, by its name.
        share: part of the pictures to hold out, above 0 and below 1.
        seed: another seed gives another split.

    Returns:
        (learned from, held out), each in the order of `samples`.

    Raises:
        UsageError: `share` is not between 0 and 1.
    """
    if not 0 < share < 1:
        raise UsageError(f"the share to hold out must be between 0 and 1, got {share:g}")
    counts = Counter(parts[sample.name] for sample in samples)
    order = sorted(counts, key=lambda part: (_place(part, seed), part))
    held: set[str] = set()
    pictures = 0
    for part in order[:-1]:
        if pictures >= share * len(samples) and held:
            break
        held.add(part)
        pictures += counts[part]
    return (
        [sample for sample in samples if parts[sample.name] not in held],
        [sample for sample in samples if parts[sample.name] in held],
    )


def folds_of(
    samples: Sequence[Sample], parts: Mapping[str, str], folds: int, *, seed: int = 0
) -> list[list[Sample]]:
    """Deal samples to at most `folds` folds of about as many parts each, keeping all pictures of a part together."""
    names = sorted({parts[sample.name] for sample in samples}, key=lambda p: (_place(p, seed), p))
    fold = {part: place % folds for place, part in enumerate(names)}
    dealt: list[list[Sample]] = [[] for _ in range(min(folds, len(names)))]
    for sample in samples:
        dealt[fold[parts[sample.name]]].append(sample)
    return dealt


def stratified(
    samples: Sequence[Sample],
    parts: Mapping[str, str],
    contents: Mapping[str, Sequence[float]],
    shares: Mapping[str, float] = SHARES,
    *,
    seed: int = 0,
) -> dict[str, str]:
    """Deal samples to splits that hold about the same of every class, keeping all pictures of a part together.

    Iterative stratification (Sechidis, Tsoumakas and Vlahavas, "On the stratification of multi-label data", ECML PKDD
    2011, algorithm 1) over parts in place of pictures: of the classes still to be dealt, the one in the fewest parts
    comes first; each of its parts goes to the split that lacks most of it relative to its share. Pictures with the
    class count twice, its amount once. Parts with much of the class go first; among parts with about as much (within a
    factor of two) the order depends on their names and the seed alone.

    Args:
        samples: what to split.
        parts: the part of each picture, by its name.
        contents: how much of each class a picture holds, by its name, in the same order of classes; 0 is none.
        shares: the part of the pictures of each split, by its name; together 1.
        seed: another seed gives another split.

    Returns:
        The split of each picture, by its name.

    Raises:
        UsageError: the shares are not positive or not 1 together, or there are fewer parts than splits.
    """
    if min(shares.values(), default=0) <= 0 or not isclose(sum(shares.values()), 1):
        raise UsageError(
            f"expected positive shares that are 1 together, got {dict(shares)}",
            hint="such as 0.7, 0.15 and 0.15",
        )
    names = sorted({parts[sample.name] for sample in samples})
    if len(names) < len(shares):
        raise UsageError(
            f"expected at least {len(shares)} parts to split, got {len(names)}",
            hint="Give more pictures, or check the groups: all pictures of a part go to one split.",
        )
    amounts = _amounts(samples, parts, contents, names)
    wanted = np.array(list(shares.values()))[:, None] * amounts.sum(axis=0)
    split = _dealt(amounts, wanted, [_place(name, seed) for name in names])
    splits = list(shares)
    of_part = {name: splits[number] for name, number in zip(names, split, strict=True)}
    return {sample.name: of_part[parts[sample.name]] for sample in samples}


def _amounts(
    samples: Sequence[Sample],
    parts: Mapping[str, str],
    contents: Mapping[str, Sequence[float]],
    names: Sequence[str],
) -> NDArray[np.float64]:
    """Count for each part its pictures, those with each class, and its amount of each class: (parts, 1 + 2 classes)."""
    of_part: dict[str, list[Sequence[float]]] = defaultdict(list)
    for sample in samples:
        of_part[parts[sample.name]].append(contents[sample.name])
    rows = []
    for name in names:
        held = np.array(of_part[name], np.float64)
        rows.append(np.concatenate([[len(held)], (held > 0).sum(axis=0), held.sum(axis=0)]))
    return np.array(rows)


def _dealt(
    amounts: NDArray[np.float64], wanted: NDArray[np.float64], order: Sequence[bytes]
) -> list[int]:
    """Assign each part to a split; `wanted` is (splits, columns of `amounts`)."""
    classes = (amounts.shape[1] - 1) // 2
    lacking, split = wanted.copy(), [-1] * len(amounts)
    left = set(range(len(amounts)))
    while left:
        rows = sorted(left)
        holders = (amounts[rows, 1 : 1 + classes] > 0).sum(axis=0)
        present = [number for number in range(classes) if holders[number]]
        weights, size, chosen = {0: 1.0}, amounts[:, 0], rows
        if present:
            rarest = min(present, key=lambda number: int(holders[number]))
            weights, size = (
                {1 + rarest: 2.0, 1 + classes + rarest: 1.0},
                amounts[:, 1 + classes + rarest],
            )
            chosen = [part for part in rows if amounts[part, 1 + rarest] > 0]
        about = np.frexp(size)[1]
        for part in sorted(chosen, key=lambda part: (-int(about[part]), order[part])):
            need = sum(w * lacking[:, column] / wanted[:, column] for column, w in weights.items())
            split[part] = int(np.argmax(np.round(need, 9)))
            lacking[split[part]] -= amounts[part]
        left -= set(chosen)
    return split


def _place(part: str, seed: int) -> bytes:
    return hashlib.blake2b(f"{seed}\n{part}".encode(), digest_size=16).digest()
