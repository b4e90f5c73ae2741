"""Hold pictures out by group: the same seed gives the same split, whatever the order of the pictures."""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Mapping, Sequence

from flawline.errors import UsageError
from flawline.types import Sample


def part_of(sample: Sample) -> str:
    """What names the part in a picture: its group, or the picture itself where no group is known."""
    return f"group {sample.group}" if sample.group is not None else f"picture {sample.name}"


def hold_out(
    samples: Sequence[Sample], parts: Mapping[str, str], share: float, *, seed: int = 0
) -> tuple[list[Sample], list[Sample]]:
    """Split samples into those to learn from and those held out, never tearing a part's pictures apart.

    Parts go in an order that depends on their names and the seed alone; the first are held out until they hold
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
    """Deal samples to at most `folds` folds of about as many parts each, never tearing a part's pictures apart."""
    names = sorted({parts[sample.name] for sample in samples}, key=lambda p: (_place(p, seed), p))
    fold = {part: place % folds for place, part in enumerate(names)}
    dealt: list[list[Sample]] = [[] for _ in range(min(folds, len(names)))]
    for sample in samples:
        dealt[fold[parts[sample.name]]].append(sample)
    return dealt


def _place(part: str, seed: int) -> bytes:
    return hashlib.blake2b(f"{seed}\n{part}".encode(), digest_size=16).digest()
