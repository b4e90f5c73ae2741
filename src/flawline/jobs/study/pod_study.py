"""Study what a recipe finds and where it is blind, by defects drawn into good pictures that it did not learn from."""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from flawline.core.pod import FEWEST as FEWEST_DEFECTS
from flawline.core.words import counted
from flawline.data.source import Source
from flawline.data.splits import part_of
from flawline.data.stream import map_pictures
from flawline.errors import FlawlineError, SourceError, UsageError
from flawline.inspector import Inspector
from flawline.inspector.self_test import Read, SelfTest, self_test
from flawline.inspector.self_test_document import self_test_document
from flawline.inspector.self_test_examples import DrawnExample, drawn_examples
from flawline.inspector.self_test_plan import SelfTestPlan
from flawline.recipe import Role, check_ready, known_pictures
from flawline.synthetic.drawn_defects import KINDS
from flawline.types import Sample, Track, Unjudged, no_track

FEWEST = 10
"""Fewest good parts, accepted as they are, to draw defects into."""
MOST = 100
"""Most good pictures that defects are drawn into."""
_LEARNT: tuple[Role, ...] = ("train", "set-aside", "duplicate")


@dataclass(frozen=True, slots=True, eq=False)
class PodStudy:
    """What a recipe finds of drawn defects.

    `inspector` describes the recipe, `examples` show found and missed defects, `left_out` names pictures that the
    recipe learnt from.
    """

    source: str
    part: str
    recipe: str
    test: SelfTest
    examples: tuple[DrawnExample, ...]
    inspector: Mapping[str, Any]
    left_out: tuple[str, ...]
    unjudged: tuple[Unjudged, ...]
    notes: tuple[str, ...]
    seed: int

    @property
    def finding(self) -> str:
        """The sentence of the self-test with the recipe's name."""
        return f"{self.part or 'The recipe'}: {self.test.sentence}."

    def as_dict(self) -> dict[str, Any]:
        """Give the JSON document of the study."""
        return {
            "source": self.source,
            "part": self.part,
            "recipe": self.recipe,
            "finding": self.finding,
            "seed": self.seed,
            "self_test": self_test_document(self.test),
            "learnt_from": list(self.left_out),
            "notes": list(self.notes),
            "unjudged": [one.as_dict() for one in self.unjudged],
        }


def study_pod(
    source: Source,
    inspector: Inspector,
    plan: SelfTestPlan | None = None,
    *,
    drop_known: bool = False,
    seed: int = 0,
    track: Track = no_track,
) -> PodStudy:
    """Draw the defects of a plan into good pictures and inspect them with a recipe.

    Args:
        source: good pictures; those with a label that means bad are left out.
        inspector: a recipe with thresholds.
        plan: what to draw; every kind if not given, of a segmenter the kinds that it has a class of.
        drop_known: leave out pictures that the recipe learnt from, instead of refusing.
        seed: of the places and shapes.
        track: shows progress.

    Raises:
        UsageError: ("pod-leak") the recipe learnt from a picture; ("pod-too-few") too few good parts are left;
            ("pod-kinds") a segmenter has no class of the kinds that can be drawn.
        ModelError: ("recipe-uncalibrated") the recipe has no thresholds.
        SourceError: no picture can be read.
    """
    check_ready(inspector.recipe)
    plan = plan or SelfTestPlan(kinds=drawable(inspector))
    good = [sample for sample in source.samples() if not sample.defective]
    usable, left_out = _not_learnt(source, good, inspector, drop_known)
    _check_count(usable, len(left_out))
    samples = _one_each(usable)[:MOST]
    unjudged: list[Unjudged] = []
    read = _reader(source, inspector, unjudged, track)
    test = self_test(read, samples, inspector, plan, seed=seed, fewest=FEWEST)
    if test is None:
        raise _refused(len(samples), unjudged)
    own = [sample for sample in samples if sample.name in set(test.pictures)]
    examples = drawn_examples(read, own, test, inspector, seed=seed)
    return PodStudy(
        source.name,
        inspector.recipe.settings.part,
        inspector.recipe.sha256,
        test,
        examples,
        inspector.described(),
        tuple(left_out),
        tuple(dict.fromkeys(unjudged)),
        _notes(test, plan, left_out, len(usable) - len(samples)),
        seed,
    )


