"""How much of the teacher's maps the student explains on pictures that it never learnt from."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch

from .pool import held_out
from .student import Student
from .teacher import Maps, Statistics, Teacher, prepare, standardised

Quality = dict[str, float]


@dataclass(frozen=True)
class HeldOut:
    """Prepared pictures (N, 3, S, S) and the teacher's standardised maps of them."""

    name: str
    pictures: np.ndarray
    targets: Maps


def held_out_targets(teacher: Teacher, statistics: Statistics, count: int = 192) -> list[HeldOut]:
    """Generated pictures and crops of kept-apart scenes, both 128 px wide."""
    sets = []
    for kind in ("generated", "photographed"):
        pictures = prepare(held_out(kind, count, 128))
        sets.append(HeldOut(kind, pictures, standardised(teacher(pictures), statistics)))
    return sets


def r_squared(found: np.ndarray, wanted: np.ndarray) -> float:
    """Mean over channels of 1 - error / variance, for maps (N, C, H, W)."""
    error = np.mean((found - wanted) ** 2, axis=(0, 2, 3), dtype=np.float64)
    return float(np.mean(1 - error / np.var(wanted, axis=(0, 2, 3), dtype=np.float64)))


@torch.no_grad()
def explained(student: Student, sets: list[HeldOut]) -> Quality:
    """R2 by set and stride, such as ``generated16``."""
    student.eval()
    scores: Quality = {}
    for test in sets:
        batches = [student(torch.from_numpy(test.pictures[i : i + 48])) for i in range(0, 192, 48)]
        for stride, wanted in test.targets.items():
            found = np.concatenate([batch[stride].numpy() for batch in batches])
            scores[f"{test.name}{stride}"] = round(r_squared(found, wanted), 4)
    return scores
