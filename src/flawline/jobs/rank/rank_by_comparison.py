"""Rank pictures by comparing each with the others (`method=auto`, see `flawline.jobs.rank.comparison`)."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass, field
from itertools import islice
from pathlib import Path
from typing import TypeVar

import numpy as np
from numpy.typing import NDArray

from flawline.data.stored_rows import StoredRows
from flawline.data.stream import Memory, Readable, map_pictures
from flawline.features.map_rows import MapRows
from flawline.jobs.rank.comparison import NEIGHBOURS, Compared, References, compare, fit_references
from flawline.jobs.rank.ranking import Reason
from flawline.types import Picture, Sample, Track, Unjudged

Result = TypeVar("Result")

REFERENCES = 128
REFERENCE_BYTES = 400 * 2**20
CHUNK = 64
_SCALES = {"stride8": "fine", "stride16": "coarse"}


@dataclass(frozen=True, slots=True)
class Fitted:
    """References with the digest of their maps, and their group if the source names one."""

    references: References
    digests: tuple[str, ...]
    groups: tuple[str | None, ...]


@dataclass(frozen=True, slots=True)
class ComparedPictures:
    """Scores (N,) and standardised views (N, V) of `samples`, and what could not be judged."""

    samples: tuple[Sample, ...]
    scores: NDArray[np.float32]
    views: NDArray[np.float32]
    unjudged: tuple[Unjudged, ...]


@dataclass(frozen=True, slots=True)
class Reader:
    """Computation of rows from a source, the same for fitting, scoring and heat maps."""

    source: Readable
    rows: MapRows
    value_range: tuple[float, float] | None
    computation: str
    unfinished: Path | None
    track: Track
    neighbours: int = NEIGHBOURS
    notes: dict[str, tuple[str, ...]] = field(default_factory=dict)

    def results(
        self,
        samples: Sequence[Sample],
        function: Callable[[Picture], Result],
        memory: Memory[Result] | None,
        title: str,
    ) -> Iterator[tuple[Sample, Result | Unjudged]]:
        """Yield the results of `function` in the order of `samples`, showing progress."""
        results = map_pictures(
            self.source,
            samples,
            function,
            target=self.target,
            value_range=self.value_range,
            ahead=2 * CHUNK,
            memory=memory,
            noted=self.notes.__setitem__,
        )
        yield from self.track(results, title=title, total=len(samples))

    @property
    def target(self) -> int:
        """Side to which large JPEGs are decoded: twice the input of the network, then averaged down."""
        return 2 * max(self.rows.network.preparation.size)

    def stored_rows(
        self, what: str, computation: str, width: int
    ) -> AbstractContextManager[StoredRows | None]:
        """Open the rows of an interrupted run, if they are stored."""
        if self.unfinished is None:
            return nullcontext()
        path = self.unfinished.with_name(f"{self.unfinished.name}-{what}")
        return StoredRows(path, computation, width)


def reference_limit(width: int) -> int:
    """Limit the references with rows of `width` numbers: 128, or as many as fit in 400 MiB, but at least 16."""
    return max(16, min(REFERENCES, REFERENCE_BYTES // (4 * width)))


def choose_references(samples: Sequence[Sample], seed: int, limit: int) -> list[Sample]:
    """Choose all samples, or `limit` drawn by `seed`, in their order."""
    return [samples[i] for i in reference_places(len(samples), seed, limit)]


def reference_places(count: int, seed: int, limit: int) -> NDArray[np.int64]:
    """Choose the places of the references among `count` pictures in the order of their names, ascending."""
    if count <= limit:
        return np.arange(count)
    return np.sort(np.random.default_rng(seed).choice(count, limit, replace=False))


def fit(reader: Reader, samples: Sequence[Sample]) -> tuple[Fitted | None, ComparedPictures]:
    """Fit on `samples` as references and score them; nothing is fitted where fewer than two can be judged."""
    rows = np.empty((len(samples), reader.rows.width), dtype=np.float32)
    judged_samples: list[Sample] = []
    unjudged: list[Unjudged] = []
    layout = reader.rows
    with reader.stored_rows("maps", reader.computation, layout.width) as memory:
        for sample, row in reader.results(samples, layout.compute, memory, "Comparing"):
            if isinstance(row, Unjudged):
                unjudged.append(row)
            else:
                rows[len(judged_samples)] = row
                judged_samples.append(sample)
    if len(judged_samples) < 2:
        nothing = np.empty((0, 0), dtype=np.float32)
        return None, ComparedPictures(
            tuple(judged_samples), nothing.ravel(), nothing, tuple(unjudged)
        )
    rows = rows[: len(judged_samples)]
    digests = [_digest(row) for row in rows]
    groups = [sample.group for sample in judged_samples]
    same = _same_part(digests, groups, digests, groups)
    # A picture that can be compared with no other must not rank as the least anomalous. It shows the same part as all
    # others, so they lose no comparison by its absence.
    comparable = np.flatnonzero(~same.all(axis=1))
    if len(comparable) < len(judged_samples):
        unjudged += [_no_other_part(s) for i, s in enumerate(judged_samples) if i not in comparable]
        rows, same = rows[comparable], same[np.ix_(comparable, comparable)]
        judged_samples = [judged_samples[i] for i in comparable]
        digests = [digests[i] for i in comparable]
        groups = [groups[i] for i in comparable]
    if len(judged_samples) < 2:
        nothing = np.empty((0, 0), dtype=np.float32)
        return None, ComparedPictures(
            tuple(judged_samples), nothing.ravel(), nothing, tuple(unjudged)
        )
    references, compared = fit_references(reader.rows.maps(rows), same, reader.neighbours)
    scored = ComparedPictures(
        tuple(judged_samples), compared.scores, compared.views, tuple(unjudged)
    )
    return Fitted(references, tuple(digests), tuple(groups)), scored


def _no_other_part(sample: Sample) -> Unjudged:
    return Unjudged(sample.name, "ranking-one-part", "every other picture is of the same part")


def score(
    reader: Reader, fitted: Fitted, samples: Sequence[Sample], *, same_source: bool
) -> ComparedPictures:
    """Score pictures against references; each score depends on its picture and the references only.

    With `same_source`, groups name the same parts as those of the references.
    """
    judged_samples: list[Sample] = []
    unjudged: list[Unjudged] = []
    width = 1 + len(fitted.references.views)
    parts = [np.empty((0, width), dtype=np.float32)]
    computation = _scoring(reader, fitted, samples)

    def describe(picture: Picture) -> _Described:
        return _Described(picture.sha256, reader.rows.compute(picture))

    with reader.stored_rows("scores", computation, width) as file:
        memory = _KnownScores(file) if file is not None else None
        results = reader.results(samples, describe, memory, "Scoring")
        while chunk := list(islice(results, CHUNK)):
            unjudged += [result for _, result in chunk if isinstance(result, Unjudged)]
            judged = [(s, result) for s, result in chunk if not isinstance(result, Unjudged)]
            judged_samples += [sample for sample, _ in judged]
            parts.append(_values(reader.rows, fitted, judged, file, width, same_source=same_source))
    values = np.concatenate(parts)
    return ComparedPictures(tuple(judged_samples), values[:, 0], values[:, 1:], tuple(unjudged))


def _scoring(reader: Reader, fitted: Fitted, samples: Sequence[Sample]) -> str:
    """Describe all that determines a score except the picture; scores of other settings must not be reused."""
    references = fitted.references
    described = [fitted.digests, fitted.groups, references.neighbours, [s.group for s in samples]]
    fitting = references.centre.tobytes() + references.spread.tobytes()
    return f"{reader.computation} {hashlib.sha256(repr(described).encode() + fitting).hexdigest()}"


@dataclass(frozen=True, slots=True)
class _Described:
    """Hash and row of maps of a picture; or, if it was scored before, no hash and its values."""

    sha256: str
    row: NDArray[np.float32]


@dataclass(frozen=True, slots=True)
class _KnownScores:
    """Values of pictures scored by an interrupted run; new ones are stored after they are compared."""

    file: StoredRows

    def recall(self, data: bytes) -> _Described | None:
        known = self.file.recall(data)
        return None if known is None else _Described("", known)

    def remember(self, data: bytes, result: _Described) -> None:
        pass


def _values(
    layout: MapRows,
    fitted: Fitted,
    judged: Sequence[tuple[Sample, _Described]],
    file: StoredRows | None,
    width: int,
    *,
    same_source: bool,
) -> NDArray[np.float32]:
    """Collect score and views, (N, width), of new and known pictures."""
    values = np.empty((len(judged), width), dtype=np.float32)
    new = [i for i, (_, result) in enumerate(judged) if result.sha256]
    for i, (_, result) in enumerate(judged):
        if not result.sha256:
            values[i] = result.row
    if new:
        rows = np.stack([judged[i][1].row for i in new])
        groups = [judged[i][0].group if same_source else None for i in new]
        compared = compare_rows(layout, fitted, rows, groups)
        values[new, 0], values[new, 1:] = compared.scores, compared.views
        if file is not None:
            for i in new:
                file.keep(judged[i][1].sha256, values[i])
    return values


def joined(first: ComparedPictures, second: ComparedPictures) -> ComparedPictures:
    """Join two sets of scored pictures."""
    return ComparedPictures(
        first.samples + second.samples,
        np.concatenate([first.scores, second.scores]),
        np.concatenate([first.views, second.views]),
        first.unjudged + second.unjudged,
    )


def explain(
    reader: Reader,
    fitted: Fitted,
    scored: ComparedPictures,
    chosen: Sequence[int],
    *,
    same_source: bool,
) -> dict[int, tuple[tuple[Reason, ...], NDArray[np.float32]]]:
    """Compute reasons and heat map (h, w) of the pictures `chosen` by index, which are read once more."""
    samples = [scored.samples[i] for i in chosen]

    def row_and_size(picture: Picture) -> tuple[NDArray[np.float32], tuple[int, int]]:
        return reader.rows.compute(picture), (picture.width, picture.height)

    explained = {}
    results = map_pictures(
        reader.source,
        samples,
        row_and_size,
        target=reader.target,
        value_range=reader.value_range,
    )
    shown = reader.track(results, title="Explaining", total=len(samples))
    for i, (sample, result) in zip(chosen, shown, strict=True):
        if isinstance(result, Unjudged):
            continue
        row, size = result
        group = sample.group if same_source else None
        compared = compare_rows(reader.rows, fitted, row[None], [group])
        explained[i] = (_reasons(fitted, scored.views[i], compared, size), compared.heat[0])
    return explained


def compare_rows(
    layout: MapRows,
    fitted: Fitted,
    rows: NDArray[np.float32],
    groups: Sequence[str | None],
) -> Compared:
    """Compare rows (N, width) with the references, leaving out those that show the same part."""
    digests = [_digest(row) for row in rows]
    same = _same_part(digests, groups, fitted.digests, fitted.groups)
    return compare(fitted.references, layout.maps(rows), same)


def _reasons(
    fitted: Fitted, views: NDArray[np.float32], compared: Compared, size: tuple[int, int]
) -> tuple[Reason, ...]:
    """Explain one score by the most anomalous views and the peak of the heat map.

    `views` is (V,), `compared` the comparison of this picture alone, `size` its width and height in pixels.
    """
    heat = compared.heat[0]
    row, column = np.unravel_index(int(heat.argmax()), heat.shape)
    x = round((column + 0.5) / heat.shape[1] * size[0])
    y = round((row + 0.5) / heat.shape[0] * size[1])
    strength = np.maximum(views, 0)
    shares = strength / max(float(strength.sum()), 1e-12)
    names = fitted.references.views
    strongest = [int(i) for i in np.argsort(-views, kind="stable")[:3] if views[i] > 0]
    return tuple(_view_reason(names[i], float(views[i]), float(shares[i]), x, y) for i in strongest)


def _view_reason(view: str, deviations: float, share: float, x: int, y: int) -> Reason:
    stride, kind = view.split(" ")
    scale = _SCALES.get(stride, stride)
    words = {
        "level": "the whole picture looks different",
        "detail": "small details stronger or weaker than usual",
        "place": f"something that others do not have there, most at x {x}, y {y} px",
        "local": f"one small place stands out, most at x {x}, y {y} px",
    }
    about = f"{view} x={x} y={y}" if kind in ("place", "local") else view
    text = f"{words[kind]} ({scale} scale, {deviations:.1f} standard deviations above typical)"
    return Reason(text, about, share)


def _digest(row: NDArray[np.float32]) -> str:
    return hashlib.sha256(row.tobytes()).hexdigest()[:32]


def _same_part(
    digests: Sequence[str],
    groups: Sequence[str | None],
    other_digests: Sequence[str],
    other_groups: Sequence[str | None],
) -> NDArray[np.bool_]:
    """Find pairs (N, R) of pictures that are copies of each other or belong to one group."""
    same = np.array(digests)[:, None] == np.array(other_digests)[None, :]
    known = np.array([group is not None for group in groups])
    if known.any():
        left, right = np.array(groups, dtype=object), np.array(other_groups, dtype=object)
        same |= known[:, None] & (left[:, None] == right[None, :])
    return np.asarray(same, dtype=bool)