def drawable(inspector: Inspector) -> tuple[str, ...]:
    """Choose the kinds to draw: all for a detector, those among its classes for a segmenter.

    A segmenter finds what it was taught, and nothing else can be expected of it.

    Raises:
        UsageError: ("pod-kinds") it has no class that can be drawn.
    """
    if not inspector.model.tells_classes:
        return tuple(KINDS)
    classes = {name.casefold() for name in inspector.classes[1:]}
    kinds = tuple(kind for kind in KINDS if kind in classes or f"{kind}s" in classes)
    if not kinds:
        raise UsageError(
            f"the recipe is a segmenter of {', '.join(inspector.classes[1:])}, and none of these can be drawn "
            f"(kinds: {', '.join(KINDS)})",
            hint="evaluate it on pictures with masks, which gives a90 of each class; or name `kinds` that it should "
            "find nevertheless",
            code="pod-kinds",
        )
    return kinds


def _not_learnt(
    source: Source, good: Sequence[Sample], inspector: Inspector, drop_known: bool
) -> tuple[list[Sample], list[str]]:
    """Select pictures that the recipe did not learn from; those that calibrated its thresholds are among them."""
    roles = known_pictures(inspector.recipe)
    known = {sample.name: roles.get(_hash(source, sample)) for sample in good}
    learnt = [sample for sample in good if known[sample.name] in _LEARNT]
    if learnt and not drop_known:
        raise UsageError(
            f"the recipe learnt from {len(learnt)} of {counted(len(good), 'good picture')}, {learnt[0].name} among "
            "them, and would find defects in these too easily",
            hint="give good pictures that it did not learn from, or leave these out with `drop_known`",
            code="pod-leak",
        )
    parts = {part_of(sample) for sample in learnt}
    left = [sample for sample in good if part_of(sample) not in parts]
    return left, [sample.name for sample in good if part_of(sample) in parts]


def _hash(source: Source, sample: Sample) -> str:
    try:
        return hashlib.sha256(source.read(sample.name)).hexdigest()
    except FlawlineError:
        return ""


def _check_count(usable: Sequence[Sample], left_out: int) -> None:
    parts = len({part_of(sample) for sample in usable})
    if parts >= FEWEST:
        return
    without = f" ({left_out} that the recipe learnt from left out)" if left_out else ""
    raise UsageError(
        f"expected at least {FEWEST} good parts that the recipe did not learn from, got {parts}{without}",
        hint="photograph more good parts, or train with `test=0.2`, which holds some out",
        code="pod-too-few",
    )


def _one_each(samples: Sequence[Sample]) -> list[Sample]:
    """Order pictures so that the first of every part come first."""
    seen: Counter[str] = Counter()
    ranks = []
    for sample in samples:
        ranks.append((seen[part_of(sample)], sample.name, sample))
        seen[part_of(sample)] += 1
    return [sample for _, _, sample in sorted(ranks, key=lambda rank: rank[:2])]


def _reader(source: Source, inspector: Inspector, unjudged: list[Unjudged], track: Track) -> Read:
    """Return a function that applies another to pictures, and notes those that cannot be used."""

    def read(samples: Sequence[Sample], function: Any, title: str) -> Iterator[tuple[Sample, Any]]:
        results = map_pictures(source, samples, function, value_range=inspector.value_range)
        shown = track(results, title=title, total=len(samples)) if title else results
        for sample, result in shown:
            if isinstance(result, Unjudged):
                unjudged.append(replace(result, image=sample.name))
            else:
                yield sample, result

    return read


def _refused(pictures: int, unjudged: Sequence[Unjudged]) -> FlawlineError:
    if len(unjudged) == pictures:
        return SourceError(
            "none of the good pictures can be inspected",
            hint=f"the first: {unjudged[0].image}: {unjudged[0].reason}",
        )
    return UsageError(
        f"fewer than {FEWEST} of {counted(pictures, 'good picture')} are accepted as they are, so that nothing can be "
        "learnt from defects drawn into them",
        hint="check that the pictures show good parts as the recipe knows them, and its thresholds",
        code="pod-too-few",
    )


def _notes(
    test: SelfTest, plan: SelfTestPlan, left_out: Sequence[str], more: int
) -> tuple[str, ...]:
    notes = []
    if left_out:
        notes.append(
            f"{counted(len(left_out), 'picture')} of parts that the recipe learnt from left out"
        )
    if more > 0:
        notes.append(f"{counted(more, 'further good picture')} not needed")
    if test.refused:
        notes.append(
            f"nothing was drawn into {counted(len(test.refused), 'good picture')} that the recipe does not accept as "
            f"{'it is' if len(test.refused) == 1 else 'they are'}, {test.refused[0]} first"
        )
    if test.left_out:
        notes.append(
            f"{counted(test.left_out, 'defect')} could not be drawn: no place of the part had room for the size or the "
            "contrast"
        )
    if plan.defects < FEWEST_DEFECTS:
        notes.append(
            f"{plan.defects} defects of each kind and contrast are fewer than the {FEWEST_DEFECTS} that MIL-HDBK-1823A "
            "recommends: a90/95 is rough"
        )
    return tuple(notes)
