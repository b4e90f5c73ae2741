"""Batches of crops with the teacher's maps, made ahead by a process of their own.

The trainer and the feed each keep one core; two threads that meet at a barrier in every layer lose
most of their time wherever another program shares the machine.
"""

from __future__ import annotations

import multiprocessing
from collections import deque
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from queue import Empty, Full
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from . import pool as pools
from .scenes import TRAINING, load_scenes
from .teacher import CHANNELS, Maps, Statistics, Teacher, measure, prepare, standardised

Batch = tuple[NDArray[np.uint8], dict[int, NDArray[np.float16]]]


@dataclass(frozen=True)
class Source:
    """Where batches come from: the teacher, the pool, and the shape of a batch."""

    teacher: Path
    pool: Path
    count: int
    batch: int
    side: int
    fresh: int
    seed: int


def statistics_of(source: Source, teacher: Teacher, batches: int = 24) -> Statistics:
    """The teacher's channel statistics on the first training crops."""
    pool, rng = pools.fill(source.pool, source.count, source.seed), np.random.default_rng(7)
    return measure(
        [teacher(prepare(pools.draw(rng, pool, 64, source.side))) for _ in range(batches)]
    )


def batches(source: Source, statistics: Statistics, start: int) -> Iterator[Batch]:
    """Endless batches; ``start`` only sets the random stream apart from earlier ones."""
    cv2.setNumThreads(1)
    teacher = Teacher(source.teacher, tuple(CHANNELS), threads=1)
    pool = pools.fill(source.pool, source.count, source.seed)
    rng, scenes = np.random.default_rng((source.seed, start)), load_scenes(TRAINING)
    while True:
        for _ in range(source.fresh):
            pool[rng.integers(len(pool))] = pools.one(rng, scenes)
        crops = pools.draw(rng, pool, source.batch, source.side)
        maps: Maps = standardised(teacher(prepare(crops)), statistics)
        yield crops, {stride: m.astype(np.float16) for stride, m in maps.items()}


def repeated(batches: Iterator[Batch], apart: int = 40) -> Iterator[Batch]:
    """Every batch twice: a target costs a third of a step, and a second look is worth it."""
    kept: deque[Batch] = deque()
    for batch in batches:
        yield batch
        kept.append(batch)
        if len(kept) > apart:
            yield kept.popleft()


def _work(queue: Any, source: Source, statistics: Statistics, start: int) -> None:
    parent = multiprocessing.parent_process()
    for batch in batches(source, statistics, start):
        while True:
            try:
                queue.put(batch, timeout=10)
                break
            except Full:
                # A killed trainer cannot end its feed, so the feed looks for itself.
                if parent is None or not parent.is_alive():
                    queue.cancel_join_thread()
                    return


def ahead(source: Source, statistics: Statistics, start: int, depth: int = 6) -> Iterator[Batch]:
    """The same batches, made up to ``depth`` ahead in another process."""
    context = multiprocessing.get_context("spawn")
    queue = context.Queue(depth)
    worker = context.Process(target=_work, args=(queue, source, statistics, start), daemon=True)
    worker.start()
    while True:
        try:
            yield queue.get(timeout=60)
        except Empty:
            if not worker.is_alive():
                raise RuntimeError(f"the feed ended with code {worker.exitcode}") from None
