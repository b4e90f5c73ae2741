"""Draw references from the names of a source, sorted on disk where they are too many for memory."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable, Iterator, Sequence
from contextlib import closing

from flawline.data.part_files import scratch_folder
from flawline.jobs.rank.rank_by_comparison import reference_places
from flawline.types import Sample

_AT_ONCE = 10_000


def drawn_samples(samples: Iterable[Sample], seed: int, limit: int) -> list[Sample]:
    """Draw at most `limit` samples, those that `choose_references` draws from all in the order of their names.

    Args:
        samples: all of a source; read twice where they are more than `limit`.
        seed: of the draw.
        limit: how many at most.
    """
    with scratch_folder() as folder, closing(sqlite3.connect(folder / "names.db")) as database:
        # Nothing here survives the block.
        database.execute("PRAGMA journal_mode=OFF")
        database.execute("PRAGMA synchronous=OFF")
        # SQLite compares UTF-8 byte by byte, which is the order of Python's texts.
        database.execute("CREATE TABLE names (name TEXT, number INTEGER)")
        numbered = ((sample.name, number) for number, sample in enumerate(samples))
        for few in _chunks(numbered):
            database.executemany("INSERT INTO names VALUES (?, ?)", few)
        (count,) = database.execute("SELECT count(*) FROM names").fetchone()
        wanted = set(reference_places(count, seed, limit).tolist())
        ordered = database.execute("SELECT number FROM names ORDER BY name, number")
        numbers = [number for place, (number,) in enumerate(ordered) if place in wanted]
    return _chosen(samples, numbers)


def _chosen(samples: Iterable[Sample], numbers: Sequence[int]) -> list[Sample]:
    wanted = set(numbers)
    found = {number: sample for number, sample in enumerate(samples) if number in wanted}
    return [found[number] for number in numbers]


def _chunks(items: Iterable[tuple[str, int]]) -> Iterator[list[tuple[str, int]]]:
    few: list[tuple[str, int]] = []
    for item in items:
        few.append(item)
        if len(few) == _AT_ONCE:
            yield few
            few = []
    yield few
