"""Suggest which pictures of a source show the same part."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from flawline.core.words import counted
from flawline.data.source import Source, SourceLike, opened
from flawline.data.stream import map_pictures
from flawline.errors import SourceError, UsageError
from flawline.jobs.groups.grouping import GroupedPicture, Grouping, Pair, agreement
from flawline.jobs.groups.linking import COHESION, Groups, Linked, link
from flawline.jobs.groups.matching import Comparisons, Places, candidates
from flawline.jobs.groups.signature import Signature, signature
from flawline.jobs.groups.similarity import SIDE
from flawline.networks.threads import one_thread
from flawline.types import Sample, Track, Unjudged, no_track
from flawline.version import __version__

THRESHOLD = 0.75
NEIGHBOURS = 12
BORDERLINE = 12
_BATCH = 256


def group(
    source: SourceLike,
    *,
    threshold: float = THRESHOLD,
    neighbours: int = NEIGHBOURS,
    value_range: tuple[float, float] | None = None,
    good: Sequence[str] = (),
    bad: Sequence[str] = (),
    track: Track = no_track,
) -> Grouping:
    """Find pictures of the same part: under other lighting, shifted a little, turned or mirrored.

    Args:
        source: anything that `open_source` takes, or an open source.
        threshold: similarity from which two pictures count as one part, above 0 and at most 1. Similarity is the
            correlation of the aligned textures beyond the likeness of different parts of this source.
        neighbours: how many candidates each picture is compared with, at least 2; half as many again by layout.
        value_range: values that become black and white in 16-bit and float pictures.
        good, bad: labels that mean good and bad, where the words alone do not say so.
        track: shows progress.

    Raises:
        SourceError: the source cannot be opened or has fewer than two pictures that can be judged.
        UsageError: an argument is out of range.
    """
    if not 0 < threshold <= 1 or neighbours < 2:
        raise UsageError(
            f"threshold must be above 0 and at most 1 and neighbours at least 2, got {threshold}, {neighbours}"
        )
    with opened(source, good, bad) as open_:
        return _group(open_, threshold, neighbours, value_range, track)


def _group(
    source: Source,
    threshold: float,
    neighbours: int,
    value_range: tuple[float, float] | None,
    track: Track,
) -> Grouping:
    described, unjudged = _describe(source, value_range, track)
    # The pairs depend on the order, so the order of the container would change the groups.
    described.sort(key=lambda pair: pair[0].name)
    samples = [sample for sample, _ in described]
    signatures = [one for _, one in described]
    comparisons = Comparisons(signatures)
    comparisons.measure_likeness()
    with one_thread():
        wanted = candidates(signatures, neighbours)
    for _ in track(
        _compare(comparisons, wanted, len(samples), threshold), title="Pairs", total=len(wanted)
    ):
        pass
    linked = link(len(samples), comparisons, threshold)
    return _grouping(
        source, samples, signatures, comparisons, linked, unjudged, threshold, neighbours
    )


def _describe(
    source: Source, value_range: tuple[float, float] | None, track: Track
) -> tuple[list[tuple[Sample, Signature]], tuple[Unjudged, ...]]:
    samples = list(source.samples())
    read = map_pictures(source, samples, signature, target=2 * SIDE, value_range=value_range)
    described: list[tuple[Sample, Signature]] = []
    unjudged: list[Unjudged] = []
    for sample, result in track(read, title="Pictures", total=len(samples)):
        if isinstance(result, Unjudged):
            unjudged.append(result)
        else:
            described.append((sample, result))
    if len(described) < 2:
        raise SourceError(
            f"grouping compares pictures, and only {len(described)} of {len(samples)} could be judged",
            hint=unjudged[0].reason if unjudged else "give at least two pictures",
        )
    return described, tuple(sorted(unjudged, key=lambda item: item.image))


def _compare(
    comparisons: Comparisons, wanted: Sequence[Places], count: int, threshold: float
) -> Iterator[Places]:
    """Compare the candidates that earlier ones do not connect already; batches do not depend on the machine."""
    connected = Groups(count)
    for start in range(0, len(wanted), _BATCH):
        batch = wanted[start : start + _BATCH]
        open_pairs = [pair for pair in batch if connected.of(pair[0]) != connected.of(pair[1])]
        comparisons.compare(open_pairs)
        for pair in open_pairs:
            if comparisons.similarity(pair) >= threshold:
                connected.join(*pair)
        yield from batch


def _grouping(
    source: Source,
    samples: Sequence[Sample],
    signatures: Sequence[Signature],
    comparisons: Comparisons,
    linked: Linked,
    unjudged: tuple[Unjudged, ...],
    threshold: float,
    neighbours: int,
) -> Grouping:
    ordered = sorted(comparisons.made, key=lambda pair: (-comparisons.similarity(pair), pair))
    apart = [p for p in ordered if linked.groups.of(p[0]) != linked.groups.of(p[1])]
    below = [pair for pair in apart if comparisons.similarity(pair) < threshold]

    def named(pairs: Sequence[Places]) -> tuple[Pair, ...]:
        return tuple(_pair(samples, comparisons, pair) for pair in pairs)

    pictures = _pictures(samples, ordered, comparisons, linked.groups)
    return Grouping(
        source=source.name,
        pictures=pictures,
        joined=named(linked.joined),
        above=named(linked.joined[-BORDERLINE:][::-1]),
        below=named(below[:BORDERLINE]),
        held_apart=named(linked.held_apart),
        unjudged=(*unjudged, *source.unlisted()),
        notes=tuple(_notes(signatures, comparisons)),
        settings={
            "threshold": threshold,
            "likeness of different parts": round(comparisons.likeness, 4),
            "correlation at the threshold": round(
                comparisons.likeness + threshold * (1 - comparisons.likeness), 4
            ),
            "cohesion": COHESION,
            "neighbours": neighbours,
            "pairs compared": len(comparisons.made),
            "flawline": __version__,
        },
        agreement=agreement(pictures),
    )


def _pictures(
    samples: Sequence[Sample],
    ordered: Sequence[Places],
    comparisons: Comparisons,
    groups: Groups,
) -> tuple[GroupedPicture, ...]:
    closest: dict[int, Places] = {}
    for pair in ordered:
        if groups.of(pair[0]) == groups.of(pair[1]):
            for place in pair:
                closest.setdefault(place, pair)
    numbers = {place: number + 1 for number, place in enumerate(sorted(groups.members))}
    width = len(str(len(numbers)))
    pictures = []
    for place, sample in enumerate(samples):
        name = f"{numbers[groups.of(place)]:0{width}d}"
        if place not in closest:
            pictures.append(GroupedPicture(sample, name))
            continue
        pair = closest[place]
        other = samples[pair[0] if pair[1] == place else pair[1]].name
        pictures.append(GroupedPicture(sample, name, comparisons.similarity(pair), other))
    return tuple(pictures)


def _pair(samples: Sequence[Sample], comparisons: Comparisons, pair: Places) -> Pair:
    shift = comparisons.made[pair]
    first, second = (samples[place].name for place in pair)
    return Pair(
        first,
        second,
        comparisons.similarity(pair),
        shift.correlation,
        shift.turned,
        shift.mirrored,
    )


def _notes(signatures: Sequence[Signature], comparisons: Comparisons) -> Iterator[str]:
    flat = sum(one.flat for one in signatures)
    if flat:
        what = counted(flat, "picture without texture is", "pictures without texture are")
        yield f"{what} joined only where their pixels are equal"
    if comparisons.likeness == 0:
        yield (
            "the likeness of different parts could not be estimated from this source and is taken as 0, "
            "so parts of one design may be joined"
        )
