"""Split the pictures of a source by group, near-duplicates, lot or time, each label in about the same share."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from flawline.core.words import counted
from flawline.data.names import did_you_mean
from flawline.data.source import Source
from flawline.data.splits import stratified
from flawline.errors import UsageError
from flawline.jobs.groups.group import group
from flawline.jobs.split.latest import Moments, latest, moments_of
from flawline.jobs.split.splitting import Splitting, label_of
from flawline.jobs.split.units import column_values, joined, part_names
from flawline.jobs.train.survey import survey
from flawline.types import Sample, Track, no_track
from flawline.version import __version__

BY = ("auto", "group", "duplicates", "lot", "time")
_OFF = 0.1
"""A note tells where the share that came out is further from the share asked for."""


@dataclass(frozen=True, slots=True)
class SplitSettings:
    """Settings of a split.

    `by` is one of `BY`; `column` holds the group, lot or time where it is called otherwise. `test` and `validation` are
    shares of the pictures.
    """

    by: str = "auto"
    column: str | None = None
    test: float = 0.2
    validation: float = 0.0
    seed: int = 0
    value_range: tuple[float, float] | None = None

    def __post_init__(self) -> None:
        """Refuse what makes no sense before any picture is read."""
        if self.by not in BY:
            raise UsageError(
                f"`by` {self.by!r} is not one of {', '.join(BY)}",
                hint=did_you_mean(self.by, list(BY)) or "another column is named with `column`",
            )
        if self.column is not None and self.by in ("auto", "duplicates"):
            raise UsageError(
                f"`column` names a group, a lot or a time, and `by={self.by}` looks at none",
                hint="add `by=group`, `by=lot` or `by=time`",
            )
        if not (0 < self.test < 1 and 0 <= self.validation < 1 and self.test + self.validation < 1):
            raise UsageError(
                "expected a share `test` above 0 that leaves something to learn from, got "
                f"{self.test:g} and {self.validation:g} for `validation`",
                hint="such as 0.2 and 0",
            )

    @property
    def shares(self) -> dict[str, float]:
        """The shares of the splits that are not empty, by name."""
        learn = 1 - self.test - self.validation
        shares = {"train": learn, "validation": self.validation, "test": self.test}
        return {name: share for name, share in shares.items() if share > 0}


def split(
    source: Source, settings: SplitSettings | None = None, *, track: Track = no_track
) -> Splitting:
    """Split the pictures of an open source.

    Pictures that nearly copy each other are never split apart, whatever else keeps them together. Pictures that cannot
    be read, or by time those without one, are in no split and listed.

    Raises:
        UsageError: an argument makes no sense; ("split-column") the source has no such column; ("split-few-parts")
            too few groups, lots or pictures to split.
        SourceError: no picture can be read.
    """
    settings = settings or SplitSettings()
    samples = list(source.samples())
    own = column_values(source, samples, settings.by, settings.column)
    found = survey(source, samples, value_range=settings.value_range, track=track)
    lost = list(found.unjudged)
    usable = {sample.name for sample in samples} - {item.image for item in lost}
    moments: Moments | None = None
    if settings.by == "time":
        moments = moments_of({name: own.get(name) for name in sorted(usable)})
        lost += moments.unknown
        usable -= {item.image for item in moments.unknown}
    kept = [sample for sample in samples if sample.name in usable]
    alike = {sample.name: found.parts[sample.name] for sample in kept}
    if settings.by == "duplicates":
        similar = {
            picture.sample.name: picture.group
            for picture in group(source, value_range=settings.value_range, track=track).pictures
        }
        alike = joined(kept, [alike, similar])
    groups = own if settings.by == "group" else {s.name: s.group for s in kept if s.group}
    parts = joined(kept, [groups, alike])
    units = joined(kept, [parts, own]) if settings.by == "lot" else parts
    _check(kept, units, settings, own)
    if moments is not None:
        dealt = latest(kept, units, moments.by_name, settings.shares)
    else:
        dealt = _by_label(kept, units, settings)
    named = part_names(kept, parts, groups)
    return Splitting(
        source=source.name,
        settings={
            "by": settings.by,
            "column": settings.column,
            "test": settings.test,
            "validation": settings.validation,
            "seed": settings.seed,
            "flawline": __version__,
        },
        samples=tuple(
            replace(s, split=dealt.get(s.name), group=named.get(s.name, s.group)) for s in samples
        ),
        stated=tuple(samples),
        parts=parts,
        units=units,
        alike=_alike(kept, groups, parts),
        unjudged=(*lost, *source.unlisted()),
        notes=tuple(_notes(kept, units, dealt, settings, own, groups)),
    )


def _check(
    samples: Sequence[Sample],
    units: Mapping[str, str],
    settings: SplitSettings,
    own: Mapping[str, str],
) -> None:
    """Refuse a source whose pictures all belong together, or that has fewer groups than splits."""
    few, wanted = len(set(units.values())), len(settings.shares)
    if few >= wanted:
        return
    what = {"lot": "lot", "group": "group"}.get(settings.by, "group or copies of one picture")
    if few == 1 and len(samples) > 1:
        first = own.get(samples[0].name)
        name = f" ({first})" if first and settings.by != "time" else ""
        message = f"all {len(samples)} pictures are of one {what}{name}, and a {what} is never split apart"
    else:
        message = f"expected at least {wanted} {what}s to split into {', '.join(settings.shares)}, got {few}"
    raise UsageError(
        message,
        hint="give more parts, or split `by` something else: " + ", ".join(BY),
        code="split-few-parts",
    )


def _by_label(
    samples: Sequence[Sample], units: Mapping[str, str], settings: SplitSettings
) -> dict[str, str]:
    labels = sorted({label for s in samples if (label := label_of(s)) is not None})
    contents = {s.name: [float(label_of(s) == label) for label in labels] for s in samples}
    return stratified(samples, units, contents, settings.shares, seed=settings.seed)


def _alike(samples: Sequence[Sample], own: Mapping[str, str], parts: Mapping[str, str]) -> int:
    """Count the pictures that are kept with others because they look alike, not because of a group."""
    kinds: dict[str, set[str]] = {}
    for sample in samples:
        key = own.get(sample.name)
        unit = f"group {key}" if key else f"picture {sample.name}"
        kinds.setdefault(parts[sample.name], set()).add(unit)
    return sum(len(kinds[parts[sample.name]]) > 1 for sample in samples)


def _notes(
    samples: Sequence[Sample],
    units: Mapping[str, str],
    dealt: Mapping[str, str],
    settings: SplitSettings,
    own: Mapping[str, str],
    groups: Mapping[str, str],
) -> list[str]:
    notes = []
    if settings.by == "auto" and not groups:
        notes.append(
            "no column says which pictures show one part: near-copies are kept together; turned ones, or in other "
            "light, are found by `flawline split` with `by=duplicates`"
        )
    without = sum(not own.get(sample.name) for sample in samples)
    if settings.by in ("group", "lot") and without:
        notes.append(
            f"{counted(without, 'picture names', 'pictures name')} no {settings.by}: each counts as one of its own"
        )
    for name, share in settings.shares.items():
        inside = sum(dealt[sample.name] == name for sample in samples)
        if abs(inside / len(samples) - share) > _OFF:
            largest = max(list(units.values()).count(unit) for unit in set(units.values()))
            notes.append(
                f"{100 * share:g} % of the pictures were asked for {name}, {100 * inside / len(samples):.0f} % came "
                f"out: the largest group has {counted(largest, 'picture')} of {len(samples)}"
            )
    test = [s for s in samples if dealt[s.name] == "test"]
    learn = [s for s in samples if dealt[s.name] == "train"]
    for words, value in (("bad", True), ("good", False)):
        if any(s.defective is value for s in samples):
            if not any(s.defective is value for s in test):
                notes.append(f"no {words} picture is in the test: their groups are too few")
            if not any(s.defective is value for s in learn) and not value:
                notes.append("no good picture is left to learn from: their groups are too few")
    return notes
