"""The outcome of a split: every picture with its split, and what came out in one sentence."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from flawline.core.words import counted
from flawline.types import Sample, Unjudged

_WORDS = {"train": "to learn from", "validation": "to validate", "test": "to test"}


@dataclass(frozen=True, slots=True)
class Splitting:
    """A source split into "train", "test" and where asked for "validation".

    `samples` are in the order of the source; `split` is None for those that could not be used, and `group` names the
    part. `stated` are the same as the source states them. `parts` and `units` name, by the name of a picture, one
    picture of its part and of what is never split apart: parts, and lots where it went by lot. `alike` counts the
    pictures kept with others because they are near-duplicates. `settings` determine the result.
    """

    source: str
    settings: Mapping[str, Any]
    samples: tuple[Sample, ...]
    stated: tuple[Sample, ...]
    parts: Mapping[str, str]
    units: Mapping[str, str]
    alike: int
    unjudged: tuple[Unjudged, ...]
    notes: tuple[str, ...]

    @property
    def counts(self) -> dict[str, dict[str, int]]:
        """Pictures, parts, and good and bad pictures of each split."""
        found = {}
        for name in _WORDS:
            own = [sample for sample in self.samples if sample.split == name]
            if own:
                found[name] = {
                    "pictures": len(own),
                    "parts": len({self.parts[sample.name] for sample in own}),
                    "good": sum(sample.defective is False for sample in own),
                    "bad": sum(sample.defective is True for sample in own),
                }
        return found

    @property
    def sentence(self) -> str:
        """Summary in one sentence."""
        counts = self.counts
        bad = sum(one["bad"] for one in counts.values())
        texts = [f"{one['pictures']} {_WORDS[name]}" for name, one in counts.items()]
        if bad and "test" in counts:
            texts[-1] += f" ({counts['test']['bad']} of {bad} bad)"
        lines = [", ".join(texts)]
        if self.settings["by"] == "lot":
            lines.append(
                f"{counted(len(set(self.units.values())), 'lot was', 'lots were')} kept whole"
            )
        if self.settings["by"] == "time":
            lines.append("the latest are the test")
        if self.alike:
            what = counted(self.alike, "near-duplicate was", "near-duplicates were")
            lines.append(f"{what} kept together")
        return "; ".join(lines)


def label_of(sample: Sample) -> str | None:
    """Return the label of a sample, or where a mask tells it without one "good" or "bad"."""
    if sample.label is not None or sample.defective is None:
        return sample.label
    return "bad" if sample.defective else "good"
