"""Work through a source in parts, each a Parquet file, and go on where a killed run stopped."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import islice
from pathlib import Path
from typing import Any, TypeAlias

from flawline.data.work_file import WorkFile
from flawline.fleet.spread import Job, sample_as_list, spread
from flawline.types import Sample

PART = 2048
"""Pictures in a file."""
PORTION = 64
"""Parts whose names are held at once."""
Row: TypeAlias = Mapping[str, Any]
"""What is written of one picture, as JSON can hold it; every digit of a number."""


@dataclass(frozen=True, slots=True)
class Parts:
    """How the pictures of a source become files.

    Args:
        folder: gets part-000000.parquet and so on, in the order of the source.
        work_file: what an interrupted run had done.
        job: what an actor does.
        take: makes the row of a sample from the result of the job; called once a picture, in order.
        write: writes the rows of a part, and returns what is to be known of it, as JSON can hold it.
        known: rows that need no job, by name.
    """

    folder: Path
    work_file: WorkFile
    job: Job
    take: Callable[[Sample, Any], Row]
    write: Callable[[Path, Sequence[tuple[Sample, Row]]], Row]
    known: Mapping[str, Row] = field(default_factory=dict)

    def run(self, samples: Iterable[Sample], about: list[Row], resumed: list[int]) -> Iterator[int]:
        """Write all parts; yield how many pictures are done, part of them by an earlier run.

        `about` gets what `write` returned for each part, `resumed` the pictures that an earlier run had done.
        """
        self.folder.mkdir(parents=True, exist_ok=True)
        numbered = enumerate(_chunks(samples, PART))
        while portion := [
            _Part(number, chunk, self) for number, chunk in islice(numbered, PORTION)
        ]:
            waiting = [sample for part in portion for sample in part.waiting]
            results = spread(self.job, waiting) if waiting else iter(())
            for part in portion:
                resumed.append(part.resumed)
                yield from part.work(results)
                about.append(part.about())
        for path in self.folder.glob("part-*.parquet"):
            if path.name >= _name(len(about)):  # of an earlier run over more pictures
                path.unlink()


class _Part:
    """One part: what an earlier run did of it, and the rest."""

    def __init__(self, number: int, samples: list[Sample], parts: Parts) -> None:
        self._parts, self._samples, self._number = parts, samples, number
        self._path = parts.folder / _name(number)
        self._rows: dict[str, Row] = {}
        self._about: Row | None = None
        names = json.dumps([sample_as_list(sample) for sample in samples])
        self._key = f"part {number} {hashlib.sha256(names.encode()).hexdigest()}"
        if self._path.is_file():
            self._about = parts.work_file.get_json(self._key, earlier=True)
        if self._about is None:
            for sample in samples:
                found = parts.work_file.get_json(_key(sample), earlier=True)
                if found is not None:
                    self._rows[sample.name] = found
        self.resumed = len(samples) if self._about is not None else len(self._rows)
        self.waiting = [] if self._about is not None else [s for s in samples if self._open(s)]

    def work(self, results: Iterator[Any]) -> Iterator[int]:
        """Take the results of what waits, write the part, and yield after each picture."""
        if self._about is None:
            keep = self._parts.work_file.keep_json
            for sample in self._samples:
                if sample.name in self._rows:
                    pass
                elif self._open(sample):
                    row = self._parts.take(sample, next(results))
                    keep(_key(sample), row)
                    self._rows[sample.name] = row
                else:
                    self._rows[sample.name] = self._parts.known[sample.name]
                yield 1
            rows = [(sample, self._rows[sample.name]) for sample in self._samples]
            self._about = self._parts.write(self._path, rows)
            keep(self._key, self._about)
            self._parts.work_file.remove(_key(sample) for sample in self._samples)
        else:
            yield from (1 for _ in self._samples)
        self._samples, self._rows = [], {}

    def about(self) -> Row:
        """Return what is known of the written part."""
        assert self._about is not None
        return self._about

    def _open(self, sample: Sample) -> bool:
        return sample.name not in self._rows and sample.name not in self._parts.known


def _name(number: int) -> str:
    return f"part-{number:06d}.parquet"


def _key(sample: Sample) -> str:
    return hashlib.sha256(json.dumps(sample_as_list(sample)).encode()).hexdigest()


def _chunks(samples: Iterable[Sample], size: int) -> Iterator[list[Sample]]:
    rest = iter(samples)
    for first in rest:
        yield [first, *islice(rest, size - 1)]
